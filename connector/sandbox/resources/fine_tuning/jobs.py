"""Fine-tuning jobs: created, paused, resumed, cancelled; and permissions on their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.resources import crud
from connector.sandbox.resources.files.storage import require_file
from connector.sandbox.resources.fine_tuning.training import CHECKPOINTS, EVENTS, JOBS, PROGRESS, record_event
from connector.sandbox.resources.models import model_exists

__all__ = ["HANDLERS", "PERMISSION_HANDLERS"]

PERMISSIONS = "fine-tuning checkpoint permissions"
CHECKPOINT = "fine_tuned_model_checkpoint"
ENDED = ("succeeded", "failed", "cancelled")
DEFAULT_HYPERPARAMETERS: Mapping[str, JSON] = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}


def create_permissions(request: Request, backend: Backend) -> Answer:
    given = [_add_permission(request, backend, project) for project in crud.get_body(request)["project_ids"]]
    ids = [permission["id"] for permission in given] or [""]
    return Answer({"object": "list", "data": given, "first_id": ids[0], "last_id": ids[-1], "has_more": False})


def list_permissions(request: Request, backend: Backend) -> Answer:
    wanted = request.query.get("project_id")
    where: crud.Condition = lambda permission: wanted in (None, permission["project_id"])  # noqa: E731
    return crud.list_objects(request, backend, PERMISSIONS, request.path[CHECKPOINT], where=where)


def delete_permission(request: Request, backend: Backend) -> Answer:
    return crud.delete_object(request, backend, PERMISSIONS, "permission_id", "checkpoint.permission", CHECKPOINT)


def _add_permission(request: Request, backend: Backend, project: str) -> dict[str, JSON]:
    permission: dict[str, JSON] = {"id": backend.new_id("cp_"), "object": "checkpoint.permission"}
    permission |= {"created_at": int(backend.now()), "project_id": project}
    backend.objects.put(PERMISSIONS, permission, request.path[CHECKPOINT])
    return permission


PERMISSIONS_PATH = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
PERMISSION_HANDLERS: Mapping[str, Handler] = {
    f"GET {PERMISSIONS_PATH}": list_permissions,
    f"POST {PERMISSIONS_PATH}": create_permissions,
    f"DELETE {PERMISSIONS_PATH}/{{permission_id}}": delete_permission,
}


def create_job(request: Request, backend: Backend) -> Answer:
    body = crud.get_body(request)
    require_file(backend, body["training_file"], "fine-tune", "training_file")
    if "validation_file" in body:
        require_file(backend, body["validation_file"], "fine-tune", "validation_file")
    if not model_exists(backend, body["model"]) and not backend.options.lenient:
        raise ApiError(404, f"The model '{body['model']}' does not exist.", param="model", code="model_not_found")
    job = _build_job(backend, body)
    backend.objects.put(JOBS, job)
    progress = {"id": job["id"], "suffix": body.get("suffix", ""), "paused": None}
    backend.objects.put(PROGRESS, progress)
    record_event(backend, job["id"], f"Created fine-tuning job: {job['id']}")
    record_event(backend, job["id"], f"Validating training file: {job['training_file']}")
    backend.scheduler.schedule(JOBS, job["id"], backend.now() + backend.options.pace)
    return Answer(job)


def cancel_job(request: Request, backend: Backend) -> Answer:
    job = _require_open(request, backend, "cancelled")
    job |= {"status": "cancelled", "finished_at": int(backend.now())}
    backend.objects.put(JOBS, job)
    record_event(backend, job["id"], "Fine-tuning job cancelled")
    backend.send_webhook("fine_tuning.job.cancelled", {"id": job["id"]})
    return Answer(job)


def pause_job(request: Request, backend: Backend) -> Answer:
    job = _require_open(request, backend, "paused")
    progress = backend.objects.get(PROGRESS, job["id"])
    if progress is not None and progress["paused"] is None:
        backend.objects.put(PROGRESS, {**progress, "paused": backend.now()})
        record_event(backend, job["id"], "Fine-tuning job paused")
    return Answer(job)


def resume_job(request: Request, backend: Backend) -> Answer:
    job = _require_open(request, backend, "resumed")
    progress = backend.objects.get(PROGRESS, job["id"])
    if progress is not None and progress["paused"] is not None:
        backend.objects.put(PROGRESS, {**progress, "paused": None})
        record_event(backend, job["id"], "Fine-tuning job resumed")
        backend.scheduler.schedule(JOBS, job["id"], backend.now() + backend.options.pace)
    elif not backend.options.lenient:
        raise crud.bad_request(f"Job '{job['id']}' is not paused.", code="invalid_job_state")
    return Answer(job)


def _require_open(request: Request, backend: Backend, to_be: str) -> dict[str, Any]:
    job = backend.require_object(JOBS, request.path["fine_tuning_job_id"])
    if job["status"] in ENDED and not backend.options.lenient:
        raise crud.bad_request(
            f"Job '{job['id']}' has status '{job['status']}' and cannot be {to_be}.", code="invalid_job_state"
        )
    return job


def _build_job(backend: Backend, body: Mapping[str, Any]) -> dict[str, Any]:
    method = _build_method(body)
    settings = members(members(method[method["type"]]).get("hyperparameters"))
    job: dict[str, JSON] = {"id": backend.new_id("ftjob-"), "object": "fine_tuning.job", "model": body["model"]}
    job |= {"created_at": int(backend.now()), "finished_at": None, "fine_tuned_model": None, "error": None}
    job |= {"organization_id": "org-sandbox", "result_files": [], "status": "validating_files"}
    job |= {"training_file": body["training_file"], "validation_file": body.get("validation_file")}
    job |= {"hyperparameters": {name: settings.get(name, value) for name, value in DEFAULT_HYPERPARAMETERS.items()}}
    job |= {"method": method, "seed": body.get("seed", backend.options.seed), "trained_tokens": None}
    job |= {"integrations": body.get("integrations", []), "metadata": body.get("metadata")}
    return {**job, "estimated_finish": None}


def _build_method(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the method with every `auto` resolved."""
    method: dict[str, Any] = body.get("method") or {"type": "supervised"}
    own = members(method.get(method["type"]))
    given = {**members(body.get("hyperparameters")), **members(own.get("hyperparameters"))}
    settled = {
        name: DEFAULT_HYPERPARAMETERS.get(name, value) if value == "auto" else value for name, value in given.items()
    }
    return {"type": method["type"], method["type"]: {**own, "hyperparameters": {**DEFAULT_HYPERPARAMETERS, **settled}}}


def _with_metadata(request: Request) -> crud.Condition:
    wanted: Mapping[str, JSON] = members(request.query.get("metadata"))
    return lambda job: all(members(job.get("metadata")).get(name) == value for name, value in wanted.items())


JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
HANDLERS: Mapping[str, Handler] = {
    **PERMISSION_HANDLERS,
    "GET /fine_tuning/jobs": crud.build_list_handler(JOBS, where=_with_metadata),
    "POST /fine_tuning/jobs": create_job,
    f"GET {JOB}": crud.build_retrieve_handler(JOBS, "fine_tuning_job_id"),
    f"POST {JOB}/cancel": cancel_job,
    f"POST {JOB}/pause": pause_job,
    f"POST {JOB}/resume": resume_job,
    f"GET {JOB}/events": crud.build_list_handler(EVENTS, (JOBS, "fine_tuning_job_id")),
    f"GET {JOB}/checkpoints": crud.build_list_handler(CHECKPOINTS, (JOBS, "fine_tuning_job_id")),
}
