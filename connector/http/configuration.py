"""From what was written about a client to its checked parameters, with every fault reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from connector.errors import ConfigurationError
from connector.http.identity import PLACEHOLDER
from connector.http.parameters import Common
from connector.http.prototypes import Prototype, prototypes
from connector.model import JSON, is_object, members
from connector.suggestions import closest, did_you_mean

__all__ = [
    "Provenance",
    "configure",
    "describe",
    "find_environment_variable",
    "find_section",
    "is_sensitive",
    "list_secrets",
    "normalise",
    "read_environment",
]

SENSITIVE = ("auth", "cookie", "key", "secret", "session", "signature", "token")
ADDRESSES = ("base_uri", "baseUri", "base_url", "baseUrl", "endpoint")
ACCESS_TOKEN = "OPENAI_ACCESS_TOKEN"  # noqa: S105  the name of a variable
"""What a command line for curl calls the access token of an identity."""
NAMES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def configure(prototype: Prototype, given: Mapping[str, JSON], environ: Mapping[str, str]) -> Common:
    """Return the parameters of a client: what was given, then the environment, then the defaults."""
    model = prototype.parameters
    named = normalise({name: value for name, value in given.items() if value is not None}, model.model_fields)
    try:
        return model.model_validate({**read_environment(model, named, environ), **named})
    except ValidationError as error:
        faults = [_describe_fault(fault, model) for fault in error.errors(include_input=False, include_url=False)]
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    raise ConfigurationError("\n".join([f"client {prototype.name!r}, {count}:", *(f"  {fault}" for fault in faults)]))


def find_environment_variable(model: type[Common], name: str) -> tuple[str, str]:
    """Return the variable a parameter is taken from and the parameter whose presence forbids that, or empty texts."""
    extra = model.model_fields[name].json_schema_extra
    marks = members(extra)
    return str(marks.get("environment", "")), str(marks.get("unless", ""))


def read_environment(model: type[Common], given: Mapping[str, JSON], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that only the environment gives; an empty variable counts as missing."""
    found: dict[str, str] = {}
    for name in model.model_fields:
        variable, unless = find_environment_variable(model, name)
        value = environ.get(variable, "") if variable else ""
        if value and all(given.get(key) is None for key in (name, to_camel(name), unless, to_camel(unless))):
            found[name] = value
    return found


