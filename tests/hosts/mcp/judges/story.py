"""A story end to end, told by clients that are not ours; runs in the environment of the judges, and imports none of us.

`python story.py CLIENT MODE NAME FILE COMMAND…` writes to a file what the client saw, as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

KEY, SLOW = {"openai-connector/key": "story-1"}, {"openai-connector/key": "story-2"}


async def official(command: list[str], mode: str, name: str) -> dict[str, Any]:
    """The official client, in one era of the protocol or the other."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    heard: list[Any] = []

    async def progress(amount: float, total: float | None, message: str | None) -> None:
        heard.append([amount, message])

    server = stdio_client(StdioServerParameters(command=command[0], args=command[1:]))
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        explained = await client.call_tool("explain", {"tool": "greet", "arguments": {"name": name}})
        first = await client.call_tool("greet", {"name": name}, progress_callback=progress, meta=KEY)
        again = await client.call_tool("greet", {"name": name}, meta=KEY)
        wrong = await client.call_tool("greet", {})
        prompt = await client.get_prompt("chat-prompt", {"prompt": "Hello"})
        read = await client.read_resource("openai-connector://tasks")
        try:  # a call that takes too long is cancelled; the same call is then asked for again
            await client.call_tool("slow", {"name": name}, read_timeout_seconds=0.6, meta=SLOW)
            cancelled = "answered"
        except Exception:  # noqa: BLE001  whatever a client raises when its time is up
            try:
                found = await client.call_tool("slow", {"name": name}, read_timeout_seconds=4, meta=SLOW)
                cancelled = found.structured_content["state"] if found.is_error else "answered"
            except Exception as error:  # noqa: BLE001  as above
                cancelled = f"not answered: {error}"
        return {
            "cancelled": cancelled,
            "version": client.protocol_version,
            "tools": [tool.name for tool in tools],
            "read_only": [tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint],
            "explained": explained.structured_content["url"],
            "answers": [one.structured_content["text"] for one in (first, again)],
            "repeats": [one.meta["openai-connector/repeat"] for one in (first, again)],
            "wrong": wrong.is_error,
            "progress": heard,
            "prompt": prompt.messages[0].content.text,
            "tasks": json.loads(read.contents[0].text)["calls"],
        }


async def fastmcp(command: list[str], _: str, name: str) -> dict[str, Any]:
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport
    from fastmcp.exceptions import ToolError

    heard: list[Any] = []

    async def progress(amount: float, total: float | None, message: str | None) -> None:
        heard.append([amount, message])

    async with Client(StdioTransport(command[0], command[1:]), progress_handler=progress) as client:
        tools = await client.list_tools()
        explained = await client.call_tool("explain", {"tool": "greet", "arguments": {"name": name}})
        first = await client.call_tool("greet", {"name": name}, meta=KEY)
        again = await client.call_tool("greet", {"name": name}, meta=KEY)
        try:
            await client.call_tool("greet", {})
        except ToolError as error:
            wrong = str(error)
        prompt = await client.get_prompt("chat-prompt", {"prompt": "Hello"})
        return {
            "tools": [tool.name for tool in tools],
            "explained": explained.structured_content["url"],
            "answers": [one.structured_content["text"] for one in (first, again)],
            "repeats": [one.meta["openai-connector/repeat"] for one in (first, again)],
            "wrong": wrong,
            "progress": heard,
            "prompt": prompt.messages[0].content.text,
        }


async def agents(command: list[str], _: str, name: str) -> dict[str, Any]:
    """An agent whose model, the sandbox's, calls our tool, which calls the sandbox."""
    import os

    from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
    from agents.mcp import MCPServerStdio
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel("gpt-6-luna", AsyncOpenAI(base_url=os.environ["SANDBOX"], api_key="made-up"))
    parameters: Any = {"command": command[0], "args": command[1:]}
    async with MCPServerStdio(params=parameters, client_session_timeout_seconds=30) as server:
        settings = ModelSettings(tool_choice="auto")
        agent = Agent(name="greeter", model=model, mcp_servers=[server], model_settings=settings)
        result = await Runner.run(agent, f"use greet for {name}", max_turns=4)
        outputs = [item.raw_item for item in result.new_items if item.type == "tool_call_output_item"]
        calls = [item.raw_item.name for item in result.new_items if item.type == "tool_call_item"]
        tools = [tool.name for tool in await server.list_tools()]
        answers = [str(one["output"]) for one in outputs]
        return {"tools": tools, "calls": calls, "answers": answers, "said": str(result.final_output)}


STORIES: dict[str, Callable[[list[str], str, str], Awaitable[dict[str, Any]]]] = {
    "official": official, "fastmcp": fastmcp, "agents": agents,
}  # fmt: skip


if __name__ == "__main__":
    chosen, mode, name, told, *command = sys.argv[1:]
    seen = asyncio.run(STORIES[chosen](command, mode or "auto", name))
    Path(told).write_text(json.dumps(seen))
