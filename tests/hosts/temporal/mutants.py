"""Activities with a mistake that somebody could make, and who catches each: workflows, or our count upstream.

`python -m tests.hosts.temporal.mutants` prints the table.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put
from tests.hosts.judges import ROOT
from tests.hosts.temporal import test_activities
from tests.hosts.temporal.rig import Server

__all__ = ["MUTANTS", "stories"]


def _attempts_are_in_the_key() -> None:
    watch: Any = import_module("connector.hosts.temporal.definitions")
    call_key = watch.call_key
    put(watch, call_key=lambda info, own: f"{call_key(info, own)}/{info.attempt}/{uuid4()}")


def _unknown_is_repeated() -> None:
    results: Any = import_module("connector.hosts.temporal.results")
    as_error = results.as_error
    put(results, as_error=lambda kind, *told, delay=None: as_error(kind, *told, delay=delay or 0.1))


def _calls_are_not_noted() -> None:
    definitions: Any = import_module("connector.hosts.temporal.definitions")
    call = definitions.HostCalls.call

    async def unnoted(self: Any, route: Any, asked: Any, notify: Any) -> Any:
        from dataclasses import replace

        return await call(self, route, replace(asked, key=f"{asked.key} {uuid4()}"), notify)

    put(definitions.HostCalls, call=unnoted)


def _cancelling_hides_what_was_sent() -> None:
    definitions: Any = import_module("connector.hosts.temporal.definitions")

    async def hidden(call: Any, look: Any) -> Any:
        try:
            return await call
        except asyncio.CancelledError:
            call.cancel()
            raise

    put(definitions, outlast=hidden)


def _every_answer_fits() -> None:
    results: Any = import_module("connector.hosts.temporal.results")
    put(results, _bounded=lambda value, most, what, about: value)


def _anything_may_be_called() -> None:
    definitions: Any = import_module("connector.hosts.temporal.definitions")
    put(
        definitions,
        match_operations=lambda patterns, catalogue, where: [
            catalogue.find("files delete"),
            *MADE(patterns, catalogue, where),
        ],
    )


BREACH = "breach: "
"""Before each line of a process with a mutant: the SDK writes beside it."""
MADE: Any = import_module("connector.hosts.offers").match_operations
MUTANTS: dict[str, Callable[[], None]] = {
    "attempts are in the key": _attempts_are_in_the_key,
    "unknown is repeated": _unknown_is_repeated,
    "calls are not noted": _calls_are_not_noted,
    "cancelling hides what was sent": _cancelling_hides_what_was_sent,
    "every answer fits": _every_answer_fits,
    "anything may be called": _anything_may_be_called,
}


def stories() -> Iterator[tuple[str, Callable[[Server, Path], Any]]]:
    """What the tests do on a server."""
    for name, story in vars(test_activities).items():
        if name.startswith("test_"):
            yield name.removeprefix("test_").replace("_", " "), story


def _breaches(mutant: str) -> list[str]:
    """What stories have against a mutant that is planted in this process."""
    if mutant:
        MUTANTS[mutant]()
    found: list[str] = []
    with TemporaryDirectory() as place:
        server = Server(Path(place))
        try:
            for number, (name, story) in enumerate(stories()):
                folder = Path(place) / str(number)
                folder.mkdir()
                try:
                    asyncio.run(asyncio.wait_for(story(server, folder), 30))
                except BaseException as error:  # noqa: BLE001  whatever it is, the story says no
                    line = str(error).strip().partition("\n")[0] or type(error).__name__
                    found.append(f"{name}: {line}"[:150])
        finally:
            server.kill()
    return found


def main() -> int:
    if sys.argv[1:]:
        sys.stdout.writelines(f"{BREACH}{one}\n" for one in _breaches(sys.argv[1].strip()))
        return 0
    missed = 0
    for mutant in (" ", *MUTANTS):
        done = subprocess.run(
            [sys.executable, "-m", "tests.hosts.temporal.mutants", mutant],
            cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        found = [line.removeprefix(BREACH) for line in done.stdout.splitlines() if line.startswith(BREACH)]
        is_right = bool(found) == bool(mutant.strip())
        missed += not is_right
        shown = f"caught by {len(found)}: {found[0]}" if found else "nobody complains"
        sys.stdout.write(f"{mutant.strip() or '(no mistake)'}: {shown}{'' if is_right else '  WRONG'}\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
