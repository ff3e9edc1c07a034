"""What a route will cost and how long it will take, from a sample of its documents and from its past."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Literal

from connector.config.rules.routes import TRANSPORT_PATHS
from connector.delivery.call_history import CallHistory, PaidCall, read_history
from connector.delivery.length_prior import COUNTING_SPREAD, Lengths, assume_lengths
from connector.delivery.payload_tokens import Asked
from connector.engine import Store
from connector.model_registry import Model
from connector.money.forecast.api_count import count_by_api
from connector.money.forecast.donors import Donor, Donors
from connector.money.forecast.duration import Pace, assume_seconds, forecast_duration
from connector.money.forecast.report import Basis, Forecast, WayForecast
from connector.money.forecast.requests import Made, make_requests
from connector.money.forecast.sample import Sample, Sampler
from connector.money.forecast.total import DRAWS, UNLIMITED, Interval, Kind, forecast_total
from connector.pipeline import Runtime
from connector.telemetry.costs import Prices
from connector.timing import SYSTEM, Timing
from connector.transform.tokenizer import Counting

__all__ = ["Counter", "forecast_route"]

SAMPLE = 200
SEED = 20_260
"""Two forecasts of the same are the same."""
TIERS = {"standard": "", "flex": "flex", "batch": "batch", "priority": "priority", "window-2h": "window-2h",
         "window-8h": "window-8h"}  # fmt: skip
TEXT_UNITS = ("input", "cached_input", "output")
WINDOWED = ("/responses",)
Counter = Literal["here", "api"]
"""Who counts tokens: this process, or the API, whose counting is free."""


async def forecast_route(
    runtime: Runtime,
    store: Store,
    route: str,
    *,
    sample: int = SAMPLE,
    count: Counter = "here",
    timing: Timing = SYSTEM,
    seed: int = SEED,
) -> Forecast:
    """Return what a route will cost and how long it will take, if it runs now; nothing is sent that costs money.

    Args:
        runtime: the opened configuration.
        store: where the route's tasks are.
        route: the name of a configured route.
        sample: how many documents are looked at.
        count: who counts tokens.
        timing: the clock by which counting documents is given up.
        seed: where all draws begin.
    """
    chance = Random(seed)  # noqa: S311  draws for a forecast
    own = runtime.configuration
    prices = Prices.over_registry(own.prices, own.currency, runtime.catalogue_folder)
    chosen = await Sampler(runtime, store, route, sample, chance, timing).take()
    made = Made() if chosen.raw else await make_requests(runtime, route, chosen.documents)
    if count == "api":
        made.asked = await count_by_api(made.intents, made.asked)
    history = await read_history(store, prices, route)
    return _Maker(runtime, route, prices, chosen, made, history, chance).make()


class _Maker:
    """Puts together what is known."""

    def __init__(
        self,
        runtime: Runtime,
        route: str,
        prices: Prices,
        sample: Sample,
        made: Made,
        history: CallHistory,
        chance: Random,
    ) -> None:
        self._runtime = runtime
        self._route = route
        self._prices = prices
        self._sample = sample
        self._made = made
        self._history = history
        self._chance = chance
        self._assumed: list[str] = []
        self._left_out: list[str] = list(sample.notes)
        self._counts = {(one.operation, one.model): one.counting for one in made.asked}
        self._by_task = sample.raw or made.stopped > 0

    def make(self) -> Forecast:
        groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
        for asked in [] if self._by_task else self._made.asked:
            groups[asked.operation, asked.model].append(asked)
        tiers = list(TIERS.values())
        kinds = [self._kind(operation, model, asked, tiers) for (operation, model), asked in groups.items()]
        beside = self._beside(groups, tiers)
        known = [kind for kind in kinds if self._prices.find(kind.model) is not None]
        total = forecast_total(known, self._prices, tiers, self._chance, beside=beside)
        priced = len(known) == len(kinds)
        self._say_what_is_missing(kinds, groups)
        return Forecast(
            route=self._route,
            currency=self._prices.currency,
            documents={"read": self._sample.read, "new": self._sample.new, "waiting": self._sample.waiting},
            complete=self._sample.is_whole,
            requests={model: self._times(len(asked)) for (_, model), asked in groups.items()},
            input=total.input,
            output=total.output,
            ways=list(self._ways(total.money if priced and self._is_known else {}, total.input, total.output, groups)),
            basis=self._basis(),
        )

    @property
    def _is_known(self) -> bool:
        """Whether anything tells what the documents cost."""
        return not self._by_task or bool(self._history.tasks) or not self._sample.number

    def _times(self, in_sample: int) -> float:
        """Return how many there are of what the sample has some of."""
        return in_sample * self._sample.number / self._made.documents if self._made.documents else 0.0

    def _kind(self, operation: str, model: str, asked: Sequence[Asked], tiers: Sequence[str]) -> Kind:
        past = [one for one in self._history.calls if (one.asked.operation, one.asked.model) == (operation, model)]
        lengths = self._assume(asked[0], few=len(past) < 10)
        donors = Donors([self._donor(one, tiers) for one in past], lengths.tokens, COUNTING_SPREAD[asked[0].counting])
        limit = next((one.most for one in asked if one.most), None)
        facts = self._facts(model)
        longest = limit or (facts.max_output if facts is not None else None) or UNLIMITED
        share = self._history.paid / self._history.asked if self._history.asked else 1.0
        return Kind(
            model,
            [one.tokens for one in asked],
            self._times(len(asked)),
            donors,
            float(longest) * asked[0].answers,
            paid=(min(share, 3.0), self._history.asked),
            regional=self._is_regional(),
        )

    def _is_regional(self) -> bool:
        clients = {intent.call.client for intent in self._made.intents if intent.call is not None}
        return any(client.region for client in clients)

    def _assume(self, asked: Asked, *, few: bool) -> Lengths:
        facts = self._facts(asked.model)
        found = assume_lengths(asked, reasons=facts is not None and facts.reasoning)
        if few and found.why:
            self._assumed.append(f"{asked.model}: {found.why}")
        return found

    def _facts(self, model: str) -> Model | None:
        return self._runtime.models.find(model)

    def _donor(self, call: PaidCall, tiers: Sequence[str]) -> Donor:
        usage = call.usage
        units = {name: count for name, count in usage.units().items() if count and name not in TEXT_UNITS}
        lists = [self._prices.find(call.asked.model, tier) for tier in tiers] if units else []
        counted = self._counts.get((call.asked.operation, call.asked.model))
        return Donor(
            # What the API counts is what it charges.
            float(usage.input) if counted is Counting.API else call.asked.tokens,
            float(usage.input - usage.input_audio - usage.input_image - usage.cache_write),
            float(usage.cached - usage.cached_audio - usage.cached_image),
            float(usage.output - usage.output_audio - usage.output_image),
            [0.0 if each is None else each.amount(units) for each in lists],
            call.seconds,
        )

    def _beside(self, groups: dict[tuple[str, str], list[Asked]], tiers: Sequence[str]) -> list[list[float]]:
        """Return, for each draw, what calls cost that no request in the sample shows: of chains, and of answers."""
        tasks = [task for task in self._history.tasks if task.route == self._route or task.calls]
        documents = sum(task.route == self._route for task in tasks)
        costs = [
            [self._cost(one, tier) for tier in tiers]
            for task in tasks
            for one in task.calls
            if not one.own or (one.asked.operation, one.asked.model) not in groups
        ]
        if not costs or not documents:
            return []
        number = self._sample.number
        found: list[list[float]] = []
        for _ in range(DRAWS):
            weights = [self._chance.gammavariate(1.0, 1.0) for _ in costs]
            each = number / (documents + self._chance.gauss(0.0, math.sqrt(documents)) * 0.5)
            found.append([each * sum(w * cost[n] for w, cost in zip(weights, costs, strict=True))
                          for n in range(len(tiers))])  # fmt: skip
        self._assumed.append(f"{len(costs):,} calls of {documents:,} past documents were made by chains; so it goes on")
        return found

    def _cost(self, call: PaidCall, tier: str) -> float:
        return self._prices.compute_cost(call.asked.model, call.usage, tier) or 0.0

    def _ways(
        self, money: Any, sent: Interval, received: Interval, groups: dict[tuple[str, str], list[Asked]]
    ) -> Iterator[WayForecast]:
        own = self._own_way()
        possible = self._possible(groups)
        tokens = Interval(sent.p50 + received.p50, sent.p95 + received.p95)
        number = self._times(len(self._made.asked)) or self._sample.number
        seconds = self._seconds(received, number)
        for way in sorted({own, *possible}, key=lambda name: (name != own, list(TIERS).index(name))):
            tier = TIERS[way]
            took = forecast_duration(
                tier, number, tokens, seconds, self._history.batch_seconds, self._pace(), self._chance
            )
            yield WayForecast(way, way == own, money.get(tier), took)

    def _own_way(self) -> str:
        to = self._outgoing
        if to.transport == "background":
            return f"window-{to.window}" if to.window else "standard"
        return "standard" if to.transport == "single" else str(to.transport)

    def _possible(self, groups: dict[tuple[str, str], list[Asked]]) -> list[str]:
        """Return the ways in which all requests may go, and that the registry has prices of their own for."""
        paths = {intent.call.wire.operation.template for intent in self._made.intents
                 if intent.call is not None and intent.call.wire.operation is not None}  # fmt: skip
        if not paths:
            return []
        found = ["standard"]
        for way in ("flex", "batch"):
            found += [way] if paths <= {*TRANSPORT_PATHS[way]} else []
        if paths <= {*WINDOWED}:
            found += ["window-2h", "window-8h"]
        facts = [self._facts(model) for _, model in groups]
        return [way for way in [*found, "priority"]
                if way == "standard" or all(one is not None and TIERS[way] in one.tiers for one in facts)]  # fmt: skip

    def _seconds(self, received: Interval, number: float) -> list[float]:
        known = [call.seconds for call in self._history.calls if call.own and call.seconds > 0]
        if len(known) >= 5:
            return known
        each = received.p50 / number if number else 0.0
        assumed = assume_seconds(each)
        self._assumed.append(f"a call takes {assumed:.1f} s, as too few are known")
        return [*known, assumed * 0.5, assumed * 0.7, assumed, assumed * 1.4, assumed * 2.5]

    @property
    def _outgoing(self) -> Any:
        own = self._runtime.configuration
        return own.outgoing[own.routes[self._route].outgoing]

    def _pace(self) -> Pace:
        to, settings = self._outgoing, self._runtime.configuration.routes[self._route]
        clients = [intent.call.client for intent in self._made.intents[:1] if intent.call is not None]
        limits = clients[0].parameters.limits if clients else None
        together = settings.concurrency or to.concurrency
        return Pace(
            min(together, limits.concurrency) if limits is not None else together,
            limits.requests_per_minute if limits is not None else None,
            limits.tokens_per_minute if limits is not None else None,
            to.batch.count,
            to.batch.age,
        )

    def _say_what_is_missing(self, kinds: Sequence[Kind], groups: dict[tuple[str, str], list[Asked]]) -> None:
        made, sample = self._made, self._sample
        for kind in kinds:
            if self._prices.find(kind.model) is None:
                self._left_out.append(f"nothing says what {kind.model} costs")
        unread = sorted({what for asked in groups.values() for one in asked for what in one.unread})
        if unread:
            known = "as in past calls" if self._history.calls else "only where their size is known"
            self._left_out.append(f"{', '.join(unread)}: counted {known}")
        if made.unfit:
            self._left_out.append(
                f"{len(made.unfit):,} of {made.documents:,} documents make no request: {made.unfit[0]}"
            )
        if sample.unfit:
            self._left_out.append(f"{sample.unfit:,} documents cannot be read")
        if self._by_task and sample.number:
            past = len(self._history.tasks)
            why = "its chain makes calls whose answers decide what is asked next"
            known = f"{past:,} past documents tell what one costs" if past else "no past document tells what one costs"
            (self._assumed if past else self._left_out).append(f"{why}; {known}")

    def _basis(self) -> Basis:
        counting = sorted({str(asked.counting) for asked in self._made.asked})
        if "bytes" in counting and not self._history.calls:
            self._assumed.append("four bytes of text are one token, give or take a third")
        return Basis(
            len(self._history.calls),
            len(self._sample.documents),
            counting,
            list(dict.fromkeys(self._assumed)),
            self._left_out,
        )
