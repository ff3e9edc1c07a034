"""The training of a job from state to state, with its events and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError
from connector.sandbox.resources.files.storage import save_file
from connector.sandbox.resources.fine_tuning.training_file import InvalidTrainingFile, read_examples
from connector.sandbox.resources.models import TUNED
from connector.sandbox.timers import Timer

__all__ = ["CHECKPOINTS", "EVENTS", "JOBS", "PROGRESS", "advance_job", "record_event"]

EVENTS = "fine-tuning job events"
CHECKPOINTS = "fine-tuning job checkpoints"
JOBS = "fine-tuning jobs"
PROGRESS = "sandbox fine-tuning jobs"
"""Not shown by the API: whether a job is paused, and the size of its files."""
MOST_STEP_EVENTS = 10
Job = dict[str, Any]


def record_event(
    backend: Backend, job_id: str, message: str, *, level: str = "info", data: Mapping[str, JSON] | None = None
) -> None:
    """Record an event: a message, or the metrics of a step."""
    event: dict[str, JSON] = {"id": backend.new_id("ftevent-"), "object": "fine_tuning.job.event", "level": level}
    event |= {"created_at": int(backend.now()), "message": message, "data": dict(data or {})}
    backend.objects.put(EVENTS, {**event, "type": "metrics" if data else "message"}, job_id)


def compute_metrics(step: int, steps: int, *, validated: bool) -> dict[str, JSON]:
    """Return the metrics of a step: the loss falls, the accuracy rises."""
    done = step / steps
    figures: dict[str, JSON] = {"step": step, "train_loss": round(2.0 * math.exp(-3 * done), 4)}
    figures["train_mean_token_accuracy"] = round(1 - 0.6 * math.exp(-3 * done), 4)
    if validated:
        figures |= {"valid_loss": round(2.2 * math.exp(-2.7 * done), 4)}
        figures |= {"valid_mean_token_accuracy": round(1 - 0.65 * math.exp(-2.7 * done), 4)}
        figures |= {"full_valid_loss": figures["valid_loss"]}
        figures |= {"full_valid_mean_token_accuracy": figures["valid_mean_token_accuracy"]}
    return figures


def save_checkpoint(backend: Backend, job_id: str, model: str, figures: Mapping[str, JSON]) -> None:
    """Save the model of an epoch."""
    row: dict[str, JSON] = {"id": backend.new_id("ftckpt_"), "object": "fine_tuning.job.checkpoint"}
    row |= {"created_at": int(backend.now()), "fine_tuning_job_id": job_id, "fine_tuned_model_checkpoint": model}
    row |= {"metrics": dict(figures), "step_number": figures["step"]}
    backend.objects.put(CHECKPOINTS, row, job_id)


async def advance_job(backend: Backend, timer: Timer) -> float | None:
    """Advance a job to its next state; a paused job waits until it is resumed."""
    job, progress = backend.objects.get(JOBS, timer.id), backend.objects.get(PROGRESS, timer.id)
    if job is None or progress is None or progress["paused"] is not None or job["status"] not in TRANSITIONS:
        return None
    goes_on = await TRANSITIONS[job["status"]](backend, job, progress, int(timer.due))
    backend.objects.put(JOBS, job)
    if goes_on:
        backend.objects.put(PROGRESS, progress)
        return timer.due + backend.options.pace
    backend.send_webhook(f"fine_tuning.job.{job['status']}", {"id": timer.id})
    return None


async def _validate(backend: Backend, job: Job, progress: Job, now: int) -> bool:
    for name in ("training_file", "validation_file"):
        if job[name] is None:
            continue
        try:
            examples = read_examples(backend.read_content(job[name]), job["method"]["type"])
        except (InvalidTrainingFile, ApiError) as reason:
            message = reason.message if isinstance(reason, ApiError) else str(reason)
            job["error"] = {"code": f"invalid_{name}", "message": message, "param": name}
            job |= {"status": "failed", "finished_at": now}
            record_event(backend, job["id"], message, level="error")
            return False
        if name == "training_file":
            progress |= {"count": examples.number, "tokens": examples.tokens}
    record_event(backend, job["id"], "Files validated, moving job to queued state")
    job["status"] = "queued"
    return True


async def _start(backend: Backend, job: Job, _progress: Job, now: int) -> bool:
    job |= {"status": "running", "estimated_finish": int(now + backend.options.pace)}
    record_event(backend, job["id"], "Fine-tuning job started")
    return True


async def _train(backend: Backend, job: Job, progress: Job, now: int) -> bool:
    epochs, size = job["hyperparameters"]["n_epochs"], job["hyperparameters"]["batch_size"]
    steps = max(epochs * progress["count"] // size, epochs)
    validated = job["validation_file"] is not None
    for step in sorted({steps * part // MOST_STEP_EVENTS or 1 for part in range(1, MOST_STEP_EVENTS + 1)}):
        figures = compute_metrics(step, steps, validated=validated)
        message = f"Step {step}/{steps}: training loss={figures['train_loss']}"
        record_event(backend, job["id"], message, data={**figures, "total_steps": steps})
    model = _model_name(job, progress)
    for epoch in range(max(1, epochs - 2), epochs + 1):
        step, last = steps * epoch // epochs, epoch == epochs
        name = model if last else f"{model}:ckpt-step-{step}"
        save_checkpoint(backend, job["id"], name, compute_metrics(step, steps, validated=validated))
        _save_model(backend, name)
    table = [
        f"{step},{compute_metrics(step, steps, validated=False)['train_loss']}"
        for step in range(1, min(steps, 1000) + 1)
    ]
    results = save_file(
        backend, "step_metrics.csv", "fine-tune-results", "\n".join(["step,train_loss", *table]).encode()
    )
    job |= {"status": "succeeded", "finished_at": now, "fine_tuned_model": model, "estimated_finish": None}
    job |= {"result_files": [results["id"]], "trained_tokens": progress["tokens"] * epochs}
    record_event(backend, job["id"], f"New fine-tuned model created: {model}")
    record_event(backend, job["id"], "The job has successfully completed")
    return False


TRANSITIONS: Mapping[str, Callable[[Backend, Job, Job, int], Awaitable[bool]]] = {
    "validating_files": _validate,
    "queued": _start,
    "running": _train,
}


def _model_name(job: Job, progress: Job) -> str:
    base = str(job["model"]).split(":")[1] if str(job["model"]).startswith("ft:") else job["model"]
    return f"ft:{base}:sandbox:{progress['suffix']}:{job['id'][-8:]}"


def _save_model(backend: Backend, model: str) -> None:
    row = {"id": model, "object": "model", "created": int(backend.now()), "owned_by": "org-sandbox"}
    backend.objects.put(TUNED, row)
