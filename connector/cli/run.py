"""`run`: the routes of a configuration, delivered once or as a service, in one process or in several."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.ask_above import may_pay
from connector.cli.exit_codes import ExitCode, worst
from connector.cli.garbage import infrequent_collection
from connector.cli.options import Config, Entities, Json, LogOptions, catalogue_folder, configuration_at, open_catalogue
from connector.cli.output import say
from connector.cli.quick_start import import_beside
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from signal import Signals

    from connector.config import Configuration
    from connector.engine import Store
    from connector.pipeline import Runtime
    from connector.runtime.plan import Plan

__all__ = ["RunOptions", "deliver", "run"]

SIGNALLED, INTERRUPT = 128, 2
SQLITE = "sqlite:"
WORKER = "OPENAI_CONNECTOR_WORKER"
"""Which of several processes this is, from 0."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunOptions(LogOptions):
    """The options of `run`."""

    routes: Annotated[list[str] | None, Argument(metavar="ROUTE", help="The routes to run; all by default.")] = None
    config: Config = None
    once: Annotated[bool, Option("--once", help="Stop once every task has ended, instead of running as a service.")] = (
        False
    )
    reset: Annotated[
        list[str] | None,
        Option(
            "--reset", metavar="ROUTE", help="Read this route from its start; what was delivered is delivered again."
        ),
    ] = None
    workers: Annotated[int, Option("--workers", min=1, max=256, metavar="N", help="The number of processes.")] = 1
    grace: Annotated[
        float,
        Option("--grace", min=0, metavar="S", help="Seconds that tasks in progress may take when the run is stopped."),
    ] = 30.0
    new: Annotated[
        bool,
        Option(
            "--new",
            help="Continue although the database of earlier runs is missing, older or another, or a route was renamed.",
        ),
    ] = False
    yes: Annotated[bool, Option("--yes", help="Begin whatever it may cost, without asking (see ask_above).")] = False
    pay_up_to: Annotated[
        float | None,
        Option("--pay-up-to", min=0, metavar="AMOUNT", help="Begin without asking if it hardly costs more than this."),
    ] = None
    json: Json = None
    entities: Entities = None

    def arguments(self, source: Path) -> list[str]:
        """Return the command line of one of several processes."""
        asked = (
            ("--once", self.once),
            ("--new", self.new),
            ("--yes", self.yes),
            ("--json", self.json),
            ("--text", self.json is False),
        )
        own = [] if self.entities is None else ["--entities", str(self.entities)]
        flags = [flag for flag, given in asked if given]
        return [
            "run",
            *(self.routes or ()),
            "-f",
            str(source),
            "--grace",
            str(self.grace),
            *flags,
            *self.logs.words,
            *own,
        ]


def run(options: RunOptions) -> None:
    """Read documents and deliver each as a task, which is never lost and never silently paid for twice."""
    options.logs.check()
    source = configuration_at(options.config)
    if options.workers == 1:
        import_beside("aiohttp")
    from connector.pipeline import load_configuration

    configuration = load_configuration(source)
    for name in options.reset or ():
        configuration.find("routes", name)
    if options.workers > 1:
        raise Exit(asyncio.run(_run_fleet(configuration, options, source)))
    raise Exit(asyncio.run(_run(configuration, options)))


async def _run(configuration: Configuration, options: RunOptions) -> int:
    from connector.catalogue import Catalogue
    from connector.engine import open_store
    from connector.engine.commits import SpaceRetry
    from connector.fleet import open_shares
    from connector.pipeline import Runtime
    from connector.runtime.plan import Plan
    from connector.runtime.preflight import check_engine, check_routes

    catalogue = Catalogue.open(catalogue_folder(options.entities, options.config))
    plan = Plan.of(configuration, options.routes or ())
    space = SpaceRetry()
    store = await space.run(lambda: open_store(configuration.engine_url, new=options.new))
    try:
        await space.run(lambda: check_engine(store, configuration, plan.routes, new=options.new))
        await space.run(lambda: check_routes(store, configuration, plan.routes, new=options.new))
        await _reset(store, options.reset or ())
        async with (
            open_shares(configuration.engine_url) as shares,
            Runtime(configuration, parameters=options.logs.parameters, catalogue=catalogue, shares=shares) as runtime,
        ):
            if not await may_pay(runtime, store, plan.routes, yes=options.yes, up_to=options.pay_up_to):
                return ExitCode.COSTLY
            return await _work(runtime, store, plan, options)
    finally:
        await store.close()


async def deliver(configuration: Configuration, routes: Sequence[str], *, json: bool | None) -> int:
    """Deliver the tasks of routes without reading more, and return the exit code; raise StoreHeld during a run."""
    from connector.engine import open_store
    from connector.fleet import open_shares
    from connector.pipeline import Runtime
    from connector.runtime.plan import Plan

    plan = replace(Plan.of(configuration, routes), on_start=(), schedules=(), after={}, reads=False)
    store = await open_store(configuration.engine_url)
    try:
        catalogue = open_catalogue(configuration)
        async with (
            open_shares(configuration.engine_url) as shares,
            Runtime(configuration, catalogue=catalogue, shares=shares) as runtime,
        ):
            return await _work(runtime, store, plan, RunOptions(once=True, json=json))
    finally:
        await store.close()


