"""The commands by name, with the summaries that `--help` shows; the module of each is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer import Typer
from typer.main import get_command, get_group

from connector.cli.command import Group, command, group
from connector.model import JSON

if TYPE_CHECKING:
    from typer._click import Command, Context
    from typer._click.formatting import HelpFormatter

__all__ = ["COMMANDS", "CommandTable"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives.

    Attributes:
        module: a module of this room.
        name: a function or a group of that module.
        summary: the first sentence of the command's help.
        options: the dataclass of its options, if it takes them as one.
        decided: options that are fixed.
    """

    module: str
    name: str
    summary: str
    options: str | None = None
    decided: dict[str, JSON] = field(default_factory=dict[str, JSON])

    def load(self, name: str) -> Command:
        """Import the module and make the command."""
        module = import_module(f"connector.cli.{self.module}")
        found: Any = getattr(module, self.name)
        made = get_group(found) if isinstance(found, Typer) else self._make(found, module)
        made.name, made.short_help = name, self.summary
        return made

    def _make(self, run: Any, module: object) -> Command:
        only = group(None)
        only.command()(run if self.options is None else command(run, getattr(module, self.options), **self.decided))
        return get_command(only)


COMMANDS = {
    "init": Entry(
        "init", "init", "Write a first configuration that can run, and say what to do next; overwrite nothing."
    ),
    "call": Entry("call", "call", "Call any operation of the API by name.", "CallOptions"),
    "explain": Entry(
        "explain",
        "explain",
        "Show the exact request that a call or a connection would send, and send nothing.",
        "ExplainOptions",
        {"dry_run": True},
    ),
    "subscribe": Entry(
        "subscribe",
        "subscribe",
        "Print the documents of an incoming connection, or every entity of a list.",
        "SubscribeOptions",
        {"every": True},
    ),
    "publish": Entry(
        "publish",
        "publish",
        "Send the documents of standard input through an outgoing connection.",
        "PublishOptions",
    ),
    "transform": Entry(
        "transform", "transform", "Send the documents of standard input through a chain.", "TransformOptions"
    ),
    "test": Entry("test", "test", "Run test cases of chains, and of connections with recorded answers.", "TestOptions"),
    "curl": Entry(
        "curl",
        "curl",
        "Call any path through the client: its credentials, retries, time-outs and envelope.",
        "CurlOptions",
    ),
    "forecast": Entry(
        "forecast",
        "forecast",
        "Say what a route will cost and how long it will take if it runs now; nothing is sent that costs money.",
        "ForecastOptions",
    ),
    "run": Entry(
        "run",
        "run",
        "Read documents and deliver each as a task, which is never lost and never silently paid for twice.",
        "RunOptions",
    ),
    "backup": Entry("tasks", "backup", "Copy all tasks and positions to a consistent file, even during a run."),
    "serve": Entry(
        "serve",
        "serve",
        "Serve the gateway, which forwards calls through the configured clients, with their credentials and limits.",
    ),
    "gateway-token": Entry(
        "serve",
        "gateway_token",
        "Create a gateway token: print the token, which is shown only once, and its entry for the configuration.",
    ),
    "studio": Entry(
        "studio",
        "studio",
        "Serve the studio: pages and an API to see, change and run what the configuration declares.",
    ),
    "studio-token": Entry(
        "studio",
        "studio_token",
        "Create a studio token: print the token, which is shown only once, and its entry for the configuration.",
    ),
    "mcp": Entry(
        "mcp",
        "mcp",
        "Offer the configuration to MCP clients: connections and operations as tools, with resources and prompts.",
    ),
    "sandbox": Entry(
        "sandbox",
        "sandbox",
        "Run a stand-in for the API on this machine, which checks, remembers and answers, without a key or costs.",
        "SandboxOptions",
    ),
    "steps": Entry(
        "steps", "steps", "List steps, mappers, conditions and accessors with their origin, or the fields of one."
    ),
    "chains": Entry("steps", "chains", "List the ready-made chains, or the parameters of one."),
    "lint": Entry(
        "config",
        "lint",
        "Report all errors and warnings of a configuration, each with its line; exit 2 if there are errors.",
    ),
    "schema": Entry(
        "config", "schema", "Print the JSON Schema of a configuration, for editors that complete and check it."
    ),
    "variables": Entry(
        "config",
        "variables",
        "Show the variables that a configuration uses, and whether each is set; never their values.",
    ),
    "airbyte": Entry("airbyte", "airbyte", "A source and a destination for Airbyte."),
    "singer": Entry("singer", "singer", "A tap and a target for Singer and Meltano."),
    "entities": Entry("entities", "entities", "What the API offers: list, show, import, drift, update."),
    "models": Entry("models", "models", "What is known of models: list, show, check, update."),
    "openapi": Entry("openapi", "openapi", "OpenAPI documents, for programs and other platforms."),
    "export": Entry(
        "export",
        "export",
        "Files for other platforms: for Airbyte, Camunda and Prismatic.",
    ),
    "worker": Entry(
        "worker", "worker", "Workers for other platforms: the jobs of Camunda, the activities of Temporal."
    ),
    "client": Entry("client", "client", "Clients and their prototypes."),
    "incoming": Entry(
        "entry_commands", "incoming", "Incoming connections of the configuration: where documents come from."
    ),
    "outgoing": Entry("entry_commands", "outgoing", "Outgoing connections of the configuration: where documents go."),
    "route": Entry(
        "entry_commands",
        "route",
        "Routes of the configuration: which incoming goes to which outgoing connection.",
    ),
    "bill": Entry("bill", "bill", "Hold the organization's bill against what was called."),
    "budget": Entry("budget", "budget", "See the budgets of routes."),
    "tasks": Entry("tasks", "tasks", "The tasks of routes: list, show, retry, skip, done, export, purge."),
    "webhooks": Entry(
        "webhooks",
        "webhooks",
        "Webhook endpoints: where the API sends its events, and what it signs them with.",
    ),
    "import": Entry("imports", "imports", "Convert configurations of other platforms: alumio, atlas."),
}


class Commands(MutableMapping[str, "Command"]):
    """The commands of the table, each made when it is first accessed."""

    def __init__(self) -> None:
        self._made: dict[str, Command | None] = dict.fromkeys(COMMANDS)

    def __getitem__(self, name: str) -> Command:
        made = self._made[name]
        if made is None:
            made = self._made[name] = COMMANDS[name].load(name)
        return made

    def __setitem__(self, name: str, command: Command) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class CommandTable(Group):
    """The group of all commands: `--help` shows the table and makes none of them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = Commands()

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002  of any context
        return list(self.commands)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002  of any context
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])
