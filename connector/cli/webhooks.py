"""`webhooks`: the endpoints that the API sends events to, and their signing secrets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from typer import Argument, Exit, Option

from connector.cli.client_choice import choose_client
from connector.cli.command import command, group
from connector.cli.exit_codes import ExitCode
from connector.cli.options import ClientOptions, Json
from connector.cli.output import print_document, print_text, say, wants_json
from connector.cli.webhook_endpoints import Endpoints, check_url
from connector.cli.webhook_secrets import SecretFile
from connector.errors import ConfigurationError
from connector.model import JSON, items

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["webhooks"]

webhooks = group("Webhook endpoints: where the API sends its events, and what it signs them with.")

Which = Annotated[str, Argument(metavar="ENDPOINT", help="An endpoint, by its id, its URL or its name.")]
SecretFileOption = Annotated[
    Path | None,
    Option("--secret-file", metavar="FILE", help="Keep the secret in this file, which `${file:FILE}` reads."),
]
RECEIVED_BELOW = "/hooks/"
"""The paths that the gateway receives webhooks at."""


@asynccontextmanager
async def _open(options: ClientOptions) -> AsyncGenerator[tuple[Client, Endpoints]]:
    async with choose_client(options, options.parameters([]), dry_run=False) as client:
        with options.logs.written(client.redactor):
            yield client, Endpoints(client)


@dataclass(frozen=True, kw_only=True)
class ListOptions(ClientOptions):
    """The options of `webhooks list`."""

    json: Json = None


def list_endpoints(options: ListOptions) -> None:
    """List the webhook endpoints of the project."""
    asyncio.run(_list(options))


async def _list(options: ListOptions) -> None:
    async with _open(options) as (_, endpoints):
        found = await endpoints.list_all()
    if wants_json(options.json):
        print_document(found)
        return
    for one in found:
        print_text(f"{one['id']}  {one['name']}\n  {one['url']}\n  {_join_events(one)}")
    if not found:
        say("the project has no webhook endpoints; `webhooks register` makes one")


def _join_events(endpoint: dict[str, JSON]) -> str:
    return ", ".join(str(event) for event in items(endpoint.get("event_types")))


@dataclass(frozen=True, kw_only=True)
class RegisterOptions(ClientOptions):
    """The options of `webhooks register`."""

    url: Annotated[str, Argument(metavar="URL", help="Where the events are sent to, such as https://HOST/hooks/NAME.")]
    events: Annotated[list[str], Option("--events", metavar="TYPE,TYPE", help="The types of events, or all.")]
    name: Annotated[str | None, Option("--name", metavar="N", help="What people call it; the host unless given.")] = (
        None
    )
    secret_file: SecretFileOption = None


def register(options: RegisterOptions) -> None:
    """Create an endpoint, and print its signing secret, which is shown only once."""
    asyncio.run(_register(options))


async def _register(options: RegisterOptions) -> None:
    check_url(options.url)
    file = SecretFile(options.secret_file) if options.secret_file is not None else None
    if file is not None:
        file.require_empty()
    events = [event.strip() for text in options.events for event in text.split(",") if event.strip()]
    async with _open(options) as (_, endpoints):
        made = await endpoints.create(options.url, options.name or urlsplit(options.url).hostname or "", events)
    _hand_over(made, file, [])


def _hand_over(endpoint: dict[str, JSON], file: SecretFile | None, old: Sequence[str]) -> None:
    """Print an endpoint, its new secret and its entry for a configuration; a secret that has a file is not printed."""
    endpoint = dict(endpoint)
    secret = str(endpoint.pop("signing_secret", ""))
    written = file is not None and _write_or_say(file, [secret, *old])
    shown: dict[str, JSON] = {} if written else {"signing_secret": secret}
    reference = f"${{file:{file.path}}}" if file is not None and written else "${OPENAI_WEBHOOK_SECRET}"
    path = urlsplit(str(endpoint.get("url"))).path
    parameters: dict[str, JSON] = {
        "path": path if path.startswith(RECEIVED_BELOW) else f"{RECEIVED_BELOW}openai",
        "secret": reference,
        "events": endpoint.get("event_types"),
    }
    entry = {"webhooks": {"subscriber": {"prototype": "webhook", "parameters": parameters}}}
    print_document({**shown, "endpoint": endpoint, "incoming": entry})
    if not written:
        say("the signing secret is shown only this once: keep it where the receiver reads it")


def _write_or_say(file: SecretFile, secrets: Sequence[str]) -> bool:
    """Return whether the secrets are in the file; a secret that the API shows only once is not lost with it."""
    try:
        file.write(secrets)
    except ConfigurationError as error:
        say(f"{error}; the secret is printed instead")
        return False
    say(f"the signing secret is in {file.path}")
    return True


@dataclass(frozen=True, kw_only=True)
class TestOptions(ClientOptions):
    """The options of `webhooks test`."""

    which: Annotated[str | None, Argument(metavar="ENDPOINT", help="An endpoint, by its id, its URL or its name.")] = (
        None
    )
    event: Annotated[
        str | None, Option("--event", metavar="TYPE", help="The type of the event; by default the endpoint's first.")
    ] = None
    url: Annotated[
        str | None, Option("--url", metavar="URL", help="Send from here to this receiver, without the API.")
    ] = None
    secret_file: SecretFileOption = None


def test(options: TestOptions) -> None:
    """Let the API send a test event to an endpoint, or send one to a receiver from here."""
    raise Exit(asyncio.run(_test_receiver(options) if options.url is not None else _test_endpoint(options)))


async def _test_endpoint(options: TestOptions) -> ExitCode:
    if options.which is None:
        raise ConfigurationError("which endpoint? `webhooks list` shows them; --url URL sends to a receiver from here")
    if options.secret_file is not None:
        raise ConfigurationError("--secret-file signs what is sent from here: give --url with it")
    async with _open(options) as (_, endpoints):
        endpoint = await endpoints.find(options.which)
        event = options.event or str(next(iter(items(endpoint.get("event_types"))), ""))
        result = await endpoints.test(str(endpoint["id"]), event)
    print_document(result)
    return _judge(result.get("status_code"), str(endpoint["url"]), event)


async def _test_receiver(options: TestOptions) -> ExitCode:
    from connector.cli.webhook_delivery import deliver

    if options.which is not None or options.secret_file is None:
        raise ConfigurationError("--url needs --secret-file, and no endpoint: the event is signed and sent from here")
    url = str(options.url)
    check_url(url)
    secrets = SecretFile(options.secret_file).read()
    if not secrets:
        raise ConfigurationError(f"--secret-file: {str(options.secret_file)!r} holds no secret")
    event = options.event or "response.completed"
    outcome = await deliver(url, secrets[0], event, options.parameters([]))
    print_document({"url": url, "event_type": event, "status_code": outcome.status})
    if outcome.status is None:
        say(outcome.sentence())
        return ExitCode.NETWORK
    return _judge(outcome.status, url, event)


def _judge(status: JSON, url: str, event: str) -> ExitCode:
    """Say what a receiver's answer means."""
    if isinstance(status, int) and 200 <= status < 300:
        say(f"{url} takes {event}: it answered {status}")
        return ExitCode.DONE
    why = "it did not believe the signature, or the time" if status in (400, 401, 403) else "it did not take the event"
    say(f"{url} answered {status}: {why}")
    return ExitCode.REFUSED