async def _work(runtime: Runtime, store: Store, plan: Plan, options: RunOptions) -> int:
    from connector.aio.signals import drain_on_signals
    from connector.cli.budget import read_budgets
    from connector.cli.run_output import exit_code_of, print_report, progress_bar, warn_of_receivers
    from connector.runtime.runner import Runner
    from connector.telemetry.otlp import make_observer
    from connector.telemetry.prometheus import render_metrics, serve_metrics

    configuration, once = runtime.configuration, options.once
    warn_of_receivers(configuration, plan.routes)
    observer = make_observer(
        configuration.telemetry,
        configuration.currency,
        runtime.redact,
    )
    fleet = not configuration.engine_url.startswith(SQLITE)
    runner = Runner(runtime, store, plan, once=once, observer=observer, fleet=fleet, grace=options.grace)
    signals: list[Signals] = []

    def stop(signal: Signals) -> None:
        signals.append(signal)
        say("stopping: what is under way comes to its end; once more breaks off")
        for stall in runner.stalls:
            say(stall)
        runner.stop(f"by {signal.name}")

    async def render() -> bytes:
        counts = {
            route: {state.value: count for state, count in states.items()}
            for route, states in (await store.counts()).items()
        }
        budgets = [level for view in await read_budgets(configuration, store, plan.routes) for level in view.levels()]
        return render_metrics(observer.metrics, counts, runner.stalled_routes, budgets)

    worker = int(os.environ.get(WORKER, "0"))
    try:
        with drain_on_signals(stop):
            async with (
                serve_metrics(configuration.telemetry.prometheus, worker, render) as page,
                progress_bar(store, plan.routes, lambda: runner.stalls, once=once),
            ):
                with _log(runtime, options), infrequent_collection():
                    if page:
                        log.info("counters for Prometheus: %s", page)
                    end = await runner.run()
    except asyncio.CancelledError:
        say("broken off; what was under way goes on with the next run")
        return SIGNALLED + (signals[0] if signals else INTERRUPT)
    finally:
        observer.close()
    print_report(end, observer.metrics, alone=once and not fleet, json=options.json)
    return SIGNALLED + signals[0] if signals and once else exit_code_of(end)


def _log(runtime: Runtime, options: RunOptions) -> AbstractContextManager[None]:
    """Return the context that logs the run; with --once only warnings are logged by default."""
    usual = logging.WARNING if options.once else logging.INFO
    return options.logs.written(runtime.redact, mode=runtime.configuration.telemetry.logs, usual=usual)


async def _reset(store: Store, routes: Sequence[str]) -> None:
    from connector.intake.cursor import reset_cursor

    for route in routes:
        await store.commit(await reset_cursor(store, route))
        say(f"route {route} is read from its start; what was delivered goes out again")


async def _run_fleet(configuration: Configuration, options: RunOptions, source: Path) -> int:
    from connector.engine import open_store
    from connector.pipeline import Runtime
    from connector.runtime.plan import Plan

    if configuration.engine_url.startswith(SQLITE):
        raise ConfigurationError(
            f"--workers {options.workers}: tasks are kept in a file of SQLite's, which belongs to one process; that is "
            "rarely the limit, and where it is, several processes need an engine such as engine: postgresql://…"
        )
    store = await open_store(configuration.engine_url, role="admin")
    try:
        await _reset(store, options.reset or ())
        catalogue = open_catalogue(configuration, options.entities)
        routes = Plan.of(configuration, options.routes or ()).routes
        async with Runtime(configuration, parameters=options.logs.parameters, catalogue=catalogue) as runtime:
            if not await may_pay(runtime, store, routes, yes=options.yes, up_to=options.pay_up_to):
                return ExitCode.COSTLY
    finally:
        await store.close()
    options = replace(options, yes=True)  # it was asked once for all of them
    return await _run_workers(options.workers, options.arguments(source))


async def _run_workers(count: int, arguments: Sequence[str]) -> int:
    """Run the command in several processes and return the worst of their exit codes."""
    from connector.aio.signals import drain_on_signals

    command = [sys.executable, "-m", "connector", *arguments]
    # Each gets a process group of its own, so that a signal of the terminal reaches it once, from here.
    started = [
        await asyncio.create_subprocess_exec(*command, start_new_session=True, env={**os.environ, WORKER: str(number)})
        for number in range(count)
    ]

    def stop() -> None:
        for process in started:
            if process.returncode is None:
                process.terminate()

    try:
        with drain_on_signals(lambda _: stop()):
            codes = await asyncio.gather(*(process.wait() for process in started))
    except asyncio.CancelledError:
        stop()
        await asyncio.gather(*(process.wait() for process in started))
        raise
    known = {int(code) for code in ExitCode}
    return next((code for code in codes if code not in known), int(worst(ExitCode(code) for code in codes)))
