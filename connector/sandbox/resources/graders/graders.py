"""Graders: the score of a sample, by the rule of the grader or the formula of several."""

from __future__ import annotations

import ast
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import get_body
from connector.sandbox.resources.graders.prompts import UnknownVariable, ask_model, fill_messages, fill_template
from connector.sandbox.resources.graders.similarity import measure_similarity

__all__ = ["HANDLERS", "Grade", "InvalidFormula", "build_variables", "evaluate_formula", "grade_sample"]

LONGEST_FORMULA = 1000
BINARY_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}
UNARY_OPERATORS: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.USub: lambda value: -value,
    ast.UAdd: lambda value: value,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil, "exp": math.exp, "sqrt": math.sqrt,
    "log": math.log,
}  # fmt: skip


class InvalidFormula(Exception):
    """A formula that is not arithmetic over the known names."""


def evaluate_formula(formula: str, scores: Mapping[str, float]) -> float:
    """Return the value of a formula; raise InvalidFormula where it has none."""
    if len(formula) > LONGEST_FORMULA:
        raise InvalidFormula(f"the formula is longer than {LONGEST_FORMULA} characters")
    try:
        value = float(_evaluate(ast.parse(formula.strip(), mode="eval").body, scores))
    except (SyntaxError, ValueError, ArithmeticError, TypeError, RecursionError) as error:
        raise InvalidFormula(f"the formula has no value: {error}") from None
    if not math.isfinite(value):
        raise InvalidFormula("the formula's value is not a finite number")
    return value


def _evaluate(node: ast.expr, scores: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name) if name in scores:
            return scores[name]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY_OPERATORS:
            return BINARY_OPERATORS[type(sign)](_evaluate(left, scores), _evaluate(right, scores))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in UNARY_OPERATORS:
            return UNARY_OPERATORS[type(sign)](_evaluate(operand, scores))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_evaluate(one, scores) for one in given))
        case _:
            known = ", ".join(FUNCTIONS)
            raise InvalidFormula(f"'{ast.unparse(node)}' is neither a grader's name, a number, + - * / nor {known}")


Grader = Mapping[str, Any]
Variables = Mapping[str, JSON]
FAULTS = (
    "formula_parse_error", "invalid_variable_error", "model_grader_parse_error", "model_grader_refusal_error",
    "model_grader_server_error", "other_error", "python_grader_runtime_error", "python_grader_server_error",
    "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error",
)  # fmt: skip


class Grade(NamedTuple):
    """A score, whether it passes, and what went wrong."""

    score: float
    passed: bool
    fault: str = ""
    reason: str = ""
    parts: Mapping[str, float] = {}
    tokens: Mapping[str, int] = {}


def build_variables(item: JSON, text: str) -> dict[str, JSON]:
    """Return the variables of a grader's templates: the item, and the sample as text and as JSON."""
    try:
        document = parse(text)
    except InvalidDocument:
        document = None
    return {"item": item, "sample": {"output_text": text, "output_json": document}}


async def grade_sample(backend: Backend, grader: Grader, variables: Variables) -> Grade:
    """Return the grade of one sample; a grader that fails gives 0 and a reason."""
    try:
        return await GRADERS[grader["type"]](backend, grader, variables)
    except UnknownVariable as reason:
        return Grade(0.0, passed=False, fault="invalid_variable_error", reason=str(reason))
    except InvalidFormula as reason:
        return Grade(0.0, passed=False, fault="formula_parse_error", reason=str(reason))


async def _string_check(_backend: Backend, grader: Grader, variables: Variables) -> Grade:
    given, reference = fill_template(grader["input"], variables), fill_template(grader["reference"], variables)
    passed = CHECKS[grader["operation"]](given, reference)
    return Grade(float(passed), passed)


async def _text_similarity(_backend: Backend, grader: Grader, variables: Variables) -> Grade:
    given, reference = fill_template(grader["input"], variables), fill_template(grader["reference"], variables)
    score = round(measure_similarity(grader["evaluation_metric"], given, reference), 6)
    return Grade(score, score >= grader.get("pass_threshold", 0.5))


async def _python(_backend: Backend, _grader: Grader, _variables: Variables) -> Grade:
    reason = "the sandbox runs nobody's code; use another grader to try an eval offline"
    return Grade(0.0, passed=False, fault="python_grader_server_error", reason=reason)


