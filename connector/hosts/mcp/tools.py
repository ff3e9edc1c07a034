"""The tools of a configuration: its outgoing connections, the operations that it allows, and `explain`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from connector.errors import ConfigurationError
from connector.hosts.offers import callable_outgoing, match_operations
from connector.hosts.schemas import document_schema, request_schema
from connector.model import JSON, Effect
from connector.transform.library import ready_made

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.config import Configuration
    from connector.config.models import Outgoing

__all__ = ["EXPLAIN", "Tool", "make_tools"]

EXPLAIN = "explain"
UNNAMEABLE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_NAME = 64
MOST_OF_ONE = 12_000
"""Bytes of one schema at most: a model reads all of them before it does anything."""
AROUND = 450
"""Bytes of a tool beside its schema, about."""
REPEATS = {
    Effect.NONE: "Reads only.",
    Effect.IDEMPOTENT: "A second call changes nothing more.",
    Effect.RECONCILABLE: "Makes something; a call that is repeated with its key is made once.",
    Effect.OPAQUE: "A second call is paid for again; one that is repeated with its key is made once.",
}
OBJECT: dict[str, JSON] = {"type": "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool.

    Attributes:
        target: the outgoing connection, or the name of the operation.
        hints: what a host may tell its user before the tool is called.
    """

    name: str
    kind: Literal["outgoing", "operation", "explain"]
    target: str
    description: str
    schema: Mapping[str, JSON]
    hints: Mapping[str, JSON]
    operation: Operation | None = None
    title: str = ""
    is_read: bool = field(default=False)
    """Whether it neither changes nor costs anything."""

    def as_document(self) -> dict[str, JSON]:
        """Return the tool as a list of tools shows it."""
        shown: dict[str, JSON] = {"name": self.name}
        shown |= {"title": self.title} if self.title else {}
        return {
            **shown,
            "description": self.description,
            "inputSchema": self.schema,
            "outputSchema": OBJECT,
            "annotations": dict(self.hints),
        }


