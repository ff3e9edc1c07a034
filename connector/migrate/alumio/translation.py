"""What the translation of exported steps shares: names, refusals, and what a translator offers to counterparts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.migrate.folder import safe_name
from connector.migrate.notation import as_map
from connector.migrate.report import ObjectLog
from connector.model import JSON
from connector.transform.declaration import Declaration
from connector.yaml.writer import Commented

__all__ = ["Counterpart", "Names", "NoCounterpart", "Parameters", "RefusedStep", "StepTranslator", "explain_refusal"]

Parameters = Mapping[str, JSON]


class NoCounterpart(Exception):
    """A use that has no counterpart here."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        self.brief = why.partition(";")[0]
        super().__init__(why)


class RefusedStep(Commented):
    """A step that fails, in the place of one that is not imported."""

    def __init__(self, message: str, uses: Mapping[str, int] | None = None) -> None:
        plain = message.replace("{", "(").replace("}", ")")
        super().__init__({"exception": {"message": plain}}, f"Not carried over: {plain}.", uses)


def explain_refusal(kind: str, name: str) -> str:
    if name == "code-transformer":
        return (
            "code-transformer is refused: it runs JavaScript, and chains here evaluate no code; "
            "write it with steps, with an expression step (jmespath or jsonata), or as a step of your own in Python"
        )
    noun = {"step": "transformer"}.get(kind, kind)
    return f"the {noun} {name!r} has no counterpart here"


@dataclass(slots=True)
class Names:
    """The names that steps use, and those of them that the export lacks."""

    chains: dict[str, str]
    clients: dict[str, str]
    storages: dict[str, str]
    identifiers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The paths of the identifier of each type of entity."""
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    """Where clients are that only an address names."""
    missing: dict[tuple[str, str], ObjectLog] = field(default_factory=dict[tuple[str, str], ObjectLog])
    """(section, name) of what the export does not hold, and who named it first."""

    def find(self, section: str, name: str, log: ObjectLog) -> str:
        """Return the name of an entry; one that is missing gets a stub later."""
        known: dict[str, str] = getattr(self, section)
        if name not in known:
            known[name] = safe_name(name, known.values())
            self.missing[section, name] = log
        return known[name]

    def client(self, given: Mapping[str, JSON], log: ObjectLog) -> str:
        """Return the client of a request: the named one, or one for the host of its address."""
        name, uri = given.get("client"), as_map(given.get("request")).get("uri")
        found = re.match(r"(https?://([^/?#&{]+))", uri) if isinstance(uri, str) else None
        if (not isinstance(name, str) or not name) and found:
            name = found[2]
            self.addresses[name] = found[1]
        return self.find("clients", name if isinstance(name, str) and name else "unnamed", log)


class StepTranslator(Protocol):
    """What translates the steps of one object."""

    names: Names
    log: ObjectLog
    entity_type: str

    def translate_steps(self, raw: JSON, path: str) -> list[JSON]:
        """Translate a list of steps."""
        ...

    def translate_conditions(self, raw: JSON, path: str) -> list[JSON]:
        """Translate conditions."""
        ...

    def translate_mappers(self, raw: JSON, path: str) -> list[JSON]:
        """Translate mappers."""
        ...

    def translate_accessor(self, raw: JSON, path: str) -> JSON:
        """Translate an accessor."""
        ...

    def write_briefly(self, kind: str, declared: Declaration, parameters: Parameters, path: str) -> JSON:
        """Write a use of one of our kinds as briefly as possible."""
        ...


Counterpart = Callable[[StepTranslator, Parameters, str], JSON]
"""Translates exported parameters into a use of ours, or a list of uses; raises NoCounterpart when there is none."""
