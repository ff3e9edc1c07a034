"""pydantic's errors, translated: the place of a value, what was found, what is allowed, what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union, cast, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from connector.config.findings import Path, path_text
from connector.model import JSON, Fault, is_list, is_object
from connector.request.display import describe_value, join_names
from connector.suggestions import closest, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["ModelError", "translate_errors", "written_name"]

TYPES = {
    "int": "an integer", "float": "a number", "bool": "true or false", "string": "text", "dict": "an object",
    "model": "an object", "list": "a list", "tuple": "a list", "finite": "a finite number",
}  # fmt: skip
LIMITS = {
    "greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"), "less_than": ("lt", "less than"),
    "string_too_short": ("min_length", "at least"), "string_too_long": ("max_length", "at most"),
}  # fmt: skip
NO_VALUE = "found a text that is not shown"
Model = type[BaseModel]


def _open(_: Path) -> bool:
    return False


class ModelError(NamedTuple):
    """A refused value: the rule, the path and the fault."""

    rule: str
    path: Path
    fault: Fault


def translate_errors(
    error: ValidationError, model: Model, document: JSON, base: Path = (), *, hide: Callable[[Path], bool] = _open
) -> Iterator[ModelError]:
    """Yield every refusal of a document; the value of a secret is never shown.

    Args:
        error: the exception of the model.
        model: the model.
        document: the refused document.
        base: the path of the document.
        hide: whether the value at a path is not shown either.
    """
    for refusal in error.errors(include_url=False):
        if refusal["type"] == "too_short" and refusal["input"]:
            continue  # its items are wrong, and each says so itself
        path = (*base, *_as_written(refusal, document))
        hidden = hide(path) or _is_secret(model, refusal["loc"])
        yield ModelError(_rule(refusal), path, _fault(refusal, model, path_text(path), hidden=hidden))


def written_name(model: Model, name: str) -> str:
    """Return a field's name as people write it."""
    field = model.model_fields[name]
    alias = field.validation_alias if field.validation_alias is not None else field.alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return alias if isinstance(alias, str) and alias != to_camel(name) else name


def _rule(refusal: ErrorDetails) -> str:
    return {"extra_forbidden": "unknown-key", "missing": "missing-key"}.get(refusal["type"], "wrong-value")


def _as_written(refusal: ErrorDetails, document: JSON) -> Iterator[int | str]:
    """Yield a refusal's path in the document: names as they are spelt there, without those of union branches."""
    *parents, last = refusal["loc"] or ("",)
    for step in (*parents, last):
        name = str(step).removeprefix("raw_")
        spellings = (step, name, to_camel(name), "validate" if step == "validation" else step)
        if is_object(document):
            found = next((spelling for spelling in spellings if spelling in document), None)
            if found is not None:
                document = document[str(found)]
                yield found
            elif step is last and refusal["type"] == "missing":
                yield name
        elif is_list(document) and isinstance(step, int) and step < len(document):
            document = document[step]
            yield step


def _fault(refusal: ErrorDetails, model: Model, where: str, *, hidden: bool) -> Fault:
    reason, context = refusal["type"], refusal.get("ctx", {})
    if reason == "extra_forbidden":
        names = _names_at(model, refusal["loc"][:-1])
        allowed = f"known here: {join_names(names)}" if names else "no keys are known here"
        return Fault(where, "unknown key", allowed, did_you_mean(closest(str(refusal["loc"][-1]), names)))
    if reason == "missing":
        return Fault(where, "missing", "it is needed")
    found = (
        NO_VALUE if hidden and isinstance(refusal["input"], str) else f"found {describe_value(refusal['input'], where)}"
    )
    if reason == "value_error":
        said = str(context.get("error", refusal["msg"]))
        first, separator, rest = said.partition("; ")
        return Fault(where, first, rest) if separator else Fault(where, found, said)
    return Fault(where, found, _describe_allowed(refusal, context), "" if hidden else _meant(refusal, context))


def _describe_allowed(refusal: ErrorDetails, context: Mapping[str, JSON]) -> str:
    reason = refusal["type"]
    if reason in LIMITS:
        name, words = LIMITS[reason]
        return f"{words} {context[name]} is allowed"
    if reason == "too_short":
        return "at least one is needed"
    if reason == "literal_error":
        return f"allowed: {context['expected']}".replace(" or ", ", ")
    wanted = TYPES.get(reason.split("_")[0])
    message = refusal["msg"]
    return f"{wanted} is allowed" if wanted else f"{message[:1].lower()}{message[1:]}"


def _meant(refusal: ErrorDetails, context: Mapping[str, JSON]) -> str:
    if refusal["type"] != "literal_error" or not isinstance(refusal["input"], str):
        return ""
    choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    return did_you_mean(closest(refusal["input"], choices))


def _names_at(model: Model, loc: Sequence[int | str]) -> list[str]:
    """Return the keys of the object at a path."""
    models = [kind for kind in _kinds_at(model, loc)[-1] if _is_model(kind)]
    return list(dict.fromkeys(written_name(kind, name) for kind in models for name in kind.model_fields))


def _is_secret(model: Model, loc: Sequence[int | str]) -> bool:
    """Return whether a path leads to a secret, or through one."""
    return any(kind is SecretStr for kinds in _kinds_at(model, loc) for kind in kinds)


def _kinds_at(model: Model, loc: Sequence[int | str]) -> list[list[Any]]:
    """Return the types of a value at each step of a path; the name of a union branch adds no step."""
    trail: list[list[Any]] = [[model]]
    for step in loc:
        inner = [part for kind in trail[-1] for found in _inside(kind, step) for part in _alternatives(found)]
        trail.append(inner or trail[-1])
    return trail


def _inside(kind: Any, step: int | str) -> Iterator[Any]:
    if _is_model(kind):
        fields = cast("Model", kind).model_fields
        if step in fields:
            yield fields[str(step)].annotation
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) in (list, tuple) and isinstance(step, int):
        yield get_args(kind)[0]


def _alternatives(kind: Any) -> list[Any]:
    """Return the types behind annotations and unions."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [part for option in get_args(kind) for part in _alternatives(option)]
    return [kind]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
