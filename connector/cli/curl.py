"""`curl`: any path through a client, known to the catalogue or not."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.arguments import parse_pairs, read_document
from connector.cli.call_output import print_explanation, print_outcome, print_warnings
from connector.cli.exit_codes import ExitCode
from connector.cli.options import ClientOptions, OutputOptions, check_output
from connector.cli.output import picker
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.offline import offline_mode

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["GATEWAY_TOKEN", "CurlOptions", "curl", "parse_form", "upload_paths"]

GATEWAY_TOKEN = "OPENAI_CONNECTOR_GATEWAY_TOKEN"  # noqa: S105  the name of a variable
WHOLE = "/v1/apis/http/"
"""The prefix of paths that name a client of the gateway themselves."""


@dataclass(frozen=True, kw_only=True)
class RawOptions:
    """The options that describe a request by its path."""

    path: Annotated[str, Argument(help="A path such as /v1/models, with or without a query.")]
    method: Annotated[
        str | None,
        Option("-X", "--request", metavar="METHOD", help="The method; GET, or POST with a body, by default."),
    ] = None
    data: Annotated[str | None, Option("-d", "--data", metavar="JSON|@FILE|-", help="A JSON body.")] = None
    form: Annotated[
        list[str] | None,
        Option("-F", "--form", metavar="NAME=VALUE", help="A form field; NAME=@FILE uploads a file."),
    ] = None
    query: Annotated[list[str] | None, Option("--query", metavar="K=V", help="A query parameter.")] = None
    gateway: Annotated[
        str | None,
        Option("--gateway", metavar="URL", help="Call through a gateway; --client then names one of its clients."),
    ] = None
    answer: Annotated[
        str | None, Option("--answer", metavar="json|text|binary|events", help="How to read the answer.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class CurlOptions(OutputOptions, ClientOptions, RawOptions):
    """The options of `curl`."""

    def parts(self) -> dict[str, JSON]:
        """Return the parts of the request other than method and path."""
        if self.data is not None and self.form:
            raise ConfigurationError("a request has either --data or --form")
        return {
            "query": parse_pairs(self.query, "--query"),
            "headers": self.headers(),
            "json": None if self.data is None else read_document(self.data, "--data"),
            "form": parse_form(self.form) or None,
            "brackets": False,
            "answer": self.answer,
        }


def curl(options: CurlOptions) -> None:
    """Call any path through the client: its credentials, retries, time-outs and envelope."""
    with offline_mode(when=options.dry_run):
        raise Exit(asyncio.run(_curl(options)))


async def _curl(options: CurlOptions) -> ExitCode:
    check_output(options)
    options.logs.check(dry_run=options.dry_run)
    pick, parts = picker(options.select), options.parts()
    method = options.method or ("GET" if parts["json"] is None and parts["form"] is None else "POST")
    path, client = _client(options)
    async with client:
        wire = client.prepare_raw(method, path, **parts)
        if options.dry_run:
            return print_explanation(client, wire, options.notation or "json", pick)
        print_warnings(wire)
        with options.logs.written(client.redactor):
            return await print_outcome(client, wire, options.timeout, options.to, pick)


def _client(options: CurlOptions) -> tuple[str, Client]:
    """Return the path and the client."""
    from connector.catalogue import Catalogue
    from connector.cli.client_choice import choose_client
    from connector.http import Client

    parameters = options.parameters(upload_paths(options.form))
    if options.gateway is None:
        return options.path, choose_client(options, parameters, dry_run=options.dry_run)
    path, through = _route_through(options.gateway, options)
    catalogue = Catalogue.open(options.folder())
    return path, Client("openai-compatible", catalogue=catalogue, **{**parameters, **through})


def _route_through(gateway: str, options: CurlOptions) -> tuple[str, dict[str, JSON]]:
    """Return the path below a gateway's address of a client, and the client parameters for it."""
    from urllib.parse import quote

    token = options.token or os.environ.get(GATEWAY_TOKEN, "")
    if not token:
        raise ConfigurationError(f"--gateway needs a gateway token: set {GATEWAY_TOKEN} or give --token")
    if options.base_uri is not None:
        raise ConfigurationError("a call goes either to --gateway or to --base-uri")
    address, path = gateway.rstrip("/"), options.path
    if not path.startswith(WHOLE):
        name = quote(options.client or "openai", safe="")
        address = f"{address}/{name}/v1"
        path = path.removeprefix("/v1") if path.startswith("/v1/") else path
    return path, {"base_uri": address, "token": token}


ATTRIBUTE = re.compile(r";\s*(filename|type)=(\"[^\"]*\"|[^;]*)")
WRITE = "write NAME=VALUE, or NAME=@FILE;filename=NAME;type=TYPE"


def parse_form(texts: Sequence[str] | None) -> dict[str, JSON]:
    """Parse the fields of a form; a name given again makes a list, and names are sent as written."""
    form: dict[str, JSON] = {}
    for text in texts or ():
        name, value = _split(text)
        if not name.removesuffix("[]"):
            raise ConfigurationError(f"--form {text!r}: a field has a name; {WRITE}")
        field = _file(value, text) if value.startswith("@") else value
        form[name] = [*form[name], field] if name in form else [field]
    return {name: fields if len(fields) > 1 else fields[0] for name, fields in form.items()}


def upload_paths(texts: Iterable[str] | None) -> list[str]:
    """Return the files that a form uploads."""
    values = (_split(text)[1] for text in texts or ())
    return [_attributes(value[1:])[0] for value in values if value.startswith("@")]


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ConfigurationError(f"--form {text!r}: {WRITE}")
    return name, value


def _file(value: str, text: str) -> JSON:
    path, attributes = _attributes(value[1:])
    if not path:
        raise ConfigurationError(f"--form {text!r}: no file is named; {WRITE}")
    names = {"filename": "filename", "type": "content_type"}
    return {"$file": path} | {names[key]: given for key, given in attributes.items()}


def _attributes(text: str) -> tuple[str, dict[str, str]]:
    """Split a file's path from its attributes, unless a file has the whole text as its name."""
    if Path(text).is_file():
        return text, {}
    first = ATTRIBUTE.search(text)
    if first is None:
        return text, {}
    found = {match[1]: match[2].strip().strip('"') for match in ATTRIBUTE.finditer(text)}
    return text[: first.start()], found
