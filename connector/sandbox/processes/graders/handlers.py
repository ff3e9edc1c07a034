"""Graders tried out by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.graders.grading import Grade, graded, names_of
from connector.sandbox.processes.kept import body_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

FAULTS = (
    "formula_parse_error", "invalid_variable_error", "model_grader_parse_error", "model_grader_refusal_error",
    "model_grader_server_error", "other_error", "python_grader_runtime_error", "python_grader_server_error",
    "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error",
)  # fmt: skip


async def run(call: Call, world: World) -> Answer:
    asked = body_of(call)
    grader = asked["grader"]
    grade = await graded(world, grader, names_of(asked.get("item", {}), asked["model_sample"]))
    metadata: dict[str, JSON] = {"name": grader["name"], "type": grader["type"], "errors": _errors(grade)}
    metadata |= {"execution_time": 0.01, "scores": dict(grade.parts), "sampled_model_name": grader.get("model")}
    metadata["token_usage"] = sum(grade.tokens.values()) if grade.tokens else None
    answer: dict[str, JSON] = {"reward": grade.score, "metadata": metadata, "sub_rewards": dict(grade.parts)}
    usage = {model: {"total_tokens": tokens} for model, tokens in grade.tokens.items()}
    return Answer({**answer, "model_grader_token_usage_per_model": usage})


def validate(call: Call, _world: World) -> Answer:
    return Answer({"grader": body_of(call)["grader"]})


def _errors(grade: Grade) -> dict[str, JSON]:
    errors: dict[str, JSON] = {fault: fault == grade.fault for fault in FAULTS}
    for fault, detail in (
        ("model_grader_server_error", "model_grader_server_error_details"),
        ("python_grader_runtime_error", "python_grader_runtime_error_details"),
        ("python_grader_server_error", "python_grader_server_error_type"),
    ):
        errors[detail] = grade.reason if grade.fault == fault else None
    return errors


HANDLERS: Mapping[str, Handler] = {
    "POST /fine_tuning/alpha/graders/run": run,
    "POST /fine_tuning/alpha/graders/validate": validate,
}
