"""From what was written about a client to its checked parameters, with every fault reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from connector.errors import ConfigurationError
from connector.http.parameters import Common
from connector.http.prototypes import Prototype
from connector.http.spellings import normalised
from connector.model import JSON, members
from connector.suggestions import closest, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["configure", "environment_of", "given_by_environment", "is_sensitive", "secrets_of"]

SENSITIVE = ("auth", "cookie", "key", "secret", "session", "signature", "token")


def configure(prototype: Prototype, given: Mapping[str, JSON], environ: Mapping[str, str]) -> Common:
    """The parameters of a client: what was given, then the environment, then the defaults."""
    model = prototype.parameters
    named = normalised({name: value for name, value in given.items() if value is not None}, model.model_fields)
    try:
        return model.model_validate({**given_by_environment(model, named, environ), **named})
    except ValidationError as error:
        faults = [_sentence(fault, model) for fault in error.errors(include_input=False, include_url=False)]
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    raise ConfigurationError("\n".join([f"client {prototype.name!r}, {count}:", *(f"  {fault}" for fault in faults)]))


def environment_of(model: type[Common], name: str) -> tuple[str, str]:
    """The variable a parameter is taken from and the parameter whose presence forbids that, or empty texts."""
    extra = model.model_fields[name].json_schema_extra
    marks = members(extra)
    return str(marks.get("environment", "")), str(marks.get("unless", ""))


def given_by_environment(model: type[Common], given: Mapping[str, JSON], environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters that only the environment gives; an empty variable counts as missing."""
    found: dict[str, str] = {}
    for name in model.model_fields:
        variable, unless = environment_of(model, name)
        value = environ.get(variable, "") if variable else ""
        if value and all(given.get(key) is None for key in (name, to_camel(name), unless, to_camel(unless))):
            found[name] = value
    return found


def _sentence(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """One fault in words: where, what is allowed; never the value, which may be a secret."""
    where = ".".join(_written(str(step)) for step in fault["loc"]) or "parameters"
    if fault["type"] == "extra_forbidden":
        names = _names_at(model, fault["loc"][:-1])
        meant = did_you_mean(closest(str(fault["loc"][-1]), names)) or f"there are {', '.join(names)}"
        return f"{where}: no such parameter; {meant}"
    if fault["type"] == "missing":
        return f"{where}: missing; it has no default{_or_variable(model, where)}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}"


def _or_variable(model: type[BaseModel], name: str) -> str:
    if issubclass(model, Common) and name in model.model_fields and (found := environment_of(model, name)[0]):
        return f"; give it or set {found}"
    return ""


def _names_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The parameters a section has."""
    for step in place:
        fields = model.model_fields
        kind = fields[step].annotation if isinstance(step, str) and step in fields else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            break
        model = kind
    return [_written(name) for name in model.model_fields]


def _written(field: str) -> str:
    """A field's name as people write it: pydantic has taken `validate` for itself."""
    return "validate" if field == "validation" else field


def is_sensitive(header: str) -> bool:
    """Whether a header's name says that its value lets somebody in."""
    return any(word in header.lower() for word in SENSITIVE)


def secrets_of(parameters: Common) -> Iterator[str]:
    """Every value that must never be shown."""
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
    if parameters.proxy is not None:
        yield urlsplit(parameters.proxy.get_secret_value()).password or ""
    for header, value in parameters.headers.items():
        if is_sensitive(header):
            yield value.get_secret_value()
            yield value.get_secret_value().rpartition(" ")[2]
