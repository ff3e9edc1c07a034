"""Fine-tuning jobs: created, read, paused, resumed, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Refused
from connector.sandbox.processes.files.stored import file_for
from connector.sandbox.processes.kept import Where, body_of, lists, retrieves, wrong
from connector.sandbox.processes.models import exists
from connector.sandbox.processes.tuning.events import CHECKPOINTS, EVENTS, say
from connector.sandbox.processes.tuning.moving import JOBS, KEPT
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

ENDED = ("succeeded", "failed", "cancelled")
LEARNED: Mapping[str, JSON] = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    file_for(world, asked["training_file"], "fine-tune", "training_file")
    if "validation_file" in asked:
        file_for(world, asked["validation_file"], "fine-tune", "validation_file")
    if not exists(world, asked["model"]) and not world.options.lenient:
        raise Refused(404, f"The model '{asked['model']}' does not exist.", param="model", code="model_not_found")
    job = _job(world, asked)
    world.objects.put(JOBS, job)
    kept = {"id": job["id"], "suffix": asked.get("suffix", ""), "paused": None}
    world.objects.put(KEPT, kept)
    say(world, job["id"], f"Created fine-tuning job: {job['id']}")
    say(world, job["id"], f"Validating training file: {job['training_file']}")
    world.processes.open(JOBS, job["id"], world.now() + world.options.pace)
    return Answer(job)


def cancel(call: Call, world: World) -> Answer:
    job = _open(call, world, "cancelled")
    job |= {"status": "cancelled", "finished_at": int(world.now())}
    world.objects.put(JOBS, job)
    say(world, job["id"], "Fine-tuning job cancelled")
    world.tell("fine_tuning.job.cancelled", {"id": job["id"]})
    return Answer(job)


def pause(call: Call, world: World) -> Answer:
    job = _open(call, world, "paused")
    kept = world.objects.get(KEPT, job["id"])
    if kept is not None and kept["paused"] is None:
        world.objects.put(KEPT, {**kept, "paused": world.now()})
        say(world, job["id"], "Fine-tuning job paused")
    return Answer(job)


def resume(call: Call, world: World) -> Answer:
    job = _open(call, world, "resumed")
    kept = world.objects.get(KEPT, job["id"])
    if kept is not None and kept["paused"] is not None:
        world.objects.put(KEPT, {**kept, "paused": None})
        say(world, job["id"], "Fine-tuning job resumed")
        world.processes.open(JOBS, job["id"], world.now() + world.options.pace)
    elif not world.options.lenient:
        raise wrong(f"Job '{job['id']}' is not paused.", code="invalid_job_state")
    return Answer(job)


def _open(call: Call, world: World, to_be: str) -> dict[str, Any]:
    job = world.found(JOBS, call.path["fine_tuning_job_id"])
    if job["status"] in ENDED and not world.options.lenient:
        raise wrong(f"Job '{job['id']}' has status '{job['status']}' and cannot be {to_be}.", code="invalid_job_state")
    return job


def _job(world: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    method = _method(asked)
    settings = members(members(method[method["type"]]).get("hyperparameters"))
    job: dict[str, JSON] = {"id": world.new_id("ftjob-"), "object": "fine_tuning.job", "model": asked["model"]}
    job |= {"created_at": int(world.now()), "finished_at": None, "fine_tuned_model": None, "error": None}
    job |= {"organization_id": "org-sandbox", "result_files": [], "status": "validating_files"}
    job |= {"training_file": asked["training_file"], "validation_file": asked.get("validation_file")}
    job |= {"hyperparameters": {name: settings.get(name, value) for name, value in LEARNED.items()}}
    job |= {"method": method, "seed": asked.get("seed", world.options.seed), "trained_tokens": None}
    job |= {"integrations": asked.get("integrations", []), "metadata": asked.get("metadata")}
    return {**job, "estimated_finish": None}


def _method(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How it is trained, with every `auto` settled."""
    method: dict[str, Any] = asked.get("method") or {"type": "supervised"}
    own = members(method.get(method["type"]))
    given = {**members(asked.get("hyperparameters")), **members(own.get("hyperparameters"))}
    settled = {name: LEARNED.get(name, value) if value == "auto" else value for name, value in given.items()}
    return {"type": method["type"], method["type"]: {**own, "hyperparameters": {**LEARNED, **settled}}}


def _with_metadata(call: Call) -> Where:
    wanted: Mapping[str, JSON] = members(call.query.get("metadata"))
    return lambda job: all(members(job.get("metadata")).get(name) == value for name, value in wanted.items())


JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /fine_tuning/jobs": lists(JOBS, where=_with_metadata),
    "POST /fine_tuning/jobs": create,
    f"GET {JOB}": retrieves(JOBS, "fine_tuning_job_id"),
    f"POST {JOB}/cancel": cancel,
    f"POST {JOB}/pause": pause,
    f"POST {JOB}/resume": resume,
    f"GET {JOB}/events": lists(EVENTS, (JOBS, "fine_tuning_job_id")),
    f"GET {JOB}/checkpoints": lists(CHECKPOINTS, (JOBS, "fine_tuning_job_id")),
}
