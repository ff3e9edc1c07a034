"""Answers of another route: they come by its commits, so that there is nothing to read."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pydantic import Field

from connector.http.parameters import Section
from connector.model import JSON
from connector.subscribers.context import Context
from connector.subscribers.prototype import Prototype

__all__ = ["ROUTE"]


class Parameters(Section):
    """Which route, and what of it."""

    route: str = Field(description="The route whose answers, or errors, become documents here.")
    answers: bool = Field(default=True, description="Whether what came of its answers is read.")
    errors: bool = Field(default=False, description="Whether what came of calls that are not done is read.")


class Reading:
    """Reads nothing: each document is accepted in the commit that ends the task it comes of."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:  # noqa: ARG002  every kind takes it
        """There is none."""
        nothing: tuple[JSON, ...] = ()
        for document in nothing:
            yield document

    async def explain(self, context: Context) -> JSON:  # noqa: ARG002  every kind takes it
        """Where the documents come from."""
        asked = self._parameters
        reads = [name for name in ("answers", "errors") if getattr(asked, name)]
        return {"route": asked.route, "reads": reads, "when": "with the commit that ends the task"}


ROUTE = Prototype("route", "Answers of another route, as its tasks come to their ends.", Parameters, Reading)
