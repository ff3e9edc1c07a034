"""A normalised document, validated against the names, kinds and parameters that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from connector.config.findings import Finding, Path, Place, path_text
from connector.config.kinds import Kinds
from connector.config.model_errors import translate_errors
from connector.config.models import ClientEntry, Document
from connector.config.names import Use, components, uses
from connector.config.normalization import TOKENS, is_deferred
from connector.config.references import references_in
from connector.config.sources import SECTIONS
from connector.config.tree import Tree, value_at, walk, without
from connector.config.variables import Variables
from connector.http import prototypes
from connector.http.configuration import read_environment
from connector.model import JSON, Fault, members
from connector.suggestions import closest, did_you_mean

__all__ = ["Validator", "templates_in"]

OPENINGS = ("${", "&{", "?{", "@{")
NAME = re.compile(r"\w[\w .:-]{0,99}")


@dataclass(frozen=True, slots=True)
class Validator:
    """Validate a document beside the tree that it was made from."""

    tree: Tree
    document: Document
    variables: Variables
    kinds: Kinds

    def validate(self, *, require_variables: bool) -> Iterator[Finding]:
        """Yield every finding."""
        yield from self.references(required=require_variables)
        yield from self.clients()
        yield from self.connections()
        yield from self.entries()
        yield from self.names()

    def references(self, *, required: bool) -> Iterator[Finding]:
        """Report malformed and unset references; deferred ones may stay unset unless they are required."""
        for section, part in self.tree.value.items():
            for path, finding in self.variables.problems(part, (section,), declared=section == "clients"):
                if required or finding.rule != "variable-not-set" or not is_deferred(path):
                    yield finding

    def clients(self) -> Iterator[Finding]:
        """Report clients of unknown kinds or with wrong parameters."""
        kinds = {kind.name: kind for kind in prototypes()}
        for name, client in self.document.clients.items():
            path: Path = ("clients", name)
            if client.prototype in kinds:
                yield from self._client(kinds[client.prototype].parameters, client, (*path, "parameters"))
            else:
                yield self._report_unknown("client prototype", client.prototype, kinds, path)

    def connections(self) -> Iterator[Finding]:
        """Report subscribers and publishers of unknown kinds or with wrong parameters, if kinds are known."""
        for part, path in components(self.document):
            kinds = self.kinds.incoming if path[-1] == "subscriber" else self.kinds.outgoing
            if kinds is None:
                continue
            if part.prototype in kinds:
                # A text with a reference or a placeholder has a value only when it is used.
                skipped = [inner for inner, _ in templates_in(part.raw_parameters)]
                model = kinds[part.prototype].parameters
                yield from self._parameters(model, part.raw_parameters, (*path, "parameters"), skipped)
            else:
                yield self._report_unknown(f"{path[-1]} prototype", part.prototype, kinds, path)

    def entries(self) -> Iterator[Finding]:
        """Report entries with names that other parts could not write."""
        named: dict[Path, JSON] = {(part,): self.tree.value.get(part) for part in SECTIONS if part != "prices"}
        named |= {path: value_at(self.tree.value, path) for path in TOKENS}
        for path, entries in named.items():
            for name in members(entries):
                if not NAME.fullmatch(name):
                    allowed = "a name starts with a letter or digit, and has letters, digits, blanks, _ . : and -"
                    yield self._finding("wrong-name", (*path, name), f"the name {name[:60]!r}", allowed)

    def names(self) -> Iterator[Finding]:
        """Report names that are not declared."""
        for use in uses(self.document):
            # An entry that is left out because of a fault still counts as declared.
            declared = {section: members(value_at(self.tree.value, (section,))) for section in use.sections}
            found = [section for section, entries in declared.items() if use.name in entries]
            if not found:
                yield self._report_undeclared(use, [name for entries in declared.values() for name in entries])
            elif len(found) > 1:
                allowed = "write {route: NAME} or {incoming: NAME}"
                yield self._finding(
                    "ambiguous-name", use.path, f"both a route and an incoming is {use.name!r}", allowed
                )

    def _client(self, model: type[BaseModel], client: ClientEntry, path: Path) -> Iterator[Finding]:
        written = client.raw_parameters
        skipped = [
            inner for inner, _ in references_in(written, declared=True) if self._is_unset(value_at(written, inner))
        ]
        given = self.variables.resolve(without(written, skipped), path, for_client=True)
        named = {key: value for key, value in given.items() if value is not None}
        known = {**dict.fromkeys([str(inner[0]) for inner in skipped], ""), **named}
        environ = read_environment(model, known, self.variables.providers.environment)  # type: ignore[arg-type]
        yield from self._parameters(model, {**environ, **named}, path, skipped)

    def _is_unset(self, text: str) -> bool:
        return any(self.variables.problems(text, (), declared=True))

    def _parameters(
        self, model: type[BaseModel], given: JSON, path: Path, skipped: Iterable[Path]
    ) -> Iterator[Finding]:
        places = [(*path, *inner) for inner in skipped]
        try:
            model.model_validate(given)
        except ValidationError as error:
            for one in translate_errors(error, model, given, path, hide=lambda path: path[0] == "clients"):
                if not any(one.path[: len(skip)] == skip for skip in places):
                    yield Finding(one.rule, self._place(one.path, one.rule), one.fault)

    def _report_undeclared(self, use: Use, names: list[str]) -> Finding:
        noun = " or ".join(section.removesuffix("s") for section in use.sections)
        allowed = f"declared: {', '.join(names)}" if names else f"no {noun} is declared"
        meant = did_you_mean(closest(use.name, names))
        return self._finding("unknown-name", use.path, f"unknown {noun} {use.name!r}", allowed, meant)

    def _report_unknown(self, noun: str, name: str, kinds: Iterable[str], path: Path) -> Finding:
        allowed = f"there are {', '.join(kinds)}"
        meant = did_you_mean(closest(name, kinds))
        return self._finding("unknown-prototype", (*path, "prototype"), f"unknown {noun} {name!r}", allowed, meant)

    def _finding(self, rule: str, path: Path, found: str, allowed: str, meant: str = "") -> Finding:
        return Finding(rule, self._place(path, rule), Fault(path_text(path), found, allowed, meant))

    def _place(self, path: Path, rule: str) -> Place:
        return self.tree.key_place(path) if rule in ("unknown-key", "wrong-name") else self.tree.value_place(path)


def templates_in(value: JSON, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text whose value is known only when it is used, with its path."""
    for place, text in walk(value, path):
        if isinstance(text, str) and any(opening in text for opening in OPENINGS):
            yield place, text
