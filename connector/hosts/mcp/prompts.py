"""Prompts made of chains that make messages: the ready-made ones, and those of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError, ConnectorError
from connector.hosts.mcp.protocol import INVALID_PARAMS, RpcError
from connector.model import JSON, is_document, items, members
from connector.pipeline.chains import apply
from connector.transform.context import Locks
from connector.transform.library import ready_made

if TYPE_CHECKING:
    from connector.pipeline import Runtime

__all__ = ["Prompts"]

USUAL = ("chat-prompt", "vision-message")
DATA_URL = "data:"


class Prompts:
    """The prompts of a server.

    Args:
        runtime: the opened configuration.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        configuration = runtime.configuration
        own, wanted = configuration.saved_chains(), configuration.mcp.prompts
        self._chains: dict[str, JSON] = {}
        for name in USUAL if wanted is None else wanted:
            if name not in own and name not in ready_made():
                raise ConfigurationError(f"mcp.prompts: there is no chain {name!r}, saved or ready-made")
            self._chains[name] = own[name] if name in own else ready_made()[name]

    def entries(self) -> list[dict[str, JSON]]:
        """Return all prompts."""
        return [self._show(name, members(chain)) for name, chain in self._chains.items()]

    async def get(self, name: JSON, arguments: JSON) -> dict[str, JSON]:
        """Return the messages of a prompt."""
        if not isinstance(name, str) or name not in self._chains:
            raise RpcError(INVALID_PARAMS, f"unknown prompt {str(name)[:100]!r}; prompts/list names them all")
        given: JSON = {} if arguments is None else arguments
        if not is_document(given) or not all(isinstance(one, str) for one in given.values()):
            raise RpcError(INVALID_PARAMS, "arguments: an object of texts is expected")
        chain = self._runtime.chain([name], f"mcp.prompts.{name}")
        try:
            applied = await apply(chain, dict(given), self._runtime.chained, Locks())
        except ConnectorError as error:
            raise RpcError(INVALID_PARAMS, self._runtime.redact(str(error))) from None
        if applied.failed is not None or not applied.documents:
            raise RpcError(INVALID_PARAMS, self._runtime.redact(str(applied.failed or applied.skipped)))
        made = members(members(applied.documents[0]).get("payload"))
        messages = [one for message in items(made.get("messages") or made.get("input")) for one in _messages(message)]
        if not messages:
            raise RpcError(INVALID_PARAMS, f"the chain {name!r} made no messages of these arguments")
        return {"description": self._summary(name), "messages": messages}

    def _summary(self, name: str) -> str:
        own = self._runtime.configuration.chains.get(name)
        said = own.summary if own is not None else str(members(self._chains[name]).get("summary", ""))
        return said or f"The messages that the chain {name} makes."

    def _show(self, name: str, chain: Mapping[str, JSON]) -> dict[str, JSON]:
        arguments: list[JSON] = []
        for parameter, declared in members(chain.get("parameters")).items():
            if _takes_text(members(declared)):
                default = members(declared).get("default")
                required = isinstance(default, str) and default.startswith("&{")
                said = str(members(declared).get("description", ""))
                arguments.append({"name": parameter, "description": said, "required": required})
        return {"name": name, "description": self._summary(name), "arguments": arguments}


def _takes_text(parameter: Mapping[str, JSON]) -> bool:
    """Return whether a parameter may be a text that the document brings: a prompt's arguments are no more than that."""
    kind, default = parameter.get("type"), parameter.get("default")
    return "string" in (kind if isinstance(kind, list) else [kind]) and (default is None or "{" in str(default))


def _messages(message: JSON) -> Iterator[dict[str, JSON]]:
    """Yield a chat message as the protocol has it: one content each; instructions are the user's."""
    found = members(message)
    role = "assistant" if found.get("role") == "assistant" else "user"
    content = found.get("content")
    for part in [content] if isinstance(content, str) else items(content):
        shown = _content(part)
        if shown is not None:
            yield {"role": role, "content": shown}


def _content(part: JSON) -> dict[str, JSON] | None:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    found = members(part)
    if isinstance(found.get("text"), str):
        return {"type": "text", "text": found["text"]}
    image = found.get("image_url")
    address = members(image).get("url") if is_document(image) else image
    if isinstance(address, str) and address.startswith(DATA_URL) and ";base64," in address:
        mime, _, data = address.removeprefix(DATA_URL).partition(";base64,")
        return {"type": "image", "data": data, "mimeType": mime}
    return {"type": "text", "text": address} if isinstance(address, str) else None
