"""Spans: what happened within what, told to whoever is configured to hear it; to nobody, it costs nothing.

A trace goes on through a task: `carrier()` is kept with the task when it is accepted, and given as `parent` later.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol

__all__ = ["NO_TRACING", "SILENCE", "Attributes", "NoTracing", "Role", "Span", "Tracing"]

Attributes = Mapping[str, str | int | float | bool | None]
Role = Literal["internal", "call", "consumer", "producer"]
NOTHING: Attributes = {}


class Span(Protocol):
    """Something that takes time."""

    @property
    def traceparent(self) -> str:
        """How others name it, in W3C's notation; empty when nobody hears of it."""
        ...

    @property
    def heard(self) -> bool:
        """Whether it is told to anybody, so that its attributes are worth making."""
        ...

    def set(self, attributes: Attributes) -> None:
        """Says more about it; None says nothing."""
        ...

    def fail(self, reason: str) -> None:
        """Says that it did not end well."""
        ...


class Tracing(Protocol):
    """Where spans are told."""

    def span(
        self, name: str, attributes: Attributes = NOTHING, *, parent: str = "", role: Role = "internal"
    ) -> AbstractContextManager[Span]:
        """A span around what stands in the `with` block; below the one around it unless `parent` names another."""
        ...

    def carrier(self) -> str:
        """The traceparent of the span around; empty when there is none."""
        ...

    def close(self) -> None:
        """Tells what is still to be told."""
        ...


class _Silence:
    """The span that nobody hears of, and the context that it stands in."""

    traceparent = ""
    heard = False

    def set(self, attributes: Attributes) -> None: ...

    def fail(self, reason: str) -> None: ...

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


SILENCE = _Silence()


class NoTracing:
    """Tells nobody."""

    def span(
        self,
        name: str,  # noqa: ARG002  see Tracing
        attributes: Attributes = NOTHING,  # noqa: ARG002
        *,
        parent: str = "",  # noqa: ARG002
        role: Role = "internal",  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        return SILENCE

    def carrier(self) -> str:
        return ""

    def close(self) -> None: ...


NO_TRACING = NoTracing()
