"""How a fine-tuning job goes on: its files are checked, it waits, it trains, a model is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from connector.sandbox.call import Refused
from connector.sandbox.processes.files.stored import keep_file
from connector.sandbox.processes.models import TUNED
from connector.sandbox.processes.tuning.events import checkpoint, metrics, say
from connector.sandbox.processes.tuning.examples import BadFile, examples_in

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["JOBS", "KEPT", "move"]

JOBS = "fine-tuning jobs"
KEPT = "sandbox fine-tuning jobs"
"""Beside a job: whether it is paused, what is known of its files."""
STEPS_SHOWN = 10
Job = dict[str, Any]


async def move(world: World, entry: Entry) -> float | None:
    """One step of a job; when the next one is due. A paused job waits for its resumption."""
    job, kept = world.objects.get(JOBS, entry.id), world.objects.get(KEPT, entry.id)
    if job is None or kept is None or kept["paused"] is not None or job["status"] not in STEPS:
        return None
    goes_on = await STEPS[job["status"]](world, job, kept, int(entry.due))
    world.objects.put(JOBS, job)
    if goes_on:
        world.objects.put(KEPT, kept)
        return entry.due + world.options.pace
    world.tell(f"fine_tuning.job.{job['status']}", {"id": entry.id})
    return None


async def _validate(world: World, job: Job, kept: Job, now: int) -> bool:
    for name in ("training_file", "validation_file"):
        if job[name] is None:
            continue
        try:
            examples = examples_in(world.content(job[name]), job["method"]["type"])
        except (BadFile, Refused) as reason:
            message = reason.message if isinstance(reason, Refused) else str(reason)
            job["error"] = {"code": f"invalid_{name}", "message": message, "param": name}
            job |= {"status": "failed", "finished_at": now}
            say(world, job["id"], message, level="error")
            return False
        if name == "training_file":
            kept |= {"count": examples.number, "tokens": examples.tokens}
    say(world, job["id"], "Files validated, moving job to queued state")
    job["status"] = "queued"
    return True


async def _begin(world: World, job: Job, _kept: Job, now: int) -> bool:
    job |= {"status": "running", "estimated_finish": int(now + world.options.pace)}
    say(world, job["id"], "Fine-tuning job started")
    return True


async def _train(world: World, job: Job, kept: Job, now: int) -> bool:
    epochs, size = job["hyperparameters"]["n_epochs"], job["hyperparameters"]["batch_size"]
    steps = max(epochs * kept["count"] // size, epochs)
    validated = job["validation_file"] is not None
    for step in sorted({steps * part // STEPS_SHOWN or 1 for part in range(1, STEPS_SHOWN + 1)}):
        figures = metrics(step, steps, validated=validated)
        message = f"Step {step}/{steps}: training loss={figures['train_loss']}"
        say(world, job["id"], message, data={**figures, "total_steps": steps})
    model = _name(job, kept)
    for epoch in range(max(1, epochs - 2), epochs + 1):
        step, last = steps * epoch // epochs, epoch == epochs
        name = model if last else f"{model}:ckpt-step-{step}"
        checkpoint(world, job["id"], name, metrics(step, steps, validated=validated))
        _appear(world, name)
    table = [f"{step},{metrics(step, steps, validated=False)['train_loss']}" for step in range(1, min(steps, 1000) + 1)]
    results = keep_file(world, "step_metrics.csv", "fine-tune-results", "\n".join(["step,train_loss", *table]).encode())
    job |= {"status": "succeeded", "finished_at": now, "fine_tuned_model": model, "estimated_finish": None}
    job |= {"result_files": [results["id"]], "trained_tokens": kept["tokens"] * epochs}
    say(world, job["id"], f"New fine-tuned model created: {model}")
    say(world, job["id"], "The job has successfully completed")
    return False


STEPS: Mapping[str, Callable[[World, Job, Job, int], Awaitable[bool]]] = {
    "validating_files": _validate,
    "queued": _begin,
    "running": _train,
}


def _name(job: Job, kept: Job) -> str:
    base = str(job["model"]).split(":")[1] if str(job["model"]).startswith("ft:") else job["model"]
    return f"ft:{base}:sandbox:{kept['suffix']}:{job['id'][-8:]}"


def _appear(world: World, model: str) -> None:
    row = {"id": model, "object": "model", "created": int(world.now()), "owned_by": "org-sandbox"}
    world.objects.put(TUNED, row)
