"""`forecast`: what a route will cost and how long it will take, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from connector.cli.options import Config, Entities, Json, catalogue_folder, configuration_at
from connector.cli.output import print_document, print_table, print_text, wants_json

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Store
    from connector.money.forecast import Forecast, Interval

__all__ = ["ForecastOptions", "forecast", "format_duration", "open_past", "print_forecast", "summarize"]

SQLITE = "sqlite:///"
WIDTH = 80
CERTAINTIES = {
    "sure": "sure",
    "rough": "rough: it may be off by more than a quarter",
    "guess": "a guess, since no past call is known",
    "none": "not known",
}


class Counted(StrEnum):
    """Who counts tokens."""

    HERE = "here"
    API = "api"


@dataclass(frozen=True, kw_only=True)
class ForecastOptions:
    """The options of `forecast`."""

    route: Annotated[str, Argument(metavar="ROUTE", help="The route.")]
    sample: Annotated[
        int, Option("--sample", min=1, max=10_000, metavar="N", help="How many documents are looked at.")
    ] = 200
    count: Annotated[
        Counted,
        Option("--count", help="Who counts tokens: `here`, or `api`, whose counting is free (responses only)."),
    ] = Counted.HERE
    config: Config = None
    json: Json = None
    entities: Entities = None


def forecast(options: ForecastOptions) -> None:
    """Say what a route will cost and how long it will take if it runs now; nothing is sent that costs money."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(options.config))
    configuration.find("routes", options.route)
    found = asyncio.run(_forecast(configuration, options))
    if wants_json(options.json):
        print_document(found.as_document())
    else:
        print_forecast(found)


async def _forecast(configuration: Configuration, options: ForecastOptions) -> Forecast:
    from connector.catalogue import Catalogue
    from connector.money.forecast import forecast_route
    from connector.pipeline import Runtime

    catalogue = Catalogue.open(catalogue_folder(options.entities, options.config))
    async with open_past(configuration) as store, Runtime(configuration, catalogue=catalogue) as runtime:
        return await forecast_route(runtime, store, options.route, sample=options.sample, count=options.count.value)


@asynccontextmanager
async def open_past(configuration: Configuration) -> AsyncGenerator[Store]:
    """Open the store of a configuration to look at it; an empty one where nothing has run yet."""
    from connector.engine import open_store

    url = configuration.engine_url
    is_new = url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists()  # noqa: ASYNC240  once
    with TemporaryDirectory(prefix="openai-connector-") as folder:
        store = await (open_store(f"{SQLITE}{folder}/empty.db") if is_new else open_store(url, role="admin"))
        try:
            yield store
        finally:
            await store.close()


def print_forecast(found: Forecast) -> None:
    """Print a forecast for a person."""
    print_text("\n".join(_wrap("", summarize(found))))
    rows = [
        [
            f"{way.way}{' (own)' if way.chosen else ''}",
            _money(way.money.p50, found.currency) if way.money else "not known",
            _money(way.money.p95, found.currency) if way.money else "",
            format_duration(way.seconds.p50),
            format_duration(way.seconds.p95),
        ]
        for way in found.ways
    ]
    print_table(["way", "likely", "19 of 20 below", "takes", "19 of 20 below"], rows)
    for line in _notes(found):
        print_text(line)


def summarize(found: Forecast) -> str:
    """Return a forecast in a sentence."""
    number = found.documents["new"] + found.documents["waiting"]
    more = "" if found.complete else " or more"
    head = f"route {found.route}: {number:,.0f}{more} documents"
    money = found.money
    if money is None:
        return f"{head}; what they cost is not known"
    likely, most = (_money(amount, found.currency) for amount in (money.p50, money.p95))
    return f"{head}, likely {likely}, hardly more than {most}"


def _notes(found: Forecast) -> Iterator[str]:
    basis = found.basis
    counting = f", tokens by {', '.join(basis.counting)}" if basis.counting else ""
    yield from _wrap("How sure: ", f"{CERTAINTIES[found.certainty]}; {basis.history:,} past calls, "
                     f"{basis.sample:,} documents looked at{counting}")  # fmt: skip
    yield from _wrap("Tokens: ", f"{_tokens(found.input)} in, {_tokens(found.output)} out")
    for title, said in (("Assumed: ", basis.assumed), ("Not in it: ", basis.left_out)):
        for one in said:
            yield from _wrap(title, one)


def _wrap(title: str, text: str) -> Sequence[str]:
    from textwrap import wrap

    return wrap(text, WIDTH, initial_indent=title, subsequent_indent="  ", break_long_words=False)


def _tokens(interval: Interval) -> str:
    return f"{interval.p50:,.0f} to {interval.p95:,.0f}"


def _money(amount: float, currency: str) -> str:
    places = 2 if amount >= 1 or amount == 0 else 4
    return f"{amount:,.{places}f} {currency}"


def format_duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
