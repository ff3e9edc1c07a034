"""What is said for one command goes before what a configuration says of a client."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from connector.config.findings import Path
from connector.config.secrets import holds_secrets
from connector.config.trees import without
from connector.config.variables import Scope
from connector.http.configuration import normalised
from connector.http.prototypes import prototypes
from connector.model import JSON, is_object

if TYPE_CHECKING:
    from connector.config.models import ClientEntry

__all__ = ["missing_secrets", "overridden"]


def overridden(entry: ClientEntry, parameters: Mapping[str, JSON]) -> dict[str, JSON]:
    """An entry's parameters as they are written, with others in their place; groups are merged member by member."""
    fields = prototypes().find(entry.prototype).parameters.model_fields
    written, other = (normalised(each, fields) for each in (entry.raw_parameters, parameters))
    if "base_uri" in other:
        # A region is another way of saying the address.
        written = {name: value for name, value in written.items() if name != "region"}
    return _merged(written, other)


def missing_secrets(entry: ClientEntry, scope: Scope, tell: Callable[[str], None]) -> dict[str, JSON]:
    """An entry's parameters without the secrets that are not set; each is told."""
    missing = list(_missing(entry, scope))
    for _, why in missing:
        tell(f"warning: {why}")
    left: dict[str, JSON] = without(entry.raw_parameters, [place for place, _ in missing])
    return left


def _missing(entry: ClientEntry, scope: Scope) -> Iterator[tuple[Path, str]]:
    secret = holds_secrets(prototypes().find(entry.prototype).parameters)
    where = (*scope.path, "parameters")
    for place, finding in scope.variables.problems(entry.raw_parameters, where, declared=True):
        inner = place[len(where) :]
        if inner and str(inner[0]) in secret:
            yield inner, finding.words


def _merged(written: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    kept = {_spelt_as(name, other): value for name, value in written.items()}
    for name, value in other.items():
        before = kept.get(name)
        kept[name] = _merged(before, value) if is_object(before) and is_object(value) else value
    return kept


def _spelt_as(name: str, names: Collection[str]) -> str:
    """The other spelling of a name, snake_case or camelCase, if it is among the names."""
    return next((other for other in names if to_camel(other) == to_camel(name)), name)
