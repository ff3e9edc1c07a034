"""What a form of another platform is: its fields as a JSON Schema, and what it becomes when it is filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError
from connector.migrate.notation import translate_secrets
from connector.model import JSON, is_list, is_object, members
from connector.suggestions import closest, did_you_mean

__all__ = [
    "TOKEN",
    "Fields",
    "Filled",
    "Filling",
    "Form",
    "Schema",
    "Section",
    "call_operation",
    "choice",
    "fields",
    "fill",
    "pairs",
    "text",
    "with_secrets",
]

Section = Literal["clients", "incoming", "outgoing"]
Schema = dict[str, JSON]
Path = tuple[str, ...]
TOKEN = "${OPENAI_API_KEY}"  # noqa: S105  where the secret is, not what it is


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A form as it was filled in.

    Attributes:
        values: the fields; those that were left out have the form's defaults.
        name: what the new entry is called.
        client: the client that it calls with.
    """

    values: Mapping[str, JSON]
    name: str
    client: str
    catalogue: Catalogue

    def text(self, name: str) -> str:
        """Return a field as text in our notation; empty when it was left out."""
        value = self.values.get(name)
        return "" if value is None else translate_secrets(str(value))


@dataclass(slots=True)
class Filled:
    """What a form becomes.

    Attributes:
        values: by their paths in the configuration, in the order in which they are put there.
        notes: what is not as it is there, and what could not be carried over.
        exported: what the other platform's export would hold, where it has one.
    """

    values: dict[Path, JSON] = field(default_factory=dict[Path, JSON])
    notes: list[str] = field(default_factory=list[str])
    exported: list[JSON] = field(default_factory=list[JSON])


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of another platform.

    Attributes:
        name: unique among all forms.
        vendor: the platform.
        title: what it is called there.
        section: what it becomes a part of.
        schema: its fields as the properties of an object; those of an operation need a catalogue.
        translate: makes our entries of it.
    """

    name: str
    vendor: str
    title: str
    about: str
    section: Section
    schema: Callable[[Catalogue], Schema]
    translate: Callable[[Filling], Filled]


Fields = Mapping[str, Schema]


def text(about: str, **more: JSON) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": about, **more}


def choice(about: str, default: str, *others: str) -> Schema:
    """Return the schema of a choice."""
    return {"type": "string", "enum": [default, *others], "default": default, "description": about}


def pairs(about: str) -> Schema:
    """Return the schema of names and values."""
    return {"type": "object", "additionalProperties": {}, "description": about}


def fields(properties: Fields, *required: str) -> Callable[[Catalogue], Schema]:
    """Return the schema of some fields, for a form whose fields are always the same."""
    whole: Schema = {
        "type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False
    }  # fmt: skip
    return lambda _: whole


def fill(
    form: Form, values: Mapping[str, JSON], *, name: str, client: str, known: bool, catalogue: Catalogue
) -> Filled:
    """Return what a filled form becomes; a client that is not declared yet is made along with it.

    Raises:
        ConfigurationError: for a field that the form has not, or one that is missing.
    """
    schema = form.schema(catalogue)
    properties = members(schema.get("properties"))
    for given in values:
        if given not in properties:
            meant = did_you_mean(closest(given, properties))
            said = "; ".join(filter(None, (f"unknown field {given!r}", meant, f"there is {', '.join(properties)}")))
            raise ConfigurationError(f"{form.title}: {said}")
    defaults = {key: each["default"] for key, each in properties.items() if "default" in members(each)}
    whole = {**defaults, **{key: value for key, value in values.items() if value is not None}}
    missing = [one for one in schema.get("required", ()) if whole.get(one) in (None, "")]
    if missing:
        raise ConfigurationError(f"{form.title}: {', '.join(missing)} must be filled in")
    filled = form.translate(Filling(values=whole, name=name, client=client, catalogue=catalogue))
    if form.section != "clients" and not known:
        made: JSON = {"prototype": "openai", "parameters": {"token": TOKEN}}
        filled.values = {("clients", client): made, **filled.values}
        filled.notes.insert(0, f"there was no client {client!r}; it is made, with the key in {TOKEN}")
    return filled


def with_secrets(value: JSON) -> JSON:
    """Return a value whose secrets are `${NAME}`; placeholders are ours, as the form is filled in here."""
    if isinstance(value, str):
        return translate_secrets(value)
    if is_object(value):
        return {key: with_secrets(item) for key, item in value.items()}
    return [with_secrets(item) for item in value] if is_list(value) else value


def call_operation(filling: Filling, operation: Operation, request: Mapping[str, JSON]) -> Filled:
    """Return the connection that makes a call: one that reads when the operation does, else one that writes."""
    given = {part: value for part, value in request.items() if value not in (None, {}, [])}
    asked = with_secrets(given)
    parameters: dict[str, JSON] = {
        "client": filling.client, "entity": operation.entity, "action": operation.action
    }  # fmt: skip
    filled = Filled()
    if operation.method == "GET":
        part: JSON = {"prototype": "openai", "parameters": parameters | ({"request": asked} if asked else {})}
        filled.values["incoming", filling.name] = {"subscriber": part}
    else:
        entry: dict[str, JSON] = {"request": asked} if asked else {}
        filled.values["outgoing", filling.name] = {
            **entry, "publisher": {"prototype": "openai", "parameters": parameters}
        }  # fmt: skip
    if operation.removed is not None:
        filled.notes.append(
            f"the API has removed {operation.name}; with `on_removed: successor` the client calls what replaces it"
        )
        filled.values["clients", filling.client, "parameters", "on_removed"] = "successor"
    return filled
