"""Variables: references replaced by their values when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.config.findings import Finding, InvalidConfiguration, Path, Place, path_text
from connector.config.providers import Providers
from connector.config.references import (
    ALLOWED,
    Malformed,
    Reference,
    Template,
    fill_inert,
    fill_template,
    has_reference,
    parse,
    references_in,
)
from connector.config.secrets import passwords_in
from connector.config.tree import walk
from connector.documents import parse as parse_json
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, Fault, is_list, is_object
from connector.suggestions import closest, did_you_mean

__all__ = ["Scope", "Variables", "literal_secrets"]

Fill = Callable[[Template, Callable[[Reference], JSON]], JSON]
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
}  # fmt: skip


class DeclaredVariable(Protocol):
    """A variable that the configuration declares."""

    @property
    def type(self) -> str | None: ...

    @property
    def default(self) -> JSON: ...

    @property
    def secret(self) -> bool: ...

    @property
    def model_fields_set(self) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Variables:
    """The providers and the declared variables of one configuration."""

    providers: Providers
    declared: Mapping[str, DeclaredVariable] = field(default_factory=dict[str, DeclaredVariable])
    place_of: Callable[[Path], Place] = lambda _: Place("", 1, 1)

    def resolve(self, value: JSON, path: Path = (), *, for_client: bool = False) -> JSON:
        """Return a value with its references replaced; raise InvalidConfiguration with all that are not set.

        Args:
            value: the value as written.
            path: its path, for messages.
            for_client: whether it is a client's parameter: there `@{variables.…}` is replaced too, and values
                are not escaped, since parameters of clients have no placeholders.
        """
        problems = list(self.problems(value, path, declared=for_client))
        if problems:
            raise InvalidConfiguration(finding for _, finding in problems)
        return self._replace(value, _fill_parameter if for_client else fill_inert, declared=for_client)

    def problems(self, value: JSON, path: Path, *, declared: bool = False) -> Iterator[tuple[Path, Finding]]:
        """Yield what is wrong with references, with their paths."""
        for inner, reference in references_in(value, declared=declared):
            where = (*path, *inner)
            if isinstance(reference, Malformed):
                fault = Fault(path_text(where), f"{reference.text[:60]!r} is no variable", ALLOWED, reference.meant)
                yield where, Finding("malformed-variable", self.place_of(where), fault)
            elif (why := self._explain_missing(reference)) is not None:
                yield where, Finding("variable-not-set", self.place_of(where), Fault(path_text(where), *why))

    def find(self, reference: Reference) -> JSON:
        """Return the value of a reference; None if it is not set and has no default."""
        if reference.kind == "variable":
            return self.value_of(reference.name) if reference.name in self.declared else None
        found = self.providers.find(reference)
        return reference.default if found is None else found

    def value_of(self, name: str) -> JSON:
        """Return the value of a declared variable: that of the environment, else its default."""
        variable = self.declared[name]
        given = self.providers.find(Reference("environment", name))
        if given is None:
            return self._replace(variable.default, fill_template)
        return _convert(name, given, variable.type)

    def values(self) -> dict[str, JSON]:
        """Return all declared variables with a value, for `@{variables.…}` in chains."""
        return {name: self.value_of(name) for name in self.declared if not self.is_unset(name)}

    def is_unset(self, name: str) -> bool:
        """Return whether a declared variable has neither a value nor a default."""
        variable = self.declared[name]
        if self.providers.find(Reference("environment", name)) is not None:
            return False
        if variable.default is None:
            return "default" not in variable.model_fields_set
        return any(
            self._explain_missing(part) for _, part in references_in(variable.default) if isinstance(part, Reference)
        )

    def secrets(self, written: JSON) -> Iterator[str]:
        """Yield the secrets of a part of a configuration, as far as they are set now."""
        for path, reference in references_in(written, declared=True):
            value = self._find_quietly(reference) if isinstance(reference, Reference) else None
            if not isinstance(reference, Reference) or not isinstance(value, str) or value == reference.default:
                continue
            if self.is_secret(reference) or _is_secret_place(path):
                yield value
            elif "://" in value:
                yield from passwords_in(value)
        for name, variable in self.declared.items():
            if variable.secret and isinstance(value := self._find_quietly(Reference("variable", name)), str):
                yield value

    def is_secret(self, reference: Reference) -> bool:
        """Return whether a value is secret: declared so, from a place for secrets, or named like one."""
        from connector.request.display import SECRET_NAME

        if reference.kind == "variable":
            return reference.name in self.declared and self.declared[reference.name].secret
        if reference.kind == "environment":
            return SECRET_NAME.search(reference.name) is not None
        return True

    def _find_quietly(self, reference: Reference) -> JSON:
        try:
            return self.find(reference)
        except ConfigurationError:
            return None

    def _explain_missing(self, reference: Reference) -> tuple[str, str, str] | None:
        """Return what is wrong with a reference, what is allowed and what may have been meant, or None."""
        if reference.kind == "variable":
            if reference.name not in self.declared:
                meant = did_you_mean(closest(reference.name, self.declared))
                allowed = f"declared: {', '.join(self.declared)}" if self.declared else "no variables are declared"
                return f"{reference} is not declared", allowed, meant
            return (f"{reference} has no value", _advice(reference), "") if self.is_unset(reference.name) else None
        try:
            found = self.find(reference)
        except ConfigurationError as error:
            return str(error), "", ""
        return (f"{reference} is not set", _advice(reference), "") if found is None else None

    def _replace(self, value: JSON, fill: Fill, *, declared: bool = False) -> JSON:
        if isinstance(value, str):
            if not has_reference(value) and not (declared and "@{" in value):
                return value
            return fill(parse(value, declared=declared), self.find)
        if is_object(value):
            return {key: self._replace(item, fill, declared=declared) for key, item in value.items()}
        return [self._replace(item, fill, declared=declared) for item in value] if is_list(value) else value


@dataclass(frozen=True, slots=True, repr=False)
class Scope:
    """A part of a configuration, with the variables that replace its references."""

    variables: Variables
    path: Path

    def resolve(self, value: JSON, *inner: str | int, for_client: bool = False) -> JSON:
        """Return a value of this part with its references replaced as they are now."""
        return self.variables.resolve(value, (*self.path, *inner), for_client=for_client)


def literal_secrets(written: JSON) -> Iterator[str]:
    """Yield the secrets that are written as plain text."""
    for path, text in walk(written):
        if isinstance(text, str) and not has_reference(text):
            yield from (text,) if _is_secret_place(path) else passwords_in(text) if "://" in text else ()


def _is_secret_place(path: Path) -> bool:
    """Return whether a path names a secret."""
    from connector.request.display import SECRET_NAME

    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return SECRET_NAME.search(name) is not None


def _fill_parameter(template: Template, find: Callable[[Reference], JSON]) -> JSON:
    """Return a client's parameter: a lone variable keeps its type, and an empty one, `${NAME:-}`, is None."""
    whole = template[0] if len(template) == 1 else None
    if not isinstance(whole, Reference):
        return fill_template(template, find)
    found = find(whole)
    return None if found == "" else found


def _advice(reference: Reference) -> str:
    if reference.kind == "environment":
        return f"set it in the environment or in .env, or give a default: ${{{reference.name}:-…}}"
    if reference.kind == "file":
        return "there is no such file; relative names start at the configuration's folder"
    if reference.kind == "keyring":
        service, _, user = reference.name.rpartition("/")
        return f"store it: keyring set {service} {user}"
    return f"set {reference.name} in the environment or in .env, or declare a default"


def _convert(name: str, given: str, kind: str | None) -> JSON:
    """Convert a text of the environment to the type that the variable declares."""
    if kind in (None, "string"):
        return given
    value = _json_or_text(given)
    if not isinstance(value, TYPES[str(kind)]) or (isinstance(value, bool) and kind != "boolean"):
        raise ConfigurationError(f"variable {name}: the environment gives something else than its type, {kind}")
    return value


def _json_or_text(given: str) -> JSON:
    try:
        return parse_json(given)
    except InvalidDocument:
        return given