def make_tools(configuration: Configuration, catalogue: Catalogue) -> dict[str, Tool]:
    """Return the tools of a configuration by their names; ConfigurationError when two would have the same one."""
    settings = configuration.mcp
    operations = list(_operations(configuration, catalogue))
    outgoing = {} if settings.read_only else dict(callable_outgoing(configuration, settings.outgoing))
    count = len(operations) + len(outgoing)
    most = min(MOST_OF_ONE, max(settings.schema_bytes // max(count, 1) - AROUND, 300))
    found: dict[str, Tool] = {}
    for tool in (
        *(_outgoing_tool(configuration, catalogue, name, one, most) for name, one in outgoing.items()),
        *(_operation_tool(one, catalogue, most) for one in operations),
    ):
        if tool.name in found or tool.name == EXPLAIN:
            other = found[tool.name].target if tool.name in found else "the tool that shows what would be sent"
            raise ConfigurationError(
                f"mcp: {tool.target!r} and {other!r} would both be the tool {tool.name!r}: rename one"
            )
        found[tool.name] = tool
    if found:
        found[EXPLAIN] = _explain_tool(found)
    return found


def _operations(configuration: Configuration, catalogue: Catalogue) -> Iterator[Operation]:
    """Yield the operations that the patterns name, each once."""
    found = match_operations(configuration.mcp.operations, catalogue, "mcp.operations")
    if found and not configuration.clients:
        raise ConfigurationError("mcp.operations: there is no client to call operations with; declare one in `clients`")
    for operation in found:
        if operation.removed is None and (operation.effect is Effect.NONE or not configuration.mcp.read_only):
            yield operation


def _operation_tool(operation: Operation, catalogue: Catalogue, most: int) -> Tool:
    name = _name(operation.name)
    return Tool(
        name=name,
        kind="operation",
        target=operation.name,
        title=operation.name,
        description=f"{operation.wire_name}. {_cost(operation)}{REPEATS[operation.effect]}",
        schema=request_schema(operation, catalogue, most),
        hints=_hints(operation),
        operation=operation,
        is_read=operation.effect is Effect.NONE,
    )


def _cost(operation: Operation) -> str:
    return "Uses a model, which costs money. " if operation.cost is not None else ""


def _hints(operation: Operation) -> dict[str, JSON]:
    effect, reads = operation.effect, operation.effect is Effect.NONE
    hints: dict[str, JSON] = {"readOnlyHint": reads, "openWorldHint": True}
    if not reads:
        removes = operation.method == "DELETE" or effect is Effect.IDEMPOTENT
        hints |= {"destructiveHint": removes, "idempotentHint": effect.repeatable}
    return hints


def _outgoing_tool(
    configuration: Configuration, catalogue: Catalogue, name: str, outgoing: Outgoing, most: int
) -> Tool:
    operation = _operation_of(outgoing, catalogue)
    chain, template = outgoing.raw_chain, outgoing.raw_request
    if not chain and not template and operation is not None:
        schema = request_schema(operation, catalogue, most)
    else:
        own = configuration.saved_chains()
        # The file of a ready-made chain is read only when it is named.
        schema = document_schema(chain, template, lambda each: own[each] if each in own else ready_made().get(each))
    called = operation.name if operation is not None else f"a publisher of kind {outgoing.publisher.prototype}"
    said = [outgoing.description or f"Sends a document to {called}."]
    said += [_cost(operation).strip(), REPEATS[operation.effect]] if operation is not None else []
    hints = _hints(operation) if operation is not None else dict(_hints_of_kind(outgoing))
    if operation is not None and chain and hints.get("idempotentHint"):
        hints["idempotentHint"] = False  # what the chain calls may cost something each time
    return Tool(
        name=_name(name),
        kind="outgoing",
        target=name,
        description=" ".join(part for part in said if part),
        schema=schema,
        hints={**hints, "readOnlyHint": False},
        operation=operation,
    )


def _operation_of(outgoing: Outgoing, catalogue: Catalogue) -> Operation | None:
    """Return the operation that a connection's publisher calls, if it is one of the catalogue."""
    if outgoing.publisher.prototype != "openai":
        return None
    parameters = outgoing.publisher.raw_parameters
    entity, action = parameters.get("entity"), parameters.get("action")
    if not isinstance(entity, str) or "{" in entity:
        return None
    return catalogue.find(entity, action if isinstance(action, str) else None, use="write")


def _hints_of_kind(outgoing: Outgoing) -> Iterator[tuple[str, JSON]]:
    """Yield what is known of publishers that call no operation: a file or a table here, any API elsewhere."""
    kind, parameters = outgoing.publisher.prototype, outgoing.publisher.raw_parameters
    yield "openWorldHint", kind not in ("file", "none", "sql")
    yield "destructiveHint", not (kind == "none" or (kind == "file" and parameters.get("append") is True))
    yield "idempotentHint", kind == "none"


def _explain_tool(tools: Mapping[str, Tool]) -> Tool:
    properties: dict[str, JSON] = {
        "tool": {"type": "string", "enum": list(tools), "description": "The tool that would be called."},
        "arguments": {"type": "object", "description": "What it would be called with."},
    }
    return Tool(
        name=EXPLAIN,
        kind="explain",
        target=EXPLAIN,
        title="Show what would be sent",
        description="Shows the exact request that another tool would send, and where each value comes from. Nothing is"
        " sent and nothing is paid.",
        schema={"type": "object", "properties": properties, "required": ["tool", "arguments"]},
        hints={"readOnlyHint": True, "openWorldHint": False},
        is_read=True,
    )


def _name(text: str) -> str:
    """Return a name as every host takes it."""
    return UNNAMEABLE.sub("_", text).strip("_")[:LONGEST_NAME]
