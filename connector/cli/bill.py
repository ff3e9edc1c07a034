"""`bill reconcile`: whose every cent was, and which calls without a known end were billed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.command import command, group
from connector.cli.exit_codes import ExitCode
from connector.cli.forecast import open_past
from connector.cli.options import Config, Entities, Json, configuration_at, open_catalogue
from connector.cli.output import print_document, print_table, print_text, say, wants_json
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Store
    from connector.money.ledger.bill import Bill, BillTerms
    from connector.runtime.bill_settlement import TaskSettlement

__all__ = ["bill"]

bill = group("Hold the organization's bill against what was called.", name="bill")
DAY = "%Y-%m-%d"
HOSTS = ("mcp", "camunda", "temporal")


class By(StrEnum):
    """What cents are shown by."""

    route = "route"
    task = "task"


@dataclass(frozen=True, kw_only=True)
class ReconcileOptions:
    """The options of `bill reconcile`."""

    first: Annotated[
        datetime, Option("--from", formats=[DAY], metavar="DATE", help="The first day, in UTC, such as 2026-11-01.")
    ]
    last: Annotated[
        datetime | None,
        Option("--to", formats=[DAY], metavar="DATE", help="The last day; by default the first one alone."),
    ] = None
    config: Config = None
    client: Annotated[
        str | None,
        Option(
            "--client",
            metavar="NAME",
            help="The client that reads the reports; by default the first with an admin key.",
        ),
    ] = None
    by: Annotated[By, Option("--by", help="Whose cents are shown: those of each route, or of each task.")] = By.route
    alone: Annotated[
        bool, Option("--alone", help="You answer for it that nobody else calls with these keys, so that counts decide.")
    ] = False
    key: Annotated[
        list[str] | None,
        Option("--key", metavar="CLIENT=ID", help="The id of a client's key, as reports name it; it begins with key_"),
    ] = None
    gateway: Annotated[
        list[Path] | None,
        Option("--gateway", metavar="FOLDER", help="The folder of another gateway, whose tokens' calls count too."),
    ] = None
    late: Annotated[
        str, Option("--late", metavar="TIME", help="After how long a minute is reported whole: 30m, 6h, 1d.")
    ] = "6h"
    longest: Annotated[
        str,
        Option("--longest", metavar="TIME", help="For how long the API may go on with a call that nobody waits for."),
    ] = "10m"
    settle: Annotated[
        bool,
        Option("--settle", help="Settle unknown tasks: what was billed is done, what was not is queued again."),
    ] = False
    yes: Annotated[bool, Option("--yes", help="With --settle: do it without asking.")] = False
    json: Json = None
    entities: Entities = None


def reconcile(options: ReconcileOptions) -> None:
    """Say whose every cent of some days was, and which calls without a known end were billed."""
    from connector.pipeline import load_configuration

    if options.yes and not options.settle:
        raise ConfigurationError("--yes answers what --settle asks: give --settle with it")
    raise Exit(asyncio.run(_reconcile(load_configuration(configuration_at(options.config)), options)))


bill.command("reconcile")(command(reconcile, ReconcileOptions))


async def _reconcile(configuration: Configuration, options: ReconcileOptions) -> ExitCode:
    from connector.money.ledger.bill import reconcile_bill
    from connector.pipeline import Runtime
    from connector.runtime.bill_settlement import plan_settlements

    terms = _read_terms(configuration, options)
    async with (
        _open_stores(configuration) as stores,
        Runtime(configuration, catalogue=open_catalogue(configuration, options.entities)) as runtime,
    ):
        found = await reconcile_bill(runtime, stores, terms, client=options.client)
        plans: list[TaskSettlement] = []
        if options.settle:
            async with aclosing(plan_settlements(found, stores)) as planned:
                plans = [plan async for plan in planned]
        if wants_json(options.json):
            settled = await _settle(plans, stores, options)
            more = {"settled": settled, "tasks": [plan.as_document() for plan in plans]} if options.settle else {}
            print_document({**found.as_document(), **more})
        else:
            _print_bill(found)
            settled = await _settle(plans, stores, options)
    return ExitCode.DONE if settled is not None else ExitCode.UNKNOWN


def _read_terms(configuration: Configuration, options: ReconcileOptions) -> BillTerms:
    from connector.money.ledger.bill import BillTerms

    first, last = options.first.date(), (options.last or options.first).date()
    if last < first:
        raise ConfigurationError(f"--to {last}: the last day is before the first, {first}")
    now = time.time()
    if first > datetime.fromtimestamp(now, UTC).date():
        raise ConfigurationError(f"--from {first}: that day has not begun; nothing was billed on it")
    return BillTerms(
        first=first, last=last, now=now, lateness=_parse_time(options.late, "--late"),
        longest=_parse_time(options.longest, "--longest"), alone=options.alone,
        keys=_read_keys(configuration, options.key or ()), gateways=options.gateway or (), by=options.by.value,
    )  # fmt: skip


def _parse_time(written: str, option: str) -> float:
    from connector.config.models.measures import parse_duration

    try:
        return float(parse_duration(written))
    except ValueError as error:
        raise ConfigurationError(f"{option} {written!r}: {error}") from None


def _read_keys(configuration: Configuration, written: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in written:
        client, mark, key = one.partition("=")
        if not mark or not key:
            raise ConfigurationError(f"--key {one!r}: a client and the id of its key are needed: --key NAME=key_abc")
        configuration.find("clients", client)
        found[client] = key
    return found


@asynccontextmanager
async def _open_stores(configuration: Configuration) -> AsyncGenerator[Mapping[str, Store]]:
    """Open the journal of the routes, and those of hosts that have made calls."""
    from connector.engine import open_store

    stores: dict[str, Store] = {}
    async with AsyncExitStack() as stack:
        stores[""] = await stack.enter_async_context(open_past(configuration))
        urls = {configuration.engine_url}
        for host in HOSTS:
            url: str | None = getattr(configuration, f"{host}_engine_url")
            is_there = url is not None and (
                not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()  # noqa: ASYNC240
            )
            if url is None or not is_there or url in urls:
                continue
            urls.add(url)
            stores[host] = await open_store(url, role="admin")
            stack.push_async_callback(stores[host].close)
        yield stores


async def _settle(
    plans: Sequence[TaskSettlement], stores: Mapping[str, Store], options: ReconcileOptions
) -> dict[str, int] | None:
    """Show what would be done, ask, and do it; return what was done, None where nobody said that it may be."""
    from connector.runtime.bill_settlement import Settling, settle_tasks

    for plan in plans:
        say(f"task {plan.place}{':' if plan.place else ''}{plan.task.id} of route {plan.task.route}:"
            f" {plan.settling.value}: {plan.reason}")  # fmt: skip
    chosen = [plan for plan in plans if plan.settling is not Settling.LEFT]
    if not chosen:
        if options.settle:
            say("no unknown task can be settled by the reports")
        return {}
    if not options.yes and not _ask(len(chosen)):
        return None
    done = await settle_tasks(chosen, stores, time.time())
    say(", ".join(f"{count} {settling.value}" for settling, count in done.items() if count))
    if done[Settling.DONE] or done[Settling.AGAIN]:
        say("the run that is at work goes on with them, or the next `run`")
    return {settling.value: count for settling, count in done.items()}


def _ask(count: int) -> bool:
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        say("nothing was settled: there is nobody to ask here; --yes settles them")
        return False
    from typer import Abort, confirm

    try:
        return confirm(f"Settle {count} {'task' if count == 1 else 'tasks'} so?", default=False, err=True)
    except Abort:
        return False


def _print_bill(found: Bill) -> None:
    """Print a bill for a person."""
    shares, first, last = found.shares, found.terms.first, found.terms.last
    days = f"{first}" if first == last else f"{first} to {last}"
    print_text(f"{days}: {_money(found, shares.charged)} charged, read through client {found.client}")
    rows = [
        [
            f"{owner.kind} {owner.name}",
            f"{owner.calls:,}",
            _money(found, owner.amount),
            _share(owner.amount, shares.charged),
        ]
        for owner in shares.owners
    ]
    rows.append(
        ["elsewhere", f"{shares.foreign:,}", _money(found, shares.elsewhere), _share(shares.elsewhere, shares.charged)]
    )
    print_table(["whose", "calls", "amount", "share"], rows)
    for line in _notes(found):
        print_text(line)
    for doubt in found.doubts:
        call, at = doubt.call, datetime.fromtimestamp(doubt.call.began, UTC)
        whose = f"a call of token {call.token}" if call.token else f"task {call.task} of route {call.route}"
        print_text(f"{whose}, {call.operation} at"
                   f" {at:%Y-%m-%d %H:%M:%S} UTC: {doubt.decision.verdict.value}: {doubt.decision.reason}")  # fmt: skip


def _money(found: Bill, amount: float) -> str:
    return f"{amount:,.6f} {found.currency}"


def _share(amount: float, whole: float) -> str:
    return f"{amount / whole:.1%}" if whole else "-"


def _notes(found: Bill) -> Iterator[str]:
    from connector.money.ledger.verdicts import Verdict

    difference = found.shares.difference
    if abs(difference) >= 0.000_000_5:
        side = "more" if difference > 0 else "less"
        yield (
            f"the owners' sums are {abs(difference):,.6f} {found.currency} {side} than what is charged for them:"
            " rounding, prices of your own, or charges that still come"
        )
    if found.doubts:
        counts = ", ".join(f"{found.count(verdict)} {verdict.value}" for verdict in Verdict)
        yield f"{len(found.doubts)} calls without a known end: {counts}"
