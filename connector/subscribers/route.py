"""Answers of another route: its commits accept them as documents here, so nothing is read."""

from __future__ import annotations

from pydantic import Field

from connector.http.parameters import Section
from connector.model import JSON
from connector.subscribers.prototype import Context, Prototype, ReceivingReader

__all__ = ["ROUTE"]


class Parameters(Section):
    """Which route, and what of it."""

    route: str = Field(description="The route whose answers, or errors, become documents here.")
    answers: bool = Field(default=True, description="Whether the results of its answers are read.")
    errors: bool = Field(default=False, description="Whether the results of calls that are not done are read.")


class RouteReader(ReceivingReader):
    """Reads nothing: the commit that ends a task accepts its answers."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def explain(self, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        """Return where the documents come from."""
        asked = self._parameters
        reads = [name for name in ("answers", "errors") if getattr(asked, name)]
        return {"route": asked.route, "reads": reads, "when": "with the commit that ends the task"}


ROUTE = Prototype("route", "Answers of another route, as its tasks come to their ends.", Parameters, RouteReader)
