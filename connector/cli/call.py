"""`call`: any operation by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from typer import Argument, Exit, Option

from connector.cli.arguments import pairs, read_document, set_value
from connector.cli.combinations import check_call
from connector.cli.exit_codes import ExitCode
from connector.cli.naming import operation_of
from connector.cli.options import ClientOptions, OutputOptions
from connector.cli.output import picker, print_line
from connector.cli.printing import print_events, print_explanation, print_outcome, print_warnings
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list
from connector.offline import offline_mode

if TYPE_CHECKING:
    from connector.http import Client
    from connector.subscriber import Subscriber

__all__ = ["CallOptions", "call"]


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """The operation and its request."""

    words: Annotated[
        list[str] | None,
        Argument(metavar="NAME", help="An operation, such as chat completions create, then the values of its path."),
    ] = None
    path: Annotated[list[str] | None, Option("--path", metavar="K=V", help="A path parameter.")] = None
    query: Annotated[
        list[str] | None, Option("--query", metavar="K=V", help="A query parameter; given again, a list.")
    ] = None
    payload: Annotated[str | None, Option("--payload", metavar="JSON|@FILE|-", help="The body.")] = None
    request: Annotated[
        str | None, Option("--request", metavar="JSON|@FILE|-", help="{path, query, payload, headers} in one.")
    ] = None
    file: Annotated[list[str] | None, Option("--file", metavar="FIELD=PATH", help="A file to upload.")] = None
    assign: Annotated[
        list[str] | None, Option("--set", metavar="PATH=VALUE", help="Set one value, e.g. payload.model=gpt-5.")
    ] = None
    requests: Annotated[
        Path | None, Option("--from", metavar="JSONL|-", help="One request a line; one outcome a line, in order.")
    ] = None
    concurrency: Annotated[
        int | None, Option("--concurrency", min=1, metavar="N", help="With --from: calls at a time; 16 unless given.")
    ] = None
    validate: Annotated[
        str | None,
        Option("--validate", metavar="strict|spelling|known|warn|off", help="How hard to check the request."),
    ] = None
    stream: Annotated[bool, Option("--stream", help="Print the answer's events as they come.")] = False
    every: Annotated[bool, Option("--all", help="Follow the pages; one entity a line.")] = False
    limit: Annotated[int | None, Option("--limit", min=0, metavar="N", help="With --all: stop after N entities.")] = (
        None
    )


@dataclass(frozen=True, kw_only=True)
class CallOptions(OutputOptions, ClientOptions, RequestOptions):
    """What `call` can be told; a dataclass's last base comes first on the command line."""

    decided: ClassVar[Mapping[str, str]] = {}
    """Options that a command stands for, with its name."""

    @property
    def entity(self) -> str | None:
        """What was named, as one text."""
        return " ".join(self.words) if self.words else None

    @property
    def client_parameters(self) -> dict[str, JSON]:
        """What was given as parameters of the client."""
        parameters = self.parameters([upload.partition("=")[2] for upload in self.file or ()])
        return parameters if self.validate is None else {**parameters, "validate": self.validate}

    def document(self) -> dict[str, JSON]:
        """The request that the options describe: --request first, then what is more particular."""
        document: JSON = read_document(self.request, "--request") if self.request else {}
        if not is_document(document):
            raise ConfigurationError("--request: a request is an object {path, query, payload, headers}")
        if self.payload is not None:
            document["payload"] = read_document(self.payload, "--payload")
        for section, values in (
            ("path", pairs(self.path, "--path")),
            ("query", pairs(self.query, "--query")),
            ("headers", self.headers()),
            ("payload", _uploads(self.files())),
        ):
            if values:
                document[section] = {**_members(document.get(section), section), **values}
        for assignment in self.assign or ():
            set_value(document, assignment)
        return document

    def files(self) -> dict[str, JSON]:
        return pairs(self.file, "--file")


def _members(value: JSON, section: str) -> dict[str, JSON]:
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


def call(options: CallOptions) -> None:
    """Call any operation of the API by name."""
    check_call(options)
    with offline_mode(when=options.dry_run):
        raise Exit(asyncio.run(_call(options)))


async def _call(options: CallOptions) -> ExitCode:
    from connector.cli.client_choice import chosen_client

    async with chosen_client(options, options.client_parameters, dry_run=options.dry_run) as client:
        with options.logs.written(client.redactor):
            return await (_call_one if options.requests is None else _call_many)(client, options)


async def _call_many(client: Client, options: CallOptions) -> ExitCode:
    from connector.cli.many import call_many, explain_many, read_many

    if options.dry_run:
        return explain_many(client, options)
    return await (read_many if options.every else call_many)(client, options)


async def _call_one(client: Client, options: CallOptions) -> ExitCode:
    if not options.words:
        raise ConfigurationError("which operation? e.g. `call models list`; `entities list` shows all of them")
    pick = picker(options.select)
    document = options.document()
    operation, values = operation_of(client.catalogue, options.words)
    if values:
        document["path"] = {**values, **_members(document.get("path"), "path")}
    subscriber = _subscriber(client, operation.name) if options.every else None
    wire = client.prepare(operation, document, from_text=True, stream=True if options.stream else None)
    if options.dry_run:
        return print_explanation(client, wire, options.notation or "json", pick)
    print_warnings(wire)
    if subscriber is not None:
        return await _print_entities(subscriber, options, document)
    if options.stream:
        return await print_events(client, wire, options.timeout, pick)
    return await print_outcome(client, wire, options.timeout, options.to, pick)


def _subscriber(client: Client, operation: str) -> Subscriber:
    from connector.subscriber import Subscriber

    return Subscriber(client, operation)


async def _print_entities(subscriber: Subscriber, options: CallOptions, document: dict[str, JSON]) -> ExitCode:
    pick = picker(options.select)
    async for entity in subscriber.read(document, limit=options.limit, from_text=True):
        print_line(pick(entity))
    return pick.ended(ExitCode.DONE)