async def _label_model(backend: Backend, grader: Grader, variables: Variables) -> Grade:
    label, grade = await _ask_judge(
        backend, grader, variables, {"label": {"type": "string", "enum": list(grader["labels"])}}
    )
    passed = label in grader["passing_labels"]
    return grade if grade.fault else grade._replace(score=float(passed), passed=passed)


async def _score_model(backend: Backend, grader: Grader, variables: Variables) -> Grade:
    low, high = grader.get("range") or (0, 1)
    result, grade = await _ask_judge(
        backend, grader, variables, {"result": {"type": "number", "minimum": low, "maximum": high}}
    )
    enough = grader.get("pass_threshold", (low + high) / 2)
    return grade if grade.fault else grade._replace(score=float(result), passed=result >= enough)


async def _multi(backend: Backend, grader: Grader, variables: Variables) -> Grade:
    several: Grader = grader["graders"]
    if "type" in several:
        several = {several["name"]: several}
    grades = {name: await grade_sample(backend, one, variables) for name, one in several.items()}
    parts = {name: grade.score for name, grade in grades.items()}
    bad = next((grade for grade in grades.values() if grade.fault), None)
    score = 0.0 if bad else round(evaluate_formula(grader["calculate_output"], parts), 6)
    tokens = {model: used for grade in grades.values() for model, used in grade.tokens.items()}
    passed = bad is None and score >= grader.get("pass_threshold", 0.5)
    return Grade(score, passed, bad.fault if bad else "", bad.reason if bad else "", parts, tokens)


async def _ask_judge(
    backend: Backend, grader: Grader, variables: Variables, properties: Mapping[str, JSON]
) -> tuple[JSON, Grade]:
    """Return what a model says of the sample in an object with one property."""
    [name] = properties
    schema = {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    answer = await ask_model(
        backend, grader["model"], fill_messages(grader["input"], variables), {"response_format": wanted}
    )
    if answer.error:
        return None, Grade(0.0, passed=False, fault="model_grader_server_error", reason=answer.error)
    tokens = {grader["model"]: answer.usage.get("total_tokens", 0)}
    try:
        verdict = members(parse(answer.text)).get(name)
    except InvalidDocument:
        verdict = None
    if verdict is None:
        reason = f"the model said {answer.text[:100]!r}, which is no verdict"
        return None, Grade(0.0, passed=False, fault="model_grader_parse_error", reason=reason, tokens=tokens)
    return verdict, Grade(0.0, passed=False, tokens=tokens)


CHECKS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda given, reference: given == reference,
    "ne": lambda given, reference: given != reference,
    "like": lambda given, reference: reference in given,
    "ilike": lambda given, reference: reference.casefold() in given.casefold(),
}
GRADERS: Mapping[str, Callable[[Backend, Grader, Variables], Awaitable[Grade]]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "python": _python,
    "label_model": _label_model,
    "score_model": _score_model,
    "multi": _multi,
}


async def run_grader(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    grader = body["grader"]
    grade = await grade_sample(backend, grader, build_variables(body.get("item", {}), body["model_sample"]))
    metadata: dict[str, JSON] = {"name": grader["name"], "type": grader["type"], "errors": _describe_errors(grade)}
    metadata |= {"execution_time": 0.01, "scores": dict(grade.parts), "sampled_model_name": grader.get("model")}
    metadata["token_usage"] = sum(grade.tokens.values()) if grade.tokens else None
    answer: dict[str, JSON] = {"reward": grade.score, "metadata": metadata, "sub_rewards": dict(grade.parts)}
    usage = {model: {"total_tokens": tokens} for model, tokens in grade.tokens.items()}
    return Answer({**answer, "model_grader_token_usage_per_model": usage})


def validate_grader(request: Request, _backend: Backend) -> Answer:
    return Answer({"grader": get_body(request)["grader"]})


def _describe_errors(grade: Grade) -> dict[str, JSON]:
    errors: dict[str, JSON] = {fault: fault == grade.fault for fault in FAULTS}
    for fault, detail in (
        ("model_grader_server_error", "model_grader_server_error_details"),
        ("python_grader_runtime_error", "python_grader_runtime_error_details"),
        ("python_grader_server_error", "python_grader_server_error_type"),
    ):
        errors[detail] = grade.reason if grade.fault == fault else None
    return errors


HANDLERS: Mapping[str, Handler] = {
    "POST /fine_tuning/alpha/graders/run": run_grader,
    "POST /fine_tuning/alpha/graders/validate": validate_grader,
}
