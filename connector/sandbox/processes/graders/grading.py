"""What a sample is worth, by a grader's own rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.sandbox.processes.graders.asking import ask
from connector.sandbox.processes.graders.formula import BadFormula, computed
from connector.sandbox.processes.graders.similarity import similarity
from connector.sandbox.processes.graders.templates import Unknown, filled, messages_of
from connector.shapes import members

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["Grade", "graded", "names_of"]

Grader = Mapping[str, Any]
Names = Mapping[str, JSON]


class Grade(NamedTuple):
    """A score, whether it is enough, and what went wrong where something did."""

    score: float
    passed: bool
    fault: str = ""
    reason: str = ""
    parts: Mapping[str, float] = {}
    tokens: Mapping[str, int] = {}


def names_of(item: JSON, text: str) -> dict[str, JSON]:
    """What a grader's templates can name: the item, and the sample as text and as JSON where it is some."""
    try:
        document = parse(text)
    except InvalidDocument:
        document = None
    return {"item": item, "sample": {"output_text": text, "output_json": document}}


async def graded(world: World, grader: Grader, names: Names) -> Grade:
    """The grade of one sample; a grader that cannot work gives 0 and says why."""
    try:
        return await GRADERS[grader["type"]](world, grader, names)
    except Unknown as reason:
        return Grade(0.0, passed=False, fault="invalid_variable_error", reason=str(reason))
    except BadFormula as reason:
        return Grade(0.0, passed=False, fault="formula_parse_error", reason=str(reason))


async def _string_check(_world: World, grader: Grader, names: Names) -> Grade:
    given, reference = filled(grader["input"], names), filled(grader["reference"], names)
    passed = CHECKS[grader["operation"]](given, reference)
    return Grade(float(passed), passed)


async def _text_similarity(_world: World, grader: Grader, names: Names) -> Grade:
    given, reference = filled(grader["input"], names), filled(grader["reference"], names)
    score = round(similarity(grader["evaluation_metric"], given, reference), 6)
    return Grade(score, score >= grader.get("pass_threshold", 0.5))


async def _python(_world: World, _grader: Grader, _names: Names) -> Grade:
    reason = "the sandbox runs nobody's code; use another grader to try an eval offline"
    return Grade(0.0, passed=False, fault="python_grader_server_error", reason=reason)


async def _label_model(world: World, grader: Grader, names: Names) -> Grade:
    label, grade = await _judged(world, grader, names, {"label": {"type": "string", "enum": list(grader["labels"])}})
    passed = label in grader["passing_labels"]
    return grade if grade.fault else grade._replace(score=float(passed), passed=passed)


async def _score_model(world: World, grader: Grader, names: Names) -> Grade:
    low, high = grader.get("range") or (0, 1)
    result, grade = await _judged(world, grader, names, {"result": {"type": "number", "minimum": low, "maximum": high}})
    enough = grader.get("pass_threshold", (low + high) / 2)
    return grade if grade.fault else grade._replace(score=float(result), passed=result >= enough)


async def _multi(world: World, grader: Grader, names: Names) -> Grade:
    several: Grader = grader["graders"]
    if "type" in several:
        several = {several["name"]: several}
    grades = {name: await graded(world, one, names) for name, one in several.items()}
    parts = {name: grade.score for name, grade in grades.items()}
    bad = next((grade for grade in grades.values() if grade.fault), None)
    score = 0.0 if bad else round(computed(grader["calculate_output"], parts), 6)
    tokens = {model: used for grade in grades.values() for model, used in grade.tokens.items()}
    passed = bad is None and score >= grader.get("pass_threshold", 0.5)
    return Grade(score, passed, bad.fault if bad else "", bad.reason if bad else "", parts, tokens)


async def _judged(world: World, grader: Grader, names: Names, properties: Mapping[str, JSON]) -> tuple[JSON, Grade]:
    """What a model says of the sample, in an object with one property."""
    [name] = properties
    schema = {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    said = await ask(world, grader["model"], messages_of(grader["input"], names), {"response_format": wanted})
    if said.error:
        return None, Grade(0.0, passed=False, fault="model_grader_server_error", reason=said.error)
    tokens = {grader["model"]: said.usage.get("total_tokens", 0)}
    try:
        verdict = members(parse(said.text)).get(name)
    except InvalidDocument:
        verdict = None
    if verdict is None:
        reason = f"the model said {said.text[:100]!r}, which is no verdict"
        return None, Grade(0.0, passed=False, fault="model_grader_parse_error", reason=reason, tokens=tokens)
    return verdict, Grade(0.0, passed=False, tokens=tokens)


CHECKS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda given, reference: given == reference,
    "ne": lambda given, reference: given != reference,
    "like": lambda given, reference: reference in given,
    "ilike": lambda given, reference: reference.casefold() in given.casefold(),
}
GRADERS: Mapping[str, Callable[[World, Grader, Names], Awaitable[Grade]]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "python": _python,
    "label_model": _label_model,
    "score_model": _score_model,
    "multi": _multi,
}
