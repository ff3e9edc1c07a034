"""A prototype's parameters as a table, made from its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from connector.http.configuration import environment_of
from connector.http.parameters import Common
from connector.http.prototypes import Prototype, prototypes
from connector.model import JSON

__all__ = ["describe"]


NAMES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def describe(prototype: str | Prototype) -> list[dict[str, JSON]]:
    """One row a parameter: name, type, default, environment, secret, description; those of its own come first."""
    kind = prototypes().find(prototype) if isinstance(prototype, str) else prototype
    own = [name for name in kind.parameters.model_fields if name not in Common.model_fields]
    order = [*own, *Common.model_fields]
    return [row for name in order for row in _rows(kind.parameters, name)]


def _rows(model: type[Common], name: str) -> Iterator[dict[str, JSON]]:
    field = model.model_fields[name]
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for inner, inner_field in kind.model_fields.items():
            yield _row(f"{name}.{inner}", inner_field, "")
    else:
        yield _row("validate" if name == "validation" else name, field, environment_of(model, name)[0])
        item = get_args(kind)[0] if get_origin(kind) is tuple else None
        if isinstance(item, type) and issubclass(item, BaseModel):
            for inner, inner_field in item.model_fields.items():
                yield _row(f"{name}[].{inner}", inner_field, "")


def _row(name: str, field: FieldInfo, variable: str) -> dict[str, JSON]:
    shown = _type(field.annotation)
    return {
        "name": name,
        "type": shown,
        "default": _default(field),
        "required": field.is_required(),
        "environment": variable or None,
        "secret": "secret" in shown,
        "description": field.description,
    }


def _default(field: FieldInfo) -> JSON:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    # mypy holds the cast for redundant, pyright needs it.
    return list(cast("tuple[JSON, ...]", value)) if isinstance(value, tuple) else value  # type: ignore[redundant-cast]


def _type(kind: Any) -> str:
    """A type in a reader's words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " | ".join(inner)
    if origin in (Union, UnionType):
        return " | ".join(_type(part) for part in inner if part is not type(None))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"object of {_type(inner[1])}"
    if kind is SecretStr:
        return "secret string"
    if issubclass(kind, StrEnum):
        return " | ".join(kind)
    return NAMES.get(kind) or str(kind.__name__).lower()
