"""What a configuration declares, each field described once: normalised at the edge, frozen, closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from connector.config.models.camunda import Camunda
from connector.config.models.clients import ClientEntry
from connector.config.models.connections import Batch, Cursor, Incoming, Outgoing, Response
from connector.config.models.gateway import Gateway, GatewayToken, Tls
from connector.config.models.mcp import Mcp
from connector.config.models.measures import Alarm, Budget, MoneyAmount
from connector.config.models.routes import Job, Route, Schedule
from connector.config.models.section import Component, Section, none_as_empty
from connector.config.models.settings import Chain, Currency, Price, Retention, Storage, Telemetry, Variable
from connector.config.models.studio import Studio, StudioToken
from connector.config.models.temporal import Temporal, TemporalTls
from connector.model import JSON, is_list, is_object

__all__ = [
    "Alarm",
    "Batch",
    "Budget",
    "Camunda",
    "Chain",
    "ClientEntry",
    "Component",
    "Cursor",
    "Document",
    "Gateway",
    "GatewayToken",
    "Incoming",
    "Job",
    "Mcp",
    "Outgoing",
    "Price",
    "Response",
    "Retention",
    "Route",
    "Schedule",
    "Section",
    "Storage",
    "Studio",
    "StudioToken",
    "Telemetry",
    "Temporal",
    "TemporalTls",
    "Tls",
    "Variable",
]  # fmt: skip


def _chain(value: JSON) -> JSON:
    return {"steps": value} if is_list(value) or isinstance(value, str) else value


def _variable(value: JSON) -> JSON:
    return value if is_object(value) else {"default": value}


Step = JSON
"""`{prototype: name, parameters: {…}}`, `{name: {…}}`, or the name of a saved chain."""


class Document(Section):
    """A whole configuration."""

    clients: Annotated[dict[str, ClientEntry], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, ClientEntry], description="Clients: which API to call, with which credentials."
    )
    incoming: Annotated[dict[str, Incoming], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, Incoming], description="Incoming connections: where documents come from."
    )
    outgoing: Annotated[dict[str, Outgoing], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, Outgoing], description="Outgoing connections: where documents go."
    )
    routes: Annotated[dict[str, Route], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, Route], description="Routes: which incoming connection feeds which outgoing one."
    )
    chains: Annotated[
        dict[str, Annotated[Chain, BeforeValidator(_chain)]],
        BeforeValidator(none_as_empty),
    ] = Field(default_factory=dict[str, Chain], description="Saved chains, which other chains use by name.")
    schedules: Annotated[dict[str, Schedule], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, Schedule], description="Schedules: what starts by itself, and when."
    )
    storages: Annotated[
        dict[str, Annotated[Storage, BeforeValidator(none_as_empty)]],
        BeforeValidator(none_as_empty),
    ] = Field(default_factory=dict[str, Storage], description="Storages in which chains keep documents between runs.")
    variables: Annotated[
        dict[str, Annotated[Variable, BeforeValidator(_variable)]],
        BeforeValidator(none_as_empty),
    ] = Field(default_factory=dict[str, Variable], description="Variables, which chains read as @{variables.NAME}.")
    prices: Annotated[dict[str, Price], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, Price],
        description="Prices of tokens by model; a name may end in `*`, and the longest match counts.",
    )
    currency: Currency = Field(
        default="USD",
        description="The currency of all prices and budgets in three letters, shown with every cost; USD by default.",
    )
    ask_above: MoneyAmount | None = Field(
        default=None,
        description="`run` asks before it begins when all its routes together may cost more than this, such as 5 USD.",
    )
    entities: str | None = Field(
        default=None,
        description="A catalogue of your own, a folder relative to the configuration; by default `entities` beside it,"
        " if that holds one. `--entities` goes before it.",
    )
    raw_engine: str = Field(
        default="sqlite:///connector.db",
        validation_alias=AliasChoices("engine"),
        description="Where tasks are stored: sqlite:///FILE, relative to the configuration unless absolute, or"
        " postgresql://USER:PASSWORD@HOST/DATABASE.",
        repr=False,
    )
    retention: Annotated[Retention, BeforeValidator(none_as_empty)] = Field(
        default_factory=Retention, description="How long ended tasks are kept."
    )
    gateway: Annotated[Gateway, BeforeValidator(none_as_empty)] = Field(
        default_factory=Gateway, description="The gateway, which forwards calls with the clients' credentials."
    )
    studio: Annotated[Studio, BeforeValidator(none_as_empty)] = Field(
        default_factory=Studio, description="The studio: pages and an API to see, change and run all this."
    )
    mcp: Annotated[Mcp, BeforeValidator(none_as_empty)] = Field(
        default_factory=Mcp, description="What MCP clients are offered as tools, resources and prompts."
    )
    camunda: Annotated[Camunda, BeforeValidator(none_as_empty)] = Field(
        default_factory=Camunda, description="Which jobs of Camunda 8 are worked on, and where calls are noted."
    )
    temporal: Annotated[Temporal, BeforeValidator(none_as_empty)] = Field(
        default_factory=Temporal, description="Which activities Temporal is offered, and where calls are noted."
    )
    telemetry: Annotated[Telemetry, BeforeValidator(none_as_empty)] = Field(
        default_factory=Telemetry, description="Traces, metrics and logs."
    )

    def hosts(self) -> Mapping[str, Mcp | Camunda | Temporal]:
        """What is offered to each host, by the name of its section."""
        return {"mcp": self.mcp, "camunda": self.camunda, "temporal": self.temporal}
