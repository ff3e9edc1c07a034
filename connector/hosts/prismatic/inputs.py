"""An action's inputs: what the designer shows of each field of an operation, and where its value goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from connector.catalogue.flat_schema import FlatSchema, flatten
from connector.documents import dump
from connector.hosts.models import default_model, living_models
from connector.model import JSON, is_document

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.model_registry import ModelRegistry

__all__ = ["Field", "FieldReader"]

LONG = frozenset({"content", "input", "instructions", "prompt", "query", "text"})
"""Names of texts that take more than a line."""
LEFT_OUT = frozenset({"stream", "stream_options", "stream_format"})
"""Fields that have no meaning for a step, which is answered once and whole."""
BOUNDS = {"minimum": "at least", "maximum": "at most"}
SAFE = 2**53


@dataclass(frozen=True, slots=True)
class Field:
    """One input.

    Attributes:
        section: the part of the request that takes its value; `options` is for what is not sent as it is.
        name: the field there.
        types: what its value may be.
        shown: what the designer is told.
    """

    section: str
    name: str
    types: tuple[str, ...]
    shown: Mapping[str, JSON]

    @property
    def sends(self) -> dict[str, JSON]:
        return {"to": [self.section, self.name], "types": list(self.types)}


@dataclass(frozen=True, slots=True)
class FieldReader:
    """Reads the fields of operations.

    Args:
        day: on which models are looked at.
    """

    catalogue: Catalogue
    registry: ModelRegistry
    day: date

    def read(self, operation: Operation) -> Iterator[Field]:
        """Yield the fields of an operation's path, query and payload, required ones first."""
        schemas = {
            "path": self.catalogue.path_schema(operation),
            "query": self.catalogue.query_schema(operation),
            "payload": self.catalogue.payload_schema(operation),
        }
        found = [
            field
            for section, schema in schemas.items()
            if schema is not None
            for field in self._members(operation, section, flatten(schema))
        ]
        yield from sorted(found, key=lambda field: not field.shown["required"])

    def models(self, operation: Operation, named: Sequence[str] = (), wanted: str = "") -> dict[str, JSON]:
        """Return the choice of a model.

        Args:
            wanted: the model that is chosen at first while it lives, and its successor then.
        """
        offered = living_models(self.registry, operation, named, self.day)
        first = wanted if wanted in offered else ""
        if wanted and not first and (successor := self.registry.successor(wanted, self.day)) is not None:
            first = successor.name
        first = first or default_model(self.registry, operation, tuple(offered))
        shown = {first: offered.get(first, first), **offered}
        return {"default": first, "model": [{"label": label, "value": name} for name, label in shown.items()]}

    def _members(self, operation: Operation, section: str, shape: FlatSchema) -> Iterator[Field]:
        for name in shape.properties:
            required = section == "path" or name in shape.required
            if name in LEFT_OUT or (not required and shape.property(name).facts.get("deprecated")):
                continue
            ways = shape.alternatives(name)
            types = tuple(dict.fromkeys(kind for way in ways for kind in _types(way)))
            shown = _show(name, ways, types, required=required)
            if section == "payload" and name == "model":
                texts = [one for way in ways for one in way.choices if isinstance(one, str)]
                models = self.models(operation, texts)
                shown = {**shown, "type": "string"} | (
                    models if required else {"model": [_NOT_GIVEN, *models["model"]]}
                )
            yield Field(section, name, types, shown)
            if "file" in types:
                said = {"label": f"{_label(name)} file name", "type": "string", "required": False}
                yield Field("options", f"{name} file name", ("string",), {**said, "example": "document.pdf"})


_NOT_GIVEN: dict[str, JSON] = {"label": "(not given)", "value": ""}


def _types(way: FlatSchema) -> Iterator[str]:
    if way.is_file:
        yield "file"
        return
    yield from (kind for kind in way.types if kind != "null")


def _show(name: str, ways: Sequence[FlatSchema], types: Sequence[str], *, required: bool) -> dict[str, JSON]:
    """Return what the designer is told of a field."""
    shown: dict[str, JSON] = {"label": _label(name), "required": required, **_control(name, ways, types, required)}
    facts = next((way.facts for way in ways if "default" in way.facts), ways[0].facts if ways else {})
    said = [str(facts["description"]).rstrip(".")] if isinstance(facts.get("description"), str) else []
    said += [f"{word} {facts[bound]}" for bound, word in BOUNDS.items() if _is_told(facts.get(bound))]
    default = facts.get("default")
    if default is not None and not is_document(default) and default != "":
        text = default if isinstance(default, str) else dump(default).decode()
        if required:
            shown.setdefault("default", text)
        else:
            said.append(f"{text} where it is left out")
    if shown["type"] == "code":
        said.append(f"JSON: {' or '.join(types)}")
    told = "; ".join(said)
    return {**shown, "comments": f"{told[:1].upper()}{told[1:]}."} if told else shown


def _control(name: str, ways: Sequence[FlatSchema], types: Sequence[str], required: bool) -> dict[str, JSON]:
    choices: list[JSON] = [one for way in ways for one in way.choices if one is not None]
    if types == ("boolean",):
        # A switch is always on or off; what may be left out needs a third way.
        choices = [True, False]
    if "file" in types:
        return {"type": "data"}
    if choices and (types == ("boolean",) or all(way.choices for way in ways)):
        texts = [one if isinstance(one, str) else dump(one).decode() for one in dict.fromkeys(choices)]
        model: list[JSON] = [{"label": text, "value": text} for text in texts]
        return {"type": "string", "model": model if required else [_NOT_GIVEN, *model]}
    if {"array", "object"} & {*types} and "string" not in types:
        return {"type": "code", "language": "json"}
    return {"type": "text" if name in LONG or {"array", "object"} & {*types} else "string"}


def _is_told(bound: JSON) -> bool:
    return isinstance(bound, int | float) and abs(bound) < SAFE


def _label(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return f"{words[:1].upper()}{words[1:]}"
