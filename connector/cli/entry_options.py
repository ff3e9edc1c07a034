"""The options that describe an entry of a configuration's section."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from typer import Argument, Option

from connector.cli.arguments import parse_headers, set_value
from connector.cli.options import Config
from connector.errors import ConfigurationError
from connector.model import JSON, is_document

__all__ = [
    "CLIENTS",
    "INCOMING",
    "OUTGOING",
    "OWN",
    "ROUTES",
    "ChangeOptions",
    "DryRun",
    "Force",
    "Name",
    "Section",
    "apply_options",
]


@dataclass(frozen=True)
class Section:
    """A part of a configuration that holds named entries.

    Attributes:
        name: the part's key.
        noun: what one entry is called.
        holder: the place of an entry's prototype and parameters; empty when it is the entry itself.
        asked: the options that only this section has.
        after: the command to try with a new entry, with {name}.
    """

    name: str
    noun: str
    holder: tuple[str, ...] | None
    asked: tuple[str, ...]
    after: str


CLIENTS = Section("clients", "client", (), ("prototype", "parameter", "base_uri", "header"), "client test {name}")
INCOMING = Section(
    "incoming", "incoming connection", ("subscriber",), ("prototype", "parameter"), "subscribe {name} --limit 3"
)
OUTGOING = Section(
    "outgoing", "outgoing connection", ("publisher",), ("prototype", "parameter"), "explain {name} --document '{{}}'"
)
ROUTES = Section("routes", "route", None, ("incoming", "outgoing"), "run {name} --once")
OWN = ("prototype", "parameter", "base_uri", "header", "incoming", "outgoing")
"""Options that not every section has."""
Name = Annotated[str, Argument(metavar="NAME", help="The name of the entry.")]
Force = Annotated[bool, Option("--force", help="Write the change even if `lint` then finds new errors.")]
DryRun = Annotated[bool, Option("--dry-run", help="Print the change and write nothing.")]


@dataclass(frozen=True, kw_only=True)
class ChangeOptions:
    """The options of `add` and `edit`."""

    name: Name
    prototype: Annotated[str | None, Option("--prototype", metavar="P", help="Its prototype.")] = None
    parameter: Annotated[
        list[str] | None,
        Option("--parameter", metavar="NAME=VALUE", help="A parameter of its prototype; dots lead into objects."),
    ] = None
    base_uri: Annotated[str | None, Option("--base-url", "--base-uri", metavar="U", help="The address of the API.")] = (
        None
    )
    header: Annotated[
        list[str] | None, Option("--header", "-H", metavar="'N: v'", help="A header for every request.")
    ] = None
    incoming: Annotated[
        str | None, Option("--incoming", metavar="NAME", help="The incoming connection of a route.")
    ] = None
    outgoing: Annotated[
        str | None, Option("--outgoing", metavar="NAME", help="The outgoing connection of a route.")
    ] = None
    assign: Annotated[
        list[str] | None, Option("--set", metavar="KEY=VALUE", help="Any key of the entry; dots lead into objects.")
    ] = None
    unset: Annotated[
        list[str] | None, Option("--unset", metavar="KEY", help="Remove a key; dots lead into objects.")
    ] = None
    config: Config = None
    dry_run: DryRun = False
    force: Force = False


def apply_options(section: Section, entry: dict[str, JSON], options: ChangeOptions) -> dict[str, JSON]:
    """Apply the options to an entry and return it."""
    holder = ".".join(section.holder or ())
    at = partial("{}.{}".format, holder) if holder else str
    if options.prototype is not None:
        set_value(entry, f"{at('prototype')}={options.prototype}", "--prototype")
    for assignment in options.parameter or ():
        set_value(entry, f"{at('parameters')}.{assignment}", "--parameter")
    if options.base_uri is not None:
        azure = entry.get("prototype") == "azure-openai"
        entry.setdefault("parameters", {})["endpoint" if azure else "base_uri"] = options.base_uri
    for name, value in parse_headers(options.header).items():
        entry.setdefault("parameters", {}).setdefault("headers", {})[name] = value
    for key in ("incoming", "outgoing"):
        if getattr(options, key) is not None:
            entry[key] = getattr(options, key)
    for assignment in options.assign or ():
        set_value(entry, assignment)
    for key in options.unset or ():
        _remove(entry, key)
    return entry


def _remove(entry: dict[str, JSON], key: str) -> None:
    *above, last = key.split(".")
    place: JSON = entry
    for name in above:
        place = place.get(name) if is_document(place) else None
    if not is_document(place) or last not in place:
        raise ConfigurationError(f"--unset {key!r}: there is no such key")
    del place[last]
