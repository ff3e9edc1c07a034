"""What a configuration declares, each field described once: normalised at the edge, frozen, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from connector.config.cron import check_every, check_timezone
from connector.config.section import Chained, Entry, Prototyped, Section, Steps, WithChain, nothing_is_empty
from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object

if TYPE_CHECKING:
    from connector.http import Client

__all__ = [
    "Chain", "ClientEntry", "Document", "Incoming", "Job", "Outgoing", "Prototyped", "Response", "Route", "Schedule",
    "Section", "Storage", "Variable",
]  # fmt: skip


class ClientEntry(Prototyped):
    """Whom to call, and how to be let in."""

    description: str = Field(default="", description="What it is for.")

    @property
    def parameters(self) -> dict[str, JSON]:
        """The parameters with their references replaced as they are now, secrets among them: not to be shown."""
        return cast("dict[str, JSON]", self.resolved(self.raw_parameters, "parameters", for_client=True))

    def client(self, **options: Any) -> Client:
        """A client whose credentials follow their sources; `options` are those of connector.Client."""
        from connector.config.clients import made

        if self._scope is None:
            raise ConfigurationError("this client belongs to no configuration; load one to use it")
        return made(self, self._scope, options)


class Incoming(WithChain, Entry):
    """Where documents come from, and what becomes of each."""

    subscriber: Prototyped = Field(description="What reads the documents.")
    raw_input: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("input"),
        description="A chain that makes the request to read with; an empty result means there is nothing to read.",
    )
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def input(self) -> Steps:
        return cast("Steps", self.resolved(self.raw_input, "input"))


class Response(WithChain):
    """What becomes of an answer, or of an error."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain that the outcome, {status, headers, body}, goes through.",
    )
    publisher: Prototyped | None = Field(default=None, description="What takes the result.")


class Outgoing(WithChain, Entry):
    """How documents become requests, and what becomes of the answers."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain that makes a request, {path, query, payload, headers}, of each document.",
    )
    raw_request: dict[str, JSON] | None = Field(
        default=None,
        validation_alias=AliasChoices("request"),
        description="A template {path, query, payload, headers} that fills what the document leaves out.",
    )
    publisher: Prototyped = Field(description="What takes the requests.")
    answer: Response | None = Field(default=None, description="What becomes of the answers.")
    error: Response | None = Field(default=None, description="What becomes of calls that are not done.")
    on_unknown: Literal["hold", "retry"] | None = Field(
        default=None,
        description="Whether a costly call whose end nobody saw is held, or sent again; else the client's.",
    )
    validation: Literal["strict", "known", "warn", "off"] | None = Field(
        default=None,
        validation_alias=AliasChoices("validate"),
        description="How hard requests are checked; else the client's.",
    )
    concurrency: int = Field(default=16, ge=1, le=10_000, description="Documents under way at a time.")
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def request(self) -> dict[str, JSON] | None:
        return cast("dict[str, JSON] | None", self.resolved(self.raw_request, "request"))


class Route(WithChain, Entry):
    """From an incoming to an outgoing connection."""

    incoming: str = Field(description="Where the documents come from.")
    outgoing: str = Field(description="Where they go.")
    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="Documents under way at a time; else the outgoing's."
    )
    on_unknown: Literal["hold", "retry"] | None = Field(default=None, description="In place of the outgoing's.")
    disabled: bool = Field(default=False, description="Whether it is only kept.")


class Job(Section):
    """One thing that a schedule starts."""

    name: str | None = Field(default=None, description="A route or an incoming connection, whichever has this name.")
    incoming: str | None = Field(default=None, description="An incoming connection.")
    route: str | None = Field(default=None, description="A route.")

    @model_validator(mode="after")
    def _one(self) -> Job:
        if [self.name, self.incoming, self.route].count(None) != 2:
            raise ValueError("found more or less than one name; one of name, incoming and route is needed")
        return self


def _job(value: JSON) -> JSON:
    return {"name": value} if isinstance(value, str) else value


def _one_or_more(value: JSON) -> JSON:
    return value if is_list(value) or value is None else [value]


class Schedule(Entry):
    """When something starts by itself."""

    every: Annotated[str, AfterValidator(check_every)] = Field(
        description="Five cron fields (minute, hour, day, month, weekday), or an interval such as 30s, 15m, 6h, 1d."
    )
    run: Annotated[tuple[Annotated[Job, BeforeValidator(_job)], ...], BeforeValidator(_one_or_more)] = Field(
        min_length=1,
        description="Routes and incoming connections, by name; {route: NAME} or {incoming: NAME} where both have it.",
    )
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="The time zone of the cron fields, such as Europe/Amsterdam."
    )
    disabled: bool = Field(default=False, description="Whether it is only kept.")


class Storage(Entry):
    """Where chains keep documents between runs."""

    path: str | None = Field(
        default=None, description="A folder, beside the configuration unless absolute; storage/NAME unless given."
    )


class Chain(Entry):
    """A saved chain."""

    summary: str = Field(default="", description="One sentence on what it does.")
    parameters: dict[str, JSON] = Field(
        default_factory=dict[str, JSON], description="What its users may tell it: {name: {type, description, default}}."
    )
    raw_steps: Chained = Field(validation_alias=AliasChoices("steps"), description="What it does, step by step.")

    @property
    def steps(self) -> Steps:
        return cast("Steps", self.resolved(self.raw_steps, "steps"))

    def as_document(self) -> JSON:
        """The chain as the engine takes it: its steps, and its parameters where it has any."""
        return {"parameters": dict(self.parameters), "steps": self.steps} if self.parameters else self.steps


class Variable(Entry):
    """A value that chains reach as `@{variables.NAME}`; the environment may give it under the same name."""

    type: Literal["string", "integer", "number", "boolean", "object", "array"] | None = Field(
        default=None, description="What it must be."
    )
    default: JSON = Field(default=None, description="Its value when the environment gives none.", repr=False)
    secret: bool = Field(default=False, description="Whether it is never shown.")


def _chain(value: JSON) -> JSON:
    return {"steps": value} if is_list(value) or isinstance(value, str) else value


def _variable(value: JSON) -> JSON:
    return value if is_object(value) else {"default": value}


Step = JSON
"""`{prototype: name, parameters: {…}}`, `{name: {…}}`, or the name of a saved chain."""


class Document(Section):
    """A whole configuration."""

    clients: Annotated[dict[str, ClientEntry], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, ClientEntry], description="Whom to call."
    )
    incoming: Annotated[dict[str, Incoming], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, Incoming], description="Where documents come from."
    )
    outgoing: Annotated[dict[str, Outgoing], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, Outgoing], description="Where documents go."
    )
    routes: Annotated[dict[str, Route], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, Route], description="Which incoming goes to which outgoing connection."
    )
    chains: Annotated[
        dict[str, Annotated[Chain, BeforeValidator(_chain)]],
        BeforeValidator(nothing_is_empty),
    ] = Field(default_factory=dict[str, Chain], description="Chains that others name.")
    schedules: Annotated[dict[str, Schedule], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, Schedule], description="What starts by itself, and when."
    )
    storages: Annotated[
        dict[str, Annotated[Storage, BeforeValidator(nothing_is_empty)]],
        BeforeValidator(nothing_is_empty),
    ] = Field(default_factory=dict[str, Storage], description="Where chains keep documents between runs.")
    variables: Annotated[
        dict[str, Annotated[Variable, BeforeValidator(_variable)]],
        BeforeValidator(nothing_is_empty),
    ] = Field(default_factory=dict[str, Variable], description="Values that chains reach as @{variables.NAME}.")
