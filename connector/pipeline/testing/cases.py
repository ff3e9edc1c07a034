"""A case of a whole connection: documents in, recorded answers, and the expected results.

`{name, incoming | outgoing, input | inputs?, environ?, storages?, upstream?}` with one or more of `output`, `outputs`,
`skipped`, `failed`, `unknown`: the last three are true, or a part of the reason. An incoming without `input` reads with
its subscriber.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connector.config import Configuration
from connector.errors import ConfigurationError, ConnectorError
from connector.http.parameters import Section
from connector.model import JSON, Outcome, State, is_object, members
from connector.pipeline.incoming import IncomingRun
from connector.pipeline.outgoing import OutgoingRun
from connector.pipeline.runtime import Runtime
from connector.pipeline.testing.replay import Replay
from connector.publishers import Context, Prototype
from connector.publishers.prototype import ImmediateWriter
from connector.suggestions import closest, did_you_mean
from connector.timing import Timing
from connector.transform.cases import MemoryStorage, diff

__all__ = ["Checked", "Recorder", "is_connection_case", "record_connection_case", "run_connection_case"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A case of a file, and in what it differs; nothing when it passed."""

    file: Path
    name: str
    difference: str
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.difference


class Recorder:
    """Replaces the kinds that do not call."""

    def __init__(self) -> None:
        self.documents: list[JSON] = []

    def __call__(self, kind: Prototype) -> Prototype:
        """Return the kind that is used instead; one that calls an API stays, since its calls are replayed."""
        return kind if kind.calls else replace(kind, build=self._build)

    def _build(self, _: Section) -> _Writing:
        return _Writing(self.documents)


