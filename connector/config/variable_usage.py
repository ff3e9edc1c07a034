"""Which variables a configuration uses, where, and which of them are set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from connector.config.findings import Path, path_text
from connector.config.loading import Draft
from connector.config.references import Reference, references_in
from connector.config.variables import Variables
from connector.http import prototypes
from connector.http.configuration import find_environment_variable, read_environment
from connector.model import JSON

__all__ = ["UsedVariable", "used_variables"]

HIDDEN = "***"


@dataclass(slots=True)
class UsedVariable:
    """A variable: whether it is set and where it is used, without its value."""

    name: str
    state: Literal["set", "default", "missing"]
    source: str
    """environment, .env, file, keyring, or empty."""
    secret: bool
    description: str = ""
    used: list[str] = field(default_factory=list[str])

    def as_document(self) -> dict[str, JSON]:
        """Return the variable as JSON, with its value masked."""
        value = {"set": HIDDEN, "default": "its default", "missing": "missing"}[self.state]
        shown: dict[str, JSON] = {"name": self.name, "value": value, "state": self.state, "source": self.source}
        shown |= {"secret": self.secret, "used": self.used}
        return shown | ({"description": self.description} if self.description else {})


def used_variables(loaded: Draft) -> list[UsedVariable]:
    """Return the declared variables, then those of the environment, files and keyrings in the order of their use."""
    found: dict[str, UsedVariable] = {}
    for name, variable in loaded.document.variables.items():
        used = _describe_use(Reference("variable", name), loaded.variables)
        used.description = variable.description
        used.used.append(_place(loaded, ("variables", name)))
        found[used.name] = used
    for section, part in loaded.tree.value.items():
        for path, reference in references_in(part, (section,), declared=section == "clients"):
            if isinstance(reference, Reference):
                used = found.setdefault(str(reference), _describe_use(reference, loaded.variables))
                used.used.append(_place(loaded, path))
    for path, variable_name in _find_implied(loaded):
        reference = Reference("environment", variable_name)
        used = found.setdefault(str(reference), _describe_use(reference, loaded.variables))
        used.used.append(f"{_place(loaded, path[:2])} ({path_text(path)} is not given)")
    return list(found.values())


def _describe_use(reference: Reference, variables: Variables) -> UsedVariable:
    secret = variables.is_secret(reference)
    if reference.kind == "variable":
        if reference.name not in variables.declared or variables.is_unset(reference.name):
            return UsedVariable(str(reference), "missing", "", secret)
        source = variables.providers.source(Reference("environment", reference.name))
    else:
        source = variables.providers.source(reference)
        if not source and reference.default is None:
            return UsedVariable(str(reference), "missing", "", secret)
    return UsedVariable(str(reference), "set" if source else "default", source, secret)


def _place(loaded: Draft, path: Path) -> str:
    return f"{loaded.tree.value_place(path)} {path_text(path)}"


def _find_implied(loaded: Draft) -> Iterator[tuple[Path, str]]:
    """Yield the variables that clients read for parameters that are not written."""
    kinds = {kind.name: kind.parameters for kind in prototypes()}
    for name, client in loaded.document.clients.items():
        model = kinds.get(client.prototype)
        if model is not None:
            given = read_environment(model, client.raw_parameters, loaded.variables.providers.environment)
            for parameter in given:
                yield ("clients", name, "parameters", parameter), find_environment_variable(model, parameter)[0]
