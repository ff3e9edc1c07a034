"""What needs a person, how routes do, and how documents flow through them."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field

from connector.studio.schemas.base import Answer, Price, Received, Time

__all__ = [
    "BudgetState",
    "Concern",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Overview",
    "PauseInfo",
    "PauseRequest",
    "RouteStatus",
]


class PauseInfo(Answer):
    """Why nothing of a route goes on."""

    reason: str = Field(description="Why, in words.", examples=["the supplier's API is being moved"])
    by: str = Field(default="", description="Who paused it; empty when it paused by itself.", examples=["local"])
    since: Time | None = Field(default=None, description="Since when.")
    resumable: bool = Field(description="Whether `POST /routes/{name}/resume` ends it; else something must be mended.")


class BudgetState(Answer):
    """What a route may use in a period, and what it has used."""

    period: str = Field(description="The period.", examples=["day"])
    spent: Price = Field(description="What was spent in this period.")
    limit: Price | None = Field(description="What may be spent; null without a limit in money.")
    tokens: int = Field(description="The tokens that were used in this period.")
    token_limit: int | None = Field(description="The tokens that may be used; null without such a limit.")
    reserved: Price = Field(description="What calls under way, and calls without a known end, may still use.")
    stopped: Price | None = Field(description="What would have been stopped, were it not only watched; else null.")
    shadow: bool = Field(description="Whether it is only watched, and nothing pauses when it is used up.")


class RouteStatus(Answer):
    """How a route does."""

    name: str = Field(description="Its name.", examples=["tickets"])
    incoming: str = Field(description="The incoming connection that it reads.")
    outgoing: str = Field(description="The outgoing connection that it delivers to.")
    description: str = Field(default="", description="What it is for.")
    disabled: bool = Field(description="Whether it is left out of runs.")
    counts: dict[str, int] = Field(description="Tasks by state, those of implied routes included.")
    rate: float | None = Field(description="Tasks that ended per minute, of late; null while that is not known.")
    oldest: Time | None = Field(default=None, description="When its oldest unfinished task was accepted.")
    paused: PauseInfo | None = Field(default=None, description="Why nothing goes on; null when it does.")
    waits: str = Field(default="", description="Why some of its tasks wait, in words.")
    next_run: Time | None = Field(default=None, description="When a schedule reads it next.")
    budget: BudgetState | None = Field(default=None, description="Its budget, if it has one.")
    readable: bool = Field(description="Whether `POST /routes/{name}/run` can read it.")


class Concern(Answer):
    """Something that needs a person now."""

    kind: Literal["unknown", "failed", "paused", "stalled", "runner", "configuration", "model", "budget"] = Field(
        description="What kind of thing it is; the most urgent ones come first."
    )
    text: str = Field(description="What it is and what to do, in a sentence.")
    link: str = Field(description="The page of the studio that shows it.", examples=["/unknown"])


class GraphNode(Answer):
    """One stop of documents on their way."""

    id: str = Field(description="Its id in the graph.", examples=["route:tickets"])
    kind: Literal["incoming", "chain", "route", "outgoing", "answer", "error"] = Field(description="What it is.")
    name: str = Field(description="Its name.")
    text: str = Field(default="", description="What it does, in short.")
    counts: dict[str, int] | None = Field(default=None, description="Tasks by state; for routes and answers.")
    rate: float | None = Field(default=None, description="Tasks that ended per minute, of late.")
    paused: PauseInfo | None = Field(default=None, description="Why nothing goes on.")
    budget: BudgetState | None = Field(default=None, description="Its budget.")


FROM, TO = AliasChoices("from", "source"), AliasChoices("to", "target")
"""Python takes the first words for its own."""


class GraphEdge(Answer):
    """From where to where documents go."""

    source: str = Field(
        validation_alias=AliasChoices("from", "source"), serialization_alias="from", description="The id of a node."
    )
    target: str = Field(
        validation_alias=AliasChoices("to", "target"), serialization_alias="to", description="The id of a node."
    )


class Graph(Answer):
    """How documents flow."""

    nodes: list[GraphNode] = Field(description="The stops.")
    edges: list[GraphEdge] = Field(description="The ways between them.")


class Overview(Answer):
    """Everything at a glance."""

    attention: list[Concern] = Field(description="What needs a person now, the most urgent first.")
    routes: list[RouteStatus] = Field(description="How each route does.")
    graph: Graph = Field(description="How documents flow.")


class PauseRequest(Received):
    """Why a route is paused."""

    reason: str = Field(default="", max_length=500, description="Why; everybody who looks sees it.")
