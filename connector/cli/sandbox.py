"""`sandbox`: a stand-in for the API on this machine, without a key or costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from connector.cli.arguments import parse_day
from connector.cli.options import Entities, catalogue_folder
from connector.cli.output import say

if TYPE_CHECKING:
    from connector.sandbox import Sandbox

__all__ = ["SandboxOptions", "sandbox"]


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """The options of `sandbox`."""

    port: Annotated[
        int, Option("--port", metavar="P", min=0, max=65535, help="The port on 127.0.0.1; 0 chooses a free one.")
    ] = 8765
    seed: Annotated[int, Option("--seed", metavar="N", help="The same seed gives the same answers and faults.")] = 0
    latency: Annotated[
        float, Option("--latency", metavar="MS", min=0, max=600_000, help="Milliseconds to add to every answer.")
    ] = 0
    fault: Annotated[
        list[str] | None,
        Option("--fault", metavar="KIND:RATE[:NUMBER]", help="A fault to inject, such as 429:0.05 or delay:0.1:2.5."),
    ] = None
    script: Annotated[
        Path | None, Option("--script", metavar="FILE", help="Scripted answers and faults, in YAML or JSON.")
    ] = None
    state: Annotated[
        Path | None, Option("--state", metavar="FILE", help="Keep the state in a file across restarts.")
    ] = None
    lenient: Annotated[
        bool, Option("--lenient", help="Invent an object for an unknown id instead of answering 404.")
    ] = False
    pace: Annotated[
        float,
        Option(
            "--pace", metavar="S", min=0, max=86_400, help="Seconds that batches, jobs and runs stay in each state."
        ),
    ] = 1.0
    webhook: Annotated[str | None, Option("--webhook", metavar="URL", help="The URL to send webhooks to.")] = None
    webhook_secret: Annotated[
        str | None,
        Option(
            "--webhook-secret",
            envvar="OPENAI_WEBHOOK_SECRET",
            metavar="SECRET",
            help="The secret that signs webhooks; it begins with whsec_.",
        ),
    ] = None
    removed: Annotated[
        bool, Option("--removed", help="Answer operations that the API has removed, in their old form.")
    ] = False
    today: Annotated[
        date | None,
        Option("--today", metavar="DATE", parser=parse_day, help="The day on which models live or are shut down."),
    ] = None
    billing: Annotated[
        list[str] | None,
        Option(
            "--billing",
            metavar="KIND:NUMBER",
            help="How usage comes into the reports: late:SECONDS, random:SECONDS, round:DIGITS, fresh.",
        ),
    ] = None
    entities: Entities = None


def sandbox(options: SandboxOptions) -> None:
    """Run a stand-in for the API on this machine, which checks, remembers and answers, without a key or costs."""
    asyncio.run(_serve(options))


async def _serve(options: SandboxOptions) -> None:
    from connector.aio.signals import handle_signals

    stopping = asyncio.Event()
    with handle_signals(lambda _: stopping.set(), lambda _: None):
        await _serve_until(stopping, options)


async def _serve_until(stopping: asyncio.Event, options: SandboxOptions) -> None:
    async with _create(options) as running:
        print(running.url, flush=True)  # noqa: T201  the result
        say(_hints(running.url))
        if options.webhook is not None:
            say(f"  webhooks to {options.webhook} are signed with {running.webhook_secret}")
        await stopping.wait()


def _create(options: SandboxOptions) -> Sandbox:
    from connector.catalogue import Catalogue
    from connector.sandbox import Sandbox

    return Sandbox(
        seed=options.seed,
        lenient=options.lenient,
        latency=options.latency,
        pace=options.pace,
        faults=options.fault or (),
        script=options.script,
        state=options.state,
        webhook=options.webhook,
        webhook_secret=options.webhook_secret,
        removed=options.removed,
        today=options.today,
        billing=options.billing or (),
        port=options.port,
        catalogue=Catalogue.open(catalogue_folder(options.entities)),
    )


def _hints(url: str) -> str:
    return f"""the sandbox answers at {url}; stop it with Ctrl-C
  the connector and SDKs:  export OPENAI_BASE_URL={url} OPENAI_API_KEY=any
  one call:                openai-connector call "models list" --base-uri {url} --token any
  what arrived:            curl {url.removesuffix("/v1")}/sandbox/requests"""
