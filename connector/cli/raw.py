"""`curl`: any path through the same client, known to the catalogue or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from connector.cli import arguments as given
from connector.cli.exit_codes import ExitCode
from connector.cli.output import picker
from connector.cli.printing import print_explanation, print_outcome
from connector.errors import ConfigurationError
from connector.model import JSON, is_list

__all__ = ["curl"]


def curl(
    path: Annotated[str, Argument(help="A path such as /v1/models, with its query if any.")],
    *,
    method: Annotated[
        str | None, Option("-X", "--request", metavar="METHOD", help="GET; POST when there is data.")
    ] = None,
    data: Annotated[str | None, Option("-d", "--data", metavar="JSON|@FILE|-", help="A JSON body.")] = None,
    form: Annotated[
        list[str] | None, Option("-F", "--form", metavar="NAME=VALUE", help="A form field; NAME=@FILE uploads a file.")
    ] = None,
    query: Annotated[list[str] | None, Option("--query", metavar="K=V")] = None,
    header: given.Headers = None,
    answer: Annotated[
        str | None, Option("--answer", metavar="json|text|binary|events", help="What the answer should be taken for.")
    ] = None,
    client: given.Prototype = "openai",
    base_uri: given.BaseUri = None,
    token: given.Token = None,
    organization: given.Organization = None,
    project: given.Project = None,
    parameter: given.Parameters = None,
    timeout: given.Timeout = None,
    retries: given.Retries = None,
    to: given.To = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show the exact request and send nothing.")] = False,
    notation: Annotated[str, Option("--as", metavar="json|curl", help="With --dry-run.")] = "json",
    select: given.Select = None,
) -> None:
    """Call any path through the client: its credentials, retries, time-outs and envelope."""
    if data is not None and form:
        raise ConfigurationError("a request has either --data or --form")
    asked = {
        "method": method or ("POST" if data is not None or form else "GET"),
        "path": path,
        "query": given.pairs(query, "--query"),
        "headers": given.header_pairs(header),
        "json": None if data is None else given.read_document(data, "--data"),
        "form": _fields(form),
        "answer": answer,
    }
    parameters = given.client_parameters(
        client,
        base_uri=base_uri,
        token=token,
        organization=organization,
        project=project,
        others=parameter,
        retries=retries,
        uploads=[text.replace("=@", "=", 1) for text in form or () if "=@" in text],
    )
    raise Exit(asyncio.run(_curl(client, parameters, asked, timeout, to, dry_run, notation, select)))


async def _curl(
    prototype: str,
    parameters: dict[str, JSON],
    asked: dict[str, JSON],
    timeout: float | None,  # noqa: ASYNC109  handed to the client, which keeps time
    to: Path | None,
    dry_run: bool,
    notation: str,
    select: str | None,
) -> ExitCode:
    from connector.http import Client

    pick = picker(select)
    async with Client(prototype, **parameters) as client:
        wire = client.prepare_raw(**asked)
        if dry_run:
            return print_explanation(client, wire, notation, pick)
        return await print_outcome(client, wire, timeout, to, pick)


def _fields(form: list[str] | None) -> dict[str, JSON] | None:
    if not form:
        return None
    fields = given.pairs(form, "--form")
    return {name: _field(value) for name, value in fields.items()}


def _field(value: JSON) -> JSON:
    if is_list(value):
        return [_field(item) for item in value]
    return {"$file": value[1:]} if value.startswith("@") else value