def _describe_fault(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """Return one fault in words: where, what is allowed; never the value, which may be a secret."""
    where = ".".join(_spell_name(str(step)) for step in fault["loc"]) or "parameters"
    if fault["type"] == "extra_forbidden":
        names = _list_names(model, fault["loc"][:-1])
        meant = did_you_mean(closest(str(fault["loc"][-1]), names)) or f"there are {', '.join(names)}"
        return f"{where}: no such parameter; {meant}"
    if fault["type"] == "missing":
        return f"{where}: missing; it has no default{_suggest_variable(model, where)}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}"


def _suggest_variable(model: type[BaseModel], name: str) -> str:
    if (
        issubclass(model, Common)
        and name in model.model_fields
        and (found := find_environment_variable(model, name)[0])
    ):
        return f"; give it or set {found}"
    return ""


def _list_names(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the parameters a section has."""
    for step in place:
        fields = model.model_fields
        kind = find_section(fields[step].annotation) if isinstance(step, str) and step in fields else None
        if kind is None:
            break
        model = kind
    return [_spell_name(name) for name in model.model_fields]


def find_section(annotation: Any) -> type[BaseModel] | None:
    """Return the group of parameters that a field is, also where it may be left out."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    given = [part for part in parts if part is not type(None)]
    found = given[0] if len(given) == 1 else None
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _spell_name(field: str) -> str:
    """Return a field's name as people write it: pydantic has taken `validate` for itself."""
    return "validate" if field == "validation" else field


def is_sensitive(header: str) -> bool:
    """Return whether a header's name says that its value is a credential."""
    return any(word in header.lower() for word in SENSITIVE)


def list_secrets(parameters: Common) -> Iterator[str]:
    """Yield every value that must never be shown."""
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
    if parameters.workload is not None:
        yield PLACEHOLDER
    if parameters.certificate is not None and parameters.certificate.password is not None:
        yield parameters.certificate.password.get_secret_value()
    if parameters.proxy is not None:
        yield urlsplit(parameters.proxy.get_secret_value()).password or ""
    for header, value in parameters.headers.items():
        if is_sensitive(header):
            yield value.get_secret_value()
            yield value.get_secret_value().rpartition(" ")[2]


def normalise(given: Mapping[str, JSON], known: Collection[str]) -> dict[str, JSON]:
    """Return the parameters with the address under the prototype's name, and attempts as retries after the first."""
    address = next((name for name in ADDRESSES if name in known), "base_uri")
    named = {address if name in ADDRESSES else name: value for name, value in given.items()}
    retry = named.get("retry")
    if is_object(retry) and isinstance(retry.get("attempts"), int) and "max_retries" not in retry:
        others = {name: value for name, value in retry.items() if name != "attempts"}
        named["retry"] = {**others, "max_retries": retry["attempts"] - 1}
    return named


class Provenance:
    """Knows which parameter, and which variable, each value of a client was given by."""

    def __init__(self, parameters: Common, given: Mapping[str, JSON], environ: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._from_environment = read_environment(type(parameters), given, environ)

    def secrets(self) -> dict[str, str]:
        """Return each secret with the variable it may be named by."""
        known = dict.fromkeys(list_secrets(self._parameters), "")
        for name, value in self._iter_texts():
            if value in known:
                known[value] = find_environment_variable(type(self._parameters), name)[0]
        return known | ({PLACEHOLDER: ACCESS_TOKEN} if PLACEHOLDER in known else {})

    def origins(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Return what gave each header that the client adds."""
        found = {f"headers.{name.lower()}": "client parameter headers" for name in self._parameters.headers}
        for header, content in credentials.items():
            source = next((name for name, value in self._iter_texts() if value and value in content), "")
            found[f"headers.{header.lower()}"] = self._describe_source(source) if source else "client"
        return found

    def _describe_source(self, name: str) -> str:
        variable = find_environment_variable(type(self._parameters), name)[0]
        return f"client parameter {name}" + (f" (environment {variable})" if name in self._from_environment else "")

    def _iter_texts(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters that are texts, secret or not."""
        for name in type(self._parameters).model_fields:
            value = getattr(self._parameters, name)
            if isinstance(value, SecretStr):
                yield name, value.get_secret_value()
            elif isinstance(value, str):
                yield name, value
        if self._parameters.workload is not None:
            yield "identity", PLACEHOLDER


def describe(prototype: str | Prototype) -> list[dict[str, JSON]]:
    """Return a row for each parameter: name, type, default, environment, secret, description; its own come first."""
    kind = prototypes().find(prototype) if isinstance(prototype, str) else prototype
    own = [name for name in kind.parameters.model_fields if name not in Common.model_fields]
    order = [*own, *Common.model_fields]
    return [row for name in order for row in _build_rows(kind.parameters, name)]


def _build_rows(model: type[Common], name: str) -> Iterator[dict[str, JSON]]:
    field = model.model_fields[name]
    kind, section = field.annotation, find_section(field.annotation)
    if section is not None:
        for inner, inner_field in section.model_fields.items():
            yield _build_row(f"{name}.{inner}", inner_field, "")
    else:
        yield _build_row("validate" if name == "validation" else name, field, find_environment_variable(model, name)[0])
        item = get_args(kind)[0] if get_origin(kind) is tuple else None
        if isinstance(item, type) and issubclass(item, BaseModel):
            for inner, inner_field in item.model_fields.items():
                yield _build_row(f"{name}[].{inner}", inner_field, "")


def _build_row(name: str, field: FieldInfo, variable: str) -> dict[str, JSON]:
    shown = _describe_type(field.annotation)
    return {
        "name": name,
        "type": shown,
        "default": _find_default(field),
        "required": field.is_required(),
        "environment": variable or None,
        "secret": "secret" in shown,
        "description": field.description,
    }


def _find_default(field: FieldInfo) -> JSON:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    # mypy holds the cast for redundant, pyright needs it.
    return list(cast("tuple[JSON, ...]", value)) if isinstance(value, tuple) else value  # type: ignore[redundant-cast]


def _describe_type(kind: Any) -> str:
    """Return a type in a reader's words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _describe_type(inner[0])
    if origin is Literal:
        return " | ".join(inner)
    if origin in (Union, UnionType):
        return " | ".join(_describe_type(part) for part in inner if part is not type(None))
    if origin is tuple:
        return f"list of {_describe_type(inner[0])}"
    if origin is dict:
        return f"object of {_describe_type(inner[1])}"
    if kind is SecretStr:
        return "secret string"
    if issubclass(kind, StrEnum):
        return " | ".join(kind)
    return NAMES.get(kind) or str(kind.__name__).lower()
