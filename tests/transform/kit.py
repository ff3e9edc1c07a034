"""What the tests of transformers share: running one mapper, one condition, one chain."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

from connector.model import Outcome, State
from connector.transform import Chain, Context, Failed, Skipped, TraceEntry, compile_chain

LABELS = ("happy", "missing", "wrong type", "empty", "unicode", "nested")
"""What every declaration is tried with."""


class Fails:
    """Expected: the document fails, for this reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Drops(Fails):
    """Expected: the document is dropped, for this reason."""


class Memory:
    """A storage."""

    def __init__(self, **values: Any) -> None:
        self.values = dict(values)

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def put(self, key: str, value: Any) -> None:
        self.values[key] = value

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)


def answering(*bodies: Any, asked: list[Any] | None = None) -> Any:
    """A call that answers with these bodies, and refuses when they are used up; what was asked goes to the list."""
    left = iter(bodies)

    async def call(client: str, kind: Literal["openai", "http"], request: Mapping[str, Any]) -> Outcome:
        if asked is not None:
            asked.append((client, kind, dict(request)))
        body = next(left, None)
        if body is None:
            return Outcome(State.REFUSED, 400, reason="no more answers")
        return Outcome(State.DONE, 200, body=body)

    return call


async def outcome_of(steps: Any, document: Any, context: Context | None = None) -> Any:
    """What comes of a document: itself if it stays one, a list if it becomes several, Fails or Drops."""
    lost: list[Any] = []
    base = context or Context()
    watching = Context(
        **{name: getattr(base, name) for name in Context.__dataclass_fields__ if name not in ("on_skip", "on_failed")},
        on_skip=lambda _, reason: lost.append(Drops(reason)),
        on_failed=lambda _, failure: lost.append(Fails(str(failure))),
    )
    chain = compile_chain(steps)
    before = copy.deepcopy(document)
    outputs = await chain.aapply(document, watching)
    assert document == before, "a step changed the document it was given"
    if lost:
        return lost[0]
    return outputs[0] if len(outputs) == 1 else outputs


async def check(steps: Any, document: Any, expected: Any, context: Context | None = None) -> None:
    """Assert what comes of a document; also without waiting when nothing waits."""
    found = await outcome_of(steps, document, context)
    assert_expected(found, expected)
    chain = compile_chain(steps)
    if not chain.awaits:
        assert_expected(straight(chain, document, context or Context()), expected)


def straight(chain: Any, document: Any, context: Context) -> Any:
    """What comes of a document when nothing waits."""
    dropped: list[str] = []
    listening = Context(
        **{name: getattr(context, name) for name in Context.__dataclass_fields__ if name != "on_skip"},
        on_skip=lambda _, reason: dropped.append(reason),
    )
    try:
        outputs = chain.apply(document, listening)
    except Failed as failure:
        return Fails(str(failure))
    except Skipped as signal:  # pragma: no cover  a chain reports it, it never raises it
        return Drops(str(signal))
    if dropped and not outputs:
        return Drops(dropped[0])
    return outputs[0] if len(outputs) == 1 else outputs


def assert_expected(found: Any, expected: Any) -> None:
    """Assert that a value is what was expected, types of numbers and booleans included."""
    if isinstance(expected, Fails):
        assert type(found) is type(expected), f"{found!r} where {expected.reason!r} was expected"
        assert expected.reason in found.reason
    else:
        assert not isinstance(found, Fails), found.reason
        assert found == expected
        assert repr(found) == repr(expected)


async def trace_of(chain: Chain, document: Any) -> list[TraceEntry]:
    """What each step makes of one document, whichever way the chain is run."""
    context = Context(on_failed=lambda _document, _failure: None)
    trace: list[TraceEntry] = []
    list(chain.run((document,), context, trace=trace))
    waited: list[TraceEntry] = []
    _ = [out async for out in chain.arun((document,), context, trace=waited)]
    assert waited == trace
    return trace