class _Writing(ImmediateWriter):
    def __init__(self, documents: list[JSON]) -> None:
        self._documents = documents

    async def publish(self, document: JSON, context: Context) -> Outcome:  # noqa: ARG002  the protocol's signature
        self._documents.append(document)
        return Outcome(State.DONE, body=document)

    async def explain(self, document: JSON, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        return {"document": document}


EXPECTED = ("output", "outputs", "skipped", "failed", "unknown")
KEYS = ("name", "incoming", "outgoing", "input", "inputs", "environ", "storages", "upstream", *EXPECTED)
Load = Callable[[Mapping[str, str]], Configuration]


@dataclass(slots=True)
class Found:
    """What a run came to."""

    outputs: list[JSON] = field(default_factory=list[JSON])
    reasons: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def tell(self, _: JSON, state: str, reason: str) -> None:
        self.reasons.setdefault(state, []).append(reason)


@dataclass(slots=True)
class _Clock:
    """Time that passes only during a wait, and then at once."""

    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def is_connection_case(case: JSON) -> bool:
    """Return whether a case is about a connection, and not about a chain."""
    return is_object(case) and ("incoming" in case or "outgoing" in case)


async def run_connection_case(case: Mapping[str, JSON], load: Load, where: str) -> str:
    """Run a case; return how it differs from what was expected, or nothing when it passed."""
    _check(case, where)
    found, faults = await _run(case, load, where)
    return "\n".join([*faults, *_compare(case, found)])


async def record_connection_case(case: Mapping[str, JSON], load: Load, where: str) -> dict[str, JSON]:
    """Return what a case without expectations would have to expect: the connection makes it now.

    Raises:
        ConfigurationError: for a request that has no recorded answer, or one that was not made.
    """
    found, faults = await _run(case, load, where)
    if faults:
        raise ConfigurationError("\n".join(faults))
    expected: dict[str, JSON] = {state: reasons[0] for state, reasons in found.reasons.items()}
    if found.outputs or not expected:
        expected |= {"output": found.outputs[0]} if len(found.outputs) == 1 else {"outputs": found.outputs}
    return expected


async def _run(case: Mapping[str, JSON], load: Load, where: str) -> tuple[Found, list[str]]:
    replay, found, recorder = Replay(case.get("upstream") or [], where), Found(), Recorder()
    try:
        configuration = load({name: str(value) for name, value in members(case.get("environ")).items()})
        async with _runtime(case, configuration, replay, recorder) as runtime:
            if "incoming" in case:
                await _run_incoming(case, runtime, found)
            else:
                await _run_outgoing(case, runtime, found, recorder)
    except ConnectorError as error:
        found.tell(None, "failed", str(error))
    replay.finish()
    return found, replay.faults


def _check(case: Mapping[str, JSON], where: str) -> None:
    unknown = [key for key in case if key not in KEYS]
    if unknown:
        meant = did_you_mean(closest(str(unknown[0]), KEYS))
        raise ConfigurationError(
            f"{where}.{unknown[0]}: unknown key; known: {', '.join(KEYS)}{'; ' + meant if meant else ''}"
        )
    if ("incoming" in case) == ("outgoing" in case) or not any(key in case for key in EXPECTED):
        raise ConfigurationError(f"{where}: a case has incoming or outgoing, and at least one of {', '.join(EXPECTED)}")
    if "outgoing" in case and not ("input" in case or "inputs" in case):
        raise ConfigurationError(f"{where}: an outgoing's case has input or inputs")


def _runtime(case: Mapping[str, JSON], configuration: Configuration, replay: Replay, recorder: Recorder) -> Runtime:
    import httpx

    clock = _Clock()

    def options(_: str) -> Mapping[str, Any]:
        timing = Timing(clock=lambda: clock.now, sleep=clock.sleep, chance=lambda: 0.0)
        return {"transport": httpx.MockTransport(replay), "timing": timing}

    given: Mapping[str, JSON] = case.get("storages") or {}
    storages = {name: MemoryStorage(given.get(name) or {}) for name in configuration.storages}
    return Runtime(configuration, options, storages=storages, publisher=recorder)


async def _run_incoming(case: Mapping[str, JSON], runtime: Runtime, found: Found) -> None:
    run = IncomingRun(runtime, case["incoming"], tell=found.tell)
    instead = _inputs(case) if "input" in case or "inputs" in case else None
    async with aclosing(run.documents(instead=instead)) as documents:
        found.outputs = [document async for document in documents]


async def _run_outgoing(case: Mapping[str, JSON], runtime: Runtime, found: Found, recorder: Recorder) -> None:
    run = OutgoingRun(runtime, case["outgoing"], concurrency=1)
    async with aclosing(run.results(_inputs(case))) as results:
        async for result in results:
            found.outputs += result.answers
            if not run.answers and run.spec.writer.kind.calls:
                found.outputs += [outcome.body for outcome in result.outcomes if outcome.ok]
            if result.state != "done":
                found.tell(None, result.state, result.reason)
    found.outputs += recorder.documents


async def _inputs(case: Mapping[str, JSON]) -> AsyncGenerator[JSON, None]:
    for document in [case["input"]] if "input" in case else case["inputs"]:
        yield document


def _compare(case: Mapping[str, JSON], found: Found) -> list[str]:
    lines: list[str] = []
    for state in ("skipped", "failed", "unknown"):
        lines += _compare_signal(state, case.get(state), found.reasons.get(state, []))
    if "output" in case or "outputs" in case:
        wanted = [case["output"]] if "output" in case else case["outputs"]
        if wanted != found.outputs:
            alone = len(wanted) == len(found.outputs) == 1
            lines.append(diff(wanted[0], found.outputs[0]) if alone else diff(wanted, found.outputs))
    return lines


def _compare_signal(state: str, wanted: JSON, reasons: list[str]) -> list[str]:
    if wanted in (None, False):
        # Documents that the case does not mention may be skipped, but must not fail.
        return (
            [f"{state}: {reason}" for reason in reasons] if reasons and (wanted is False or state != "skipped") else []
        )
    if not reasons:
        return [f"expected to be {state}, but no document was"]
    if isinstance(wanted, str) and not any(wanted in reason for reason in reasons):
        return [f"expected to be {state} because {wanted!r}, but: {'; '.join(reasons)}"]
    return []
