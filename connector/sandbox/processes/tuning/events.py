"""What a fine-tuning job tells while it runs: events and checkpoints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from connector.model import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import World

__all__ = ["CHECKPOINTS", "EVENTS", "checkpoint", "metrics", "say"]

EVENTS = "fine-tuning job events"
CHECKPOINTS = "fine-tuning job checkpoints"


def say(
    world: World, job_id: str, message: str, *, level: str = "info", data: Mapping[str, JSON] | None = None
) -> None:
    """An event: a message, or the figures of a step."""
    event: dict[str, JSON] = {"id": world.new_id("ftevent-"), "object": "fine_tuning.job.event", "level": level}
    event |= {"created_at": int(world.now()), "message": message, "data": dict(data or {})}
    world.objects.put(EVENTS, {**event, "type": "metrics" if data else "message"}, job_id)


def metrics(step: int, steps: int, *, validated: bool) -> dict[str, JSON]:
    """Figures of a step, as good training shows them: the loss falls, the accuracy rises."""
    done = step / steps
    figures: dict[str, JSON] = {"step": step, "train_loss": round(2.0 * math.exp(-3 * done), 4)}
    figures["train_mean_token_accuracy"] = round(1 - 0.6 * math.exp(-3 * done), 4)
    if validated:
        figures |= {"valid_loss": round(2.2 * math.exp(-2.7 * done), 4)}
        figures |= {"valid_mean_token_accuracy": round(1 - 0.65 * math.exp(-2.7 * done), 4)}
        figures |= {"full_valid_loss": figures["valid_loss"]}
        figures |= {"full_valid_mean_token_accuracy": figures["valid_mean_token_accuracy"]}
    return figures


def checkpoint(world: World, job_id: str, model: str, figures: Mapping[str, JSON]) -> None:
    """A model as it was after one of the epochs."""
    row: dict[str, JSON] = {"id": world.new_id("ftckpt_"), "object": "fine_tuning.job.checkpoint"}
    row |= {"created_at": int(world.now()), "fine_tuning_job_id": job_id, "fine_tuned_model_checkpoint": model}
    row |= {"metrics": dict(figures), "step_number": figures["step"]}
    world.objects.put(CHECKPOINTS, row, job_id)