@dataclass(frozen=True, kw_only=True)
class RotateOptions(ClientOptions):
    """The options of `webhooks rotate`."""

    which: Annotated[str | None, Argument(metavar="ENDPOINT", help="An endpoint, by its id, its URL or its name.")] = (
        None
    )
    secret_file: SecretFileOption = None
    at_once: Annotated[
        bool,
        Option("--at-once", help="End the old secret now, as when it has leaked; else it holds for 24 hours more."),
    ] = False
    end_overlap: Annotated[
        bool, Option("--end-overlap", help="Only remove the old secret from --secret-file; call nothing.")
    ] = False


def rotate(options: RotateOptions) -> None:
    """Give an endpoint a new signing secret; receivers take both for a day."""
    if options.end_overlap:
        _end_overlap(options)
    else:
        asyncio.run(_rotate(options))


def _end_overlap(options: RotateOptions) -> None:
    if options.secret_file is None or options.which is not None or options.at_once:
        raise ConfigurationError("--end-overlap needs --secret-file, and neither an endpoint nor --at-once")
    file = SecretFile(options.secret_file)
    secrets = file.read()
    if not secrets:
        raise ConfigurationError(f"--secret-file: {str(file.path)!r} holds no secret")
    file.write(secrets[:1])
    ended = len(secrets) - 1
    say(f"{file.path} holds the newest secret only; {ended} older {'one was' if ended == 1 else 'ones were'} removed")


async def _rotate(options: RotateOptions) -> None:
    if options.which is None:
        raise ConfigurationError("which endpoint? `webhooks list` shows them")
    file = SecretFile(options.secret_file) if options.secret_file is not None else None
    old = file.read()[:1] if file is not None and not options.at_once else []
    async with _open(options) as (_, endpoints):
        endpoint = await endpoints.find(options.which)
        rotated = await endpoints.rotate(str(endpoint["id"]), overlap=not options.at_once)
    _hand_over(rotated, file, old)
    if old and file is not None:
        end = f"openai-connector webhooks rotate --end-overlap --secret-file {file.path}"
        say(f"for 24 hours both secrets hold; then end that: {end}")


@dataclass(frozen=True, kw_only=True)
class RemoveOptions(ClientOptions):
    """The options of `webhooks remove`."""

    which: Which
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False


def remove(options: RemoveOptions) -> None:
    """Remove an endpoint, after asking: the API sends it nothing more."""
    asyncio.run(_remove(options))


async def _remove(options: RemoveOptions) -> None:
    async with _open(options) as (_, endpoints):
        endpoint = await endpoints.find(options.which)
        what = f"{endpoint['id']} ({endpoint['name']}, {endpoint['url']})"
        if not options.yes and not _confirm(f"remove {what}, which takes {_join_events(endpoint)}?"):
            say("nothing was removed")
            raise Exit(ExitCode.NOTHING)
        print_document(await endpoints.delete(str(endpoint["id"])))
    say(f"{what} was removed; what it was not sent yet is lost")


def _is_answered() -> bool:
    return sys.stdin.isatty()


def _confirm(question: str) -> bool:
    from typer import confirm

    if not _is_answered():
        raise ConfigurationError(f"{question} nobody answers here: give --yes if that is meant")
    return confirm(question, err=True)


webhooks.command("list")(command(list_endpoints, ListOptions))
webhooks.command("register")(command(register, RegisterOptions))
webhooks.command("test")(command(test, TestOptions))
webhooks.command("rotate")(command(rotate, RotateOptions))
webhooks.command("remove")(command(remove, RemoveOptions))
