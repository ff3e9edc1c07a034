"""The training of a job: its file checked, then from state to state, with events and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_list, is_object, items
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError
from connector.sandbox.resources.files.storage import save_file
from connector.sandbox.resources.models import TUNED
from connector.sandbox.timers import Timer

__all__ = [
    "CHECKPOINTS",
    "EVENTS",
    "JOBS",
    "PROGRESS",
    "InvalidTrainingFile",
    "advance_job",
    "read_examples",
    "record_event",
]

FEWEST_EXAMPLES = 10
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MOST_SHOWN = 5
"""Faults in a message."""


class InvalidTrainingFile(Exception):
    """A training file that cannot be used."""


class Examples(NamedTuple):
    """The number of examples and tokens in a training file."""

    number: int
    tokens: int


def read_examples(data: bytes, method: str) -> Examples:
    """Return the size of a training file; raise InvalidTrainingFile with what is wrong with it."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    faults = [f"line {number}: {fault}" for number, line in enumerate(lines, 1) if (fault := _check_line(line, method))]
    if faults:
        more = f" and {len(faults) - MOST_SHOWN} more" if len(faults) > MOST_SHOWN else ""
        raise InvalidTrainingFile(f"The training file has invalid examples: {'; '.join(faults[:MOST_SHOWN])}{more}")
    if len(lines) < FEWEST_EXAMPLES:
        message = f"training file has {len(lines)} example(s), but must have at least {FEWEST_EXAMPLES} examples"
        raise InvalidTrainingFile(f"Invalid file format. {message}")
    return Examples(len(lines), sum(len(line) for line in lines) // 4)


def _check_line(line: bytes, method: str) -> str:
    try:
        example = parse(line)
    except InvalidDocument:
        return "not valid JSON"
    if not is_object(example):
        return "not a JSON object"
    return CHECKS[method](example)


def _check_supervised(example: Mapping[str, JSON]) -> str:
    if "prompt" in example and isinstance(example.get("completion"), str):
        return ""
    fault = _check_messages(example.get("messages"), "messages")
    last = items(example.get("messages"))[-1:]
    return fault or ("" if last[0].get("role") == "assistant" else "the last message is not from the assistant")


def _check_preference(example: Mapping[str, JSON]) -> str:
    given = example.get("input")
    faults = [_check_messages(given.get("messages"), "input.messages") if is_object(given) else "'input' is missing"]
    faults += [_check_messages(example.get(name), name) for name in ("preferred_output", "non_preferred_output")]
    return next(filter(None, faults), "")


def _check_reinforcement(example: Mapping[str, JSON]) -> str:
    fault = _check_messages(example.get("messages"), "messages")
    last = items(example.get("messages"))[-1:]
    return fault or ("" if last[0].get("role") == "user" else "the last message is not from the user")


CHECKS: Mapping[str, Callable[[Mapping[str, JSON]], str]] = {
    "supervised": _check_supervised,
    "dpo": _check_preference,
    "reinforcement": _check_reinforcement,
}


def _check_messages(messages: JSON, name: str) -> str:
    if not is_list(messages) or not messages:
        return f"'{name}' is missing or empty"
    for message in messages:
        if not is_object(message) or message.get("role") not in ROLES:
            return f"a message in '{name}' has no role out of {', '.join(ROLES)}"
        if message.get("content") is None and not message.get("tool_calls") and not message.get("function_call"):
            return f"a message in '{name}' has neither content nor tool calls"
    return ""


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
