"""From what is written to what is meant: references replaced by their values, when they are needed."""

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
        """A value with its references replaced; every one that is not set is reported at once.

        Args:
            value: what is written.
            path: where it stands, for messages.
            for_client: whether it is a client's parameter: there `@{variables.…}` is replaced too, and what a
                reference holds needs no care, since nobody looks for placeholders in it afterwards.
        """
        problems = list(self.problems(value, path, declared=for_client))
        if problems:
            raise InvalidConfiguration(finding for _, finding in problems)
        return self._replaced(value, _given if for_client else fill_inert, declared=for_client)

    def problems(self, value: JSON, path: Path, *, declared: bool = False) -> Iterator[tuple[Path, Finding]]:
        """What keeps references from being replaced, with where it stands."""
        for inner, reference in references_in(value, declared=declared):
            where = (*path, *inner)
            if isinstance(reference, Malformed):
                fault = Fault(path_text(where), f"{reference.text[:60]!r} is no variable", ALLOWED, reference.meant)
                yield where, Finding("malformed-variable", self.place_of(where), fault)
            elif (why := self._missing(reference)) is not None:
                yield where, Finding("variable-not-set", self.place_of(where), Fault(path_text(where), *why))

    def find(self, reference: Reference) -> JSON:
        """The value of one reference; None when it is not set and has no default."""
        if reference.kind == "variable":
            return self.value_of(reference.name) if reference.name in self.declared else None
        found = self.providers.find(reference)
        return reference.default if found is None else found

    def value_of(self, name: str) -> JSON:
        """A declared variable: what the environment says under its name, else its default."""
        variable = self.declared[name]
        given = self.providers.find(Reference("environment", name))
        if given is None:
            return self._replaced(variable.default, fill_template)
        return _typed(name, given, variable.type)

    def values(self) -> dict[str, JSON]:
        """All declared variables that have a value, for `@{variables.…}` in chains."""
        return {name: self.value_of(name) for name in self.declared if not self.unset(name)}

    def unset(self, name: str) -> bool:
        """Whether a declared variable has neither a value nor a default."""
        variable = self.declared[name]
        if self.providers.find(Reference("environment", name)) is not None:
            return False
        if variable.default is None:
            return "default" not in variable.model_fields_set
        return any(self._missing(part) for _, part in references_in(variable.default) if isinstance(part, Reference))

    def secrets(self, written: JSON) -> Iterator[str]:
        """The values, as far as they are known now, that a part of a configuration must not show."""
        for path, reference in references_in(written, declared=True):
            value = self._quietly(reference) if isinstance(reference, Reference) else None
            if not isinstance(reference, Reference) or not isinstance(value, str) or value == reference.default:
                continue
            if self.is_secret(reference) or _is_secret_place(path):
                yield value
            elif "://" in value:
                yield from passwords_in(value)
        for name, variable in self.declared.items():
            if variable.secret and isinstance(value := self._quietly(Reference("variable", name)), str):
                yield value

    def is_secret(self, reference: Reference) -> bool:
        """Whether a value is one to hide: said so, kept where secrets are kept, or named like one."""
        from connector.request.display import SECRET_NAME

        if reference.kind == "variable":
            return reference.name in self.declared and self.declared[reference.name].secret
        if reference.kind == "environment":
            return SECRET_NAME.search(reference.name) is not None
        return True

    def _quietly(self, reference: Reference) -> JSON:
        try:
            return self.find(reference)
        except ConfigurationError:
            return None

    def _missing(self, reference: Reference) -> tuple[str, str, str] | None:
        """What is wrong with a reference, what is allowed, what may have been meant; None when nothing is."""
        if reference.kind == "variable":
            if reference.name not in self.declared:
                meant = did_you_mean(closest(reference.name, self.declared))
                allowed = f"declared: {', '.join(self.declared)}" if self.declared else "no variables are declared"
                return f"{reference} is not declared", allowed, meant
            return (f"{reference} has no value", _advice(reference), "") if self.unset(reference.name) else None
        try:
            found = self.find(reference)
        except ConfigurationError as error:
            return str(error), "", ""
        return (f"{reference} is not set", _advice(reference), "") if found is None else None

    def _replaced(self, value: JSON, fill: Fill, *, declared: bool = False) -> JSON:
        if isinstance(value, str):
            if not has_reference(value) and not (declared and "@{" in value):
                return value
            return fill(parse(value, declared=declared), self.find)
        if is_object(value):
            return {key: self._replaced(item, fill, declared=declared) for key, item in value.items()}
        return [self._replaced(item, fill, declared=declared) for item in value] if is_list(value) else value


@dataclass(frozen=True, slots=True, repr=False)
class Scope:
    """A part of a configuration with the variables it may name."""

    variables: Variables
    path: Path

    def resolve(self, value: JSON, *inner: str | int, for_client: bool = False) -> JSON:
        """What is written at a place of this part, with the references replaced as they are now."""
        return self.variables.resolve(value, (*self.path, *inner), for_client=for_client)


def literal_secrets(written: JSON) -> Iterator[str]:
    """Yield the texts that stand as they are where a client has its secrets."""
    for path, text in walk(written):
        if isinstance(text, str) and not has_reference(text):
            yield from (text,) if _is_secret_place(path) else passwords_in(text) if "://" in text else ()


def _is_secret_place(path: Path) -> bool:
    """Whether what stands at a place is a secret wherever it comes from."""
    from connector.request.display import SECRET_NAME

    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return SECRET_NAME.search(name) is not None


def _given(template: Template, find: Callable[[Reference], JSON]) -> JSON:
    """A client's parameter: a variable alone keeps its type, and one that is empty, `${NAME:-}`, is not given."""
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


def _typed(name: str, given: str, kind: str | None) -> JSON:
    """The text of the environment as the type that the variable declares."""
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
