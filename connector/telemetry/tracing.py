"""Spans and the tracer that makes them; without a receiver a span is a constant that does nothing.

A trace goes on through a task: `current_traceparent()` is kept with the task when it is accepted, and given as `parent`
when it is delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol

__all__ = ["NO_ATTRIBUTES", "NO_TRACING", "Attributes", "Kind", "NoTracing", "Span", "Tracing"]

Attributes = Mapping[str, str | int | float | bool | None]
Kind = Literal["internal", "client", "consumer", "producer"]
NO_ATTRIBUTES: Attributes = {}


class Span(Protocol):
    """A span that is open."""

    @property
    def traceparent(self) -> str:
        """Its name in W3C's notation; empty when nothing is traced."""
        ...


class Tracing(Protocol):
    """A tracer."""

    def span(
        self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "", kind: Kind = "internal"
    ) -> AbstractContextManager[Span]:
        """Return a span around a `with` block, below the current one unless `parent` names another."""
        ...

    def record(self, name: str, attributes: Attributes, seconds: float, *, failure: str = "") -> None:
        """Record a client's span that has just ended, below the current one.

        Args:
            name: of the span.
            attributes: those that are None are left out.
            seconds: how long it took.
            failure: why it failed; empty when it did not.
        """
        ...

    def current_traceparent(self) -> str:
        """Return the traceparent of the current span; empty when there is none."""
        ...

    def close(self) -> None:
        """Export what is still buffered."""
        ...


class _NoSpan:
    traceparent = ""

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


NO_SPAN = _NoSpan()


class NoTracing:
    """A tracer that records nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002  see Tracing
        attributes: Attributes = NO_ATTRIBUTES,  # noqa: ARG002
        *,
        parent: str = "",  # noqa: ARG002
        kind: Kind = "internal",  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        return NO_SPAN

    def record(self, name: str, attributes: Attributes, seconds: float, *, failure: str = "") -> None: ...

    def current_traceparent(self) -> str:
        return ""

    def close(self) -> None: ...


NO_TRACING = NoTracing()
