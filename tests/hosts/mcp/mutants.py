"""Servers with a mistake that somebody could make, and who catches each.

`python -m tests.hosts.mcp.mutants` prints the table. `python -m tests.hosts.mcp.mutants NAME mcp …` is such a server.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put

__all__ = ["MUTANTS", "catch", "plant"]


def _lies() -> None:
    """Answers by itself, and sends nothing."""
    calls: Any = import_module("connector.calls.host_calls")
    from connector.engine import TaskState

    async def call(self: Any, route: Any, asked: Any, notify: Any) -> Any:
        return calls.CallAnswer(task=1, state=TaskState.FINISHED, documents=[{"text": "Greet Ada."}])

    put(calls.HostCalls, call=call)


def _drops_progress() -> None:
    from connector.hosts.mcp.exchange import Exchange

    put(Exchange, report=lambda self, message, is_last=False: None)


def _ignores_cancellation() -> None:
    from connector.hosts.mcp.http import McpHandler
    from connector.hosts.mcp.stdio import PipeServer

    put(PipeServer, _take_notification=lambda self, message: None)
    put(McpHandler, _take_notification=lambda self, message, session: None)


def _hides_failures() -> None:
    results: Any = import_module("connector.hosts.mcp.results")
    invoke: Any = import_module("connector.hosts.mcp.invoke")
    failure = results.failure

    def hidden(text: str, structured: Any) -> Any:
        return failure(text, structured) | {"isError": False}

    put(results, failure=hidden)
    put(invoke, failure=hidden)


def _repeats_calls() -> None:
    from dataclasses import replace

    from connector.calls.host_calls import HostCalls

    call = HostCalls.call

    async def repeated(self: Any, route: Any, asked: Any, notify: Any) -> Any:
        return await call(self, route, replace(asked, key=f"{asked.key} {uuid4()}"), notify)

    put(HostCalls, call=repeated)


def _says_that_it_only_reads() -> None:
    tools: Any = import_module("connector.hosts.mcp.tools")
    as_document = tools.Tool.as_document
    put(tools.Tool, as_document=lambda self: as_document(self) | {"annotations": {"readOnlyHint": True}})


def _explains_by_sending() -> None:
    from connector.hosts.mcp.invoke import Invoker

    explain = Invoker._explain

    async def sent(self: Any, tool: Any, arguments: Any) -> Any:
        from connector.calls.host_calls import HostCall

        with suppress(Exception):
            calls = await self.calls()
            await calls.call(self._route(tool, calls), HostCall(document=arguments, key="explained"), lambda _: None)
        return await explain(self, tool, arguments)

    put(Invoker, _explain=sent)


MUTANTS: dict[str, Callable[[], None]] = {
    "a tool that lies": _lies,
    "drops progress": _drops_progress,
    "ignores cancellation": _ignores_cancellation,
    "hides failures": _hides_failures,
    "repeats calls": _repeats_calls,
    "says that it only reads": _says_that_it_only_reads,
    "explains by sending": _explains_by_sending,
}


def catch(name: str, folder: Path, upstream: str) -> dict[str, list[str]]:
    """What each judge has against a mutant; nothing when it does not notice."""
    from tests.hosts.mcp.judges import conformance, stories

    folder.mkdir(parents=True, exist_ok=True)
    found = {"official client": stories.breaches("official", folder, upstream, mutant=name)}
    found["fastmcp"] = stories.breaches("fastmcp", folder, upstream, mutant=name)
    asked = ("tools-list", "tools-call-simple-text", "tools-call-error", "tools-call-with-progress")
    passed = conformance.judge(folder, upstream, *asked, mutant=name)
    found["conformance suite"] = [scenario for scenario, passes in passed.items() if not passes]
    found["our count upstream"] = stories.miscounts(folder)
    return found


def plant(name: str) -> None:
    """Put a mistake into this process."""
    MUTANTS[name]()


def main() -> int:
    from tests.hosts.mcp.judges.serving import sandbox

    rows: dict[str, dict[str, list[str]]] = {}
    with TemporaryDirectory() as folder, sandbox() as upstream:
        for number, name in enumerate(("", *MUTANTS)):
            found = rows[name or "(none)"] = catch(name, Path(folder) / str(number), upstream)
            if not name:
                sys.stdout.write(f"{'mutant':26}{''.join(f'{judge:20}' for judge in found)}\n")
            cells = ["caught" if against else "-" for against in found.values()]
            sys.stdout.write(f"{name or '(none)':26}{''.join(f'{cell:20}' for cell in cells)}\n")
            sys.stdout.flush()
    missed = [name for name, found in rows.items() if not any(found.values()) and name != "(none)"]
    wrong = [f"{judge}: {why}" for judge, all_ in rows["(none)"].items() for why in all_]
    sys.stdout.write("".join(f"not caught: {name}\n" for name in missed))
    sys.stdout.write("".join(f"without a mutant, {why}\n" for why in wrong))
    return int(bool(missed or wrong))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from connector.cli import main as command

        plant(sys.argv[1])
        sys.argv = ["openai-connector", *sys.argv[2:]]
        command()
    else:
        sys.exit(main())
