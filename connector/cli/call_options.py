"""The options of a call, and which of them go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_type_hints

from typer import Argument, Option
from typer.models import OptionInfo

from connector.cli.arguments import parse_pairs, read_document, set_value
from connector.cli.options import ClientOptions, OutputOptions, check_output
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = ["CallOptions", "check_call", "check_connection", "check_entity", "given_options"]


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """The operation and its request."""

    words: Annotated[
        list[str] | None,
        Argument(
            metavar="NAME",
            help="An operation, such as chat completions create, then the values of its path parameters.",
        ),
    ] = None
    path: Annotated[list[str] | None, Option("--path", metavar="K=V", help="A path parameter.")] = None
    query: Annotated[
        list[str] | None, Option("--query", metavar="K=V", help="A query parameter; repeat it for a list.")
    ] = None
    payload: Annotated[str | None, Option("--payload", metavar="JSON|@FILE|-", help="The body of the request.")] = None
    request: Annotated[
        str | None,
        Option("--request", metavar="JSON|@FILE|-", help="The whole request: {path, query, payload, headers}."),
    ] = None
    file: Annotated[list[str] | None, Option("--file", metavar="FIELD=PATH", help="A file to upload.")] = None
    assign: Annotated[
        list[str] | None,
        Option("--set", metavar="PATH=VALUE", help="Set one value of the request, such as payload.model=gpt-6-luna."),
    ] = None
    requests: Annotated[
        Path | None,
        Option("--from", metavar="JSONL|-", help="Read one request per line; print one outcome per line, in order."),
    ] = None
    concurrency: Annotated[
        int | None,
        Option("--concurrency", min=1, metavar="N", help="With --from: the number of calls at a time; 16 by default."),
    ] = None
    validate: Annotated[
        str | None,
        Option("--validate", metavar="strict|spelling|known|warn|off", help="How strictly to check the request."),
    ] = None
    stream: Annotated[bool, Option("--stream", help="Print the events of the answer as they arrive.")] = False
    every: Annotated[bool, Option("--all", help="Read all pages; print one entity per line.")] = False
    limit: Annotated[int | None, Option("--limit", min=0, metavar="N", help="With --all: stop after N entities.")] = (
        None
    )


@dataclass(frozen=True, kw_only=True)
class CallOptions(OutputOptions, ClientOptions, RequestOptions):
    """The options of `call`; those of the last base class come first in its help."""

    decided: ClassVar[Mapping[str, str]] = {}
    """Options that a command implies, with its name."""

    @property
    def entity(self) -> str | None:
        """The given name as one text."""
        return " ".join(self.words) if self.words else None

    @property
    def client_parameters(self) -> dict[str, JSON]:
        """The given parameters of the client."""
        parameters = self.parameters([upload.partition("=")[2] for upload in self.file or ()])
        return parameters if self.validate is None else {**parameters, "validate": self.validate}

    def document(self) -> dict[str, JSON]:
        """Return the request that the options describe: --request, overridden by more specific options."""
        document: JSON = read_document(self.request, "--request") if self.request else {}
        if not is_document(document):
            raise ConfigurationError("--request: a request is an object {path, query, payload, headers}")
        if self.payload is not None:
            document["payload"] = read_document(self.payload, "--payload")
        for section, values in (
            ("path", parse_pairs(self.path, "--path")),
            ("query", parse_pairs(self.query, "--query")),
            ("headers", self.headers()),
            ("payload", _uploads(self.files())),
        ):
            if values:
                document[section] = {**section_members(document.get(section), section), **values}
        for assignment in self.assign or ():
            set_value(document, assignment)
        return document

    def files(self) -> dict[str, JSON]:
        return parse_pairs(self.file, "--file")


def section_members(value: JSON, section: str) -> dict[str, JSON]:
    if is_document(value):
        return value
    if value is None:
        return {}
    raise ConfigurationError(f"{section} is no object, so an option cannot add to it: give one or the other")


def _uploads(files: dict[str, JSON]) -> dict[str, JSON]:
    uploads: dict[str, JSON] = {}
    for field, names in files.items():
        several = is_list(names) or field.endswith("[]")
        given: list[JSON] = [{"$file": name} for name in (names if is_list(names) else [names])]
        uploads[field.removesuffix("[]")] = given if several else given[0]
    return uploads


REQUEST = ("--path", "--query", "--payload", "--request", "--file", "--set")
APART: tuple[tuple[str, Collection[str], str], ...] = (
    ("--from", REQUEST, "each line holds its own request"),
    ("--from", ("--to",), "each line has an answer of its own, which is printed"),
    ("--stream", ("--to",), "events are printed as they come"),
    ("--all", ("--to",), "entities are printed as they are read"),
    ("--all", ("--stream",), "a list is read page after page"),
)
"""An option, the options that it rules out, and why."""
NEEDS = (
    ("--limit", "--all", "only a list that is read to its end has one"),
    ("--concurrency", "--from", "a single call has none"),
)


def given_options(options: object) -> dict[str, Any]:
    """Return the options that were given, by their first long name, with their values."""
    kinds = get_type_hints(type(options), include_extras=True)
    found: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]  # every set of options is a dataclass
        value = getattr(options, field.name)
        marks = getattr(kinds[field.name], "__metadata__", ())
        option = next((mark for mark in marks if isinstance(mark, OptionInfo)), None)
        if option is not None and value != field.default:
            found[_long(option)] = value
    return found


def check_call(options: CallOptions) -> None:
    """Refuse combinations of options of which one would be ignored."""
    check_output(options)
    options.logs.check(dry_run=options.dry_run)
    chosen = given_options(options)
    for option, others, why in APART:
        both = [other for other in others if other in chosen]
        if option in chosen and both:
            raise ConfigurationError(f"{_named(option, options)} and {both[0]} do not go together: {why}")
    for option, needed, why in NEEDS:
        if option in chosen and needed not in chosen:
            raise ConfigurationError(f"{option} goes with {needed}: {why}")


def check_connection(options: CallOptions, section: str, allowed: Collection[str]) -> None:
    """Refuse options that a connection ignores, because its request is in the configuration."""
    ignored = [option for option in given_options(options) if option not in allowed and option not in options.decided]
    if ignored:
        kinds = {"incoming": "an incoming connection", "outgoing": "an outgoing connection", "routes": "a route"}
        raise ConfigurationError(
            f"{options.entity!r} is {kinds[section]}, whose request stands in its configuration: "
            f"{', '.join(ignored)} cannot be given with it; {', '.join(sorted(allowed))} can"
        )


def check_entity(options: CallOptions, others: Collection[str]) -> None:
    """Refuse options that only a configured connection takes."""
    ignored = [option for option in given_options(options) if option in others]
    if ignored:
        raise ConfigurationError(
            f"{ignored[0]} goes with a configured connection, and {options.entity!r} is none that takes it"
        )


def _named(option: str, options: CallOptions) -> str:
    """Return the option, or the command that implies it."""
    decided: Mapping[str, str] = options.decided
    return f"`{decided[option]}`" if option in decided else option


def _long(option: OptionInfo) -> str:
    names = (str(name) for name in (option.default, *(option.param_decls or ())))
    return next(name for name in names if name.startswith("--"))
