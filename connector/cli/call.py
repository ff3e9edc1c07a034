"""`call`: any operation by name; `explain` and `subscribe` are the same with an option decided."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli import arguments as given
from connector.cli.exit_codes import ExitCode
from connector.cli.output import picker, print_line
from connector.cli.presets import preset
from connector.cli.printing import Pick, print_events, print_explanation, print_outcome, print_warnings
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["call", "explain", "subscribe"]


def call(
    entity: Annotated[str | None, Argument(help="An entity, or any name of an operation.")] = None,
    action: Annotated[str | None, Argument(help="create, list, retrieve, delete or a verb.")] = None,
    *,
    path: Annotated[list[str] | None, Option("--path", metavar="K=V")] = None,
    query: Annotated[list[str] | None, Option("--query", metavar="K=V")] = None,
    payload: Annotated[str | None, Option("--payload", metavar="JSON|@FILE|-")] = None,
    request: Annotated[
        str | None, Option("--request", metavar="JSON|@FILE|-", help="{path, query, payload, headers} in one.")
    ] = None,
    file: Annotated[list[str] | None, Option("--file", metavar="FIELD=PATH", help="A file to upload.")] = None,
    assign: Annotated[
        list[str] | None, Option("--set", metavar="PATH=VALUE", help="Set one value, e.g. payload.model=gpt-5.")
    ] = None,
    requests: Annotated[
        Path | None, Option("--from", metavar="JSONL", help="One request a line; one outcome a line, in order.")
    ] = None,
    concurrency: Annotated[int, Option("--concurrency", min=1, metavar="N", help="With --from: calls at a time.")] = 16,
    client: given.Prototype = "openai",
    base_uri: given.BaseUri = None,
    token: given.Token = None,
    organization: given.Organization = None,
    project: given.Project = None,
    parameter: given.Parameters = None,
    header: given.Headers = None,
    timeout: given.Timeout = None,
    retries: given.Retries = None,
    validate: Annotated[
        str | None, Option("--validate", metavar="strict|known|warn|off", help="How hard to check the request.")
    ] = None,
    stream: Annotated[bool, Option("--stream", help="Print the answer's events as they come.")] = False,
    every: Annotated[bool, Option("--all", help="Follow the pages; one entity a line.")] = False,
    limit: Annotated[int | None, Option("--limit", metavar="N", help="With --all: stop after N entities.")] = None,
    to: given.To = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show the exact request and send nothing.")] = False,
    notation: Annotated[
        str, Option("--as", metavar="json|curl", help="With --dry-run: how the request is shown.")
    ] = "json",
    select: given.Select = None,
    entities: given.Entities = None,
) -> None:
    """Call any operation of the API by name."""
    wanted = Wanted(
        entity=entity,
        action=action,
        request=_request_document(request, payload, path, query, file, assign, header),
        validate=validate,
        stream=stream,
        every=every,
        limit=limit,
        to=to,
        timeout=timeout,
        dry_run=dry_run,
        notation=notation,
        select=select,
    )
    parameters = given.client_parameters(
        client,
        base_uri=base_uri,
        token=token,
        organization=organization,
        project=project,
        others=parameter,
        retries=retries,
        uploads=file,
    )
    raise Exit(asyncio.run(_call(client, parameters, given.catalogue_folder(entities), wanted, requests, concurrency)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one call should do, apart from the client it goes through."""

    entity: str | None
    action: str | None
    request: dict[str, JSON]
    validate: str | None
    stream: bool
    every: bool
    limit: int | None
    to: Path | None
    timeout: float | None
    dry_run: bool
    notation: str
    select: str | None


async def _call(
    prototype: str,
    parameters: dict[str, JSON],
    folder: Path | None,
    wanted: Wanted,
    requests: Path | None,
    concurrency: int,
) -> ExitCode:
    from connector.catalogue import Catalogue
    from connector.http import Client

    async with Client(prototype, catalogue=Catalogue.open(folder), **parameters) as client:
        if requests is not None:
            from connector.cli.many import call_many

            return await call_many(client, requests, concurrency, wanted)
        return await _call_one(client, wanted)


async def _call_one(client: Client, wanted: Wanted) -> ExitCode:
    if wanted.entity is None:
        raise ConfigurationError("which operation? e.g. `call models list`; `entities list` shows all of them")
    pick = picker(wanted.select)
    operation = client.catalogue.find(wanted.entity, wanted.action)
    wire = client.prepare(
        operation, wanted.request, validate=wanted.validate, from_text=True, stream=True if wanted.stream else None
    )
    print_warnings(wire)
    if wanted.dry_run:
        return print_explanation(client, wire, wanted.notation, pick)
    if wanted.every:
        return await _print_entities(client, wanted, pick)
    if wanted.stream:
        return await print_events(client, wire, wanted.timeout, pick)
    return await print_outcome(client, wire, wanted.timeout, wanted.to, pick)


async def _print_entities(client: Client, wanted: Wanted, pick: Pick) -> ExitCode:
    from connector.subscriber import Subscriber

    subscriber = Subscriber(client, wanted.entity or "", wanted.action)
    async for document in subscriber.read(wanted.request, limit=wanted.limit, from_text=True):
        print_line(pick(document))
    return ExitCode.DONE


def _request_document(
    request: str | None,
    payload: str | None,
    path: list[str] | None,
    query: list[str] | None,
    files: list[str] | None,
    assignments: list[str] | None,
    headers: list[str] | None,
) -> dict[str, JSON]:
    """The request that the options describe: --request first, then what is more particular."""
    document: JSON = given.read_document(request, "--request") if request else {}
    if not is_document(document):
        raise ConfigurationError("--request: a request is an object {path, query, payload, headers}")
    if payload is not None:
        document["payload"] = given.read_document(payload, "--payload")
    for section, values in (
        ("path", given.pairs(path, "--path")),
        ("query", given.pairs(query, "--query")),
        ("headers", given.header_pairs(headers)),
        ("payload", _uploads(files)),
    ):
        if values:
            document[section] = {**(document.get(section) or {}), **values}
    for assignment in assignments or ():
        given.set_value(document, assignment)
    return document


def _uploads(files: list[str] | None) -> dict[str, JSON]:
    return {
        field: [{"$file": name} for name in names] if is_list(names) else {"$file": names}
        for field, names in given.pairs(files, "--file").items()
    }


explain = preset(call, dry_run=True, doc="Show the exact request a call would send, and send nothing.")
subscribe = preset(call, every=True, action=None, doc="Print every entity of a list, page after page.")
