"""Sources and destinations with a mistake that somebody could make, and who catches each.

`python -m tests.hosts.airbyte.mutants` prints the tables; with NAME airbyte … behind it, it is such a program.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put
from tests.hosts.row_mutants import row_mutants

__all__ = ["DESTINATIONS", "MUTANTS", "find_in_destination", "miscounts", "plant", "tell_states_too_early"]


def _drops_rows() -> None:
    """Gives only every second row."""
    messages: Any = import_module("connector.hosts.airbyte.messages")
    record, numbers = messages.Channel.record, iter(range(10**9))

    def some(self: Any, stream: str, data: Any) -> None:
        if next(numbers) % 2 == 0:
            record(self, stream, data)

    put(messages.Channel, record=some)


def _repeats_rows() -> None:
    messages: Any = import_module("connector.hosts.airbyte.messages")
    record = messages.Channel.record

    def twice(self: Any, stream: str, data: Any) -> None:
        record(self, stream, data)
        record(self, stream, data)

    put(messages.Channel, record=twice)


def _gives_texts_for_numbers() -> None:
    messages: Any = import_module("connector.hosts.airbyte.messages")
    record = messages.Channel.record

    def written(self: Any, stream: str, data: Any) -> None:
        record(self, stream, {name: str(one) if isinstance(one, int) else one for name, one in data.items()})

    put(messages.Channel, record=written)


def tell_states_too_early() -> None:
    """A state that covers what has not been given yet."""
    reader: Any = import_module("connector.hosts.streams.reader")
    read = reader.StreamReader.read

    async def hasty(self: Any, stream: Any, state: Any = None, **how: Any) -> Any:
        found = [one async for one in read(self, stream, state, **how)]
        for one in sorted(found, key=lambda one: isinstance(one, reader.Row)):
            yield one

    put(reader.StreamReader, read=hasty)


MUTANTS: dict[str, Callable[[], None]] = {
    "drops rows": _drops_rows,
    "repeats rows": _repeats_rows,
    "texts for numbers": _gives_texts_for_numbers,
    "states too early": tell_states_too_early,
}


DESTINATIONS = row_mutants("connector.hosts.airbyte.destination")


def plant(name: str) -> None:
    """Put a mistake into this process."""
    ({**MUTANTS, **DESTINATIONS})[name]()


def miscounts(folder: Path, config: dict[str, Any], program: list[str]) -> list[str]:
    """What our own account has against a source: rows that are missing, doubled, or not covered by their state."""
    from tests.hosts.airbyte.rig import catalog_of, run

    folder.mkdir(parents=True, exist_ok=True)
    stream = {"name": "files", "supported_sync_modes": ["incremental"], "json_schema": {}}
    said = run(folder, "read", program=program, config=config, catalog=catalog_of(stream))
    ids = [row["id"] for row in said.rows("files")]
    found = [f"{len({*ids})} files of 3"] if len({*ids}) != 3 else []
    found += [f"{len(ids)} rows of 3"] if len(ids) != 3 else []
    kinds = [one["type"] for one in said.messages if one["type"] in ("RECORD", "STATE")]
    return found + (["a state before its rows"] if kinds[-1:] != ["STATE"] else [])


def find_in_destination(folder: Path, config: dict[str, Any], url: str, program: list[str]) -> list[str]:
    """What our own account has against a destination: rows lost or paid for twice, states that cover what failed."""
    from tests.hosts.airbyte.rig import catalog_of, run
    from tests.hosts.rows import arrived

    folder.mkdir(parents=True, exist_ok=True)
    names = [f"row {uuid4()}" for _ in range(3)]

    def line(kind: str, **content: Any) -> str:
        return json.dumps({"type": kind, kind.lower(): content}) + "\n"

    def state(number: int) -> str:
        about = {"stream_descriptor": {"name": "shelves"}, "stream_state": {"at": number}}
        return line("STATE", type="STREAM", stream=about)

    given = ""
    for number, name in enumerate(names):
        given += line("RECORD", stream="shelves", data={"id": number, "name": name}, emitted_at=1) + state(number)
    failing = line("RECORD", stream="shelves", data={"id": 9}, emitted_at=1) + state(9)
    catalog = catalog_of({"name": "shelves", "json_schema": {}, "supported_sync_modes": ["full_refresh"]})
    found: list[str] = []
    for more, code in (("", 0), (failing, 1)):
        said = run(folder, "write", given=given + more, program=program, config=config, catalog=catalog)
        states = [one["stream"]["stream_state"]["at"] for one in said.of("STATE")]
        found += [f"states {states}"] if states != [0, 1, 2] else []
        found += [f"ended with {said.code}"] if said.code != code else []
    times = arrived(url)
    counts = [times[name] for name in names]
    return found + ([f"three rows arrived {counts} times"] if counts != [1, 1, 1] else [])


def judge_sources(folder: Path, url: str) -> list[str]:
    """Print who catches which source; return those that nobody catches, and what is caught without a mistake."""
    from tests.hosts.airbyte.judges.running import program, suite, tell_stories
    from tests.hosts.airbyte.rig import KEYS, empty_streams

    say("mutant of the source", "suite", "PyAirbyte", "our own account")
    say("---", "---", "---", "---")
    wrong: list[str] = []
    config = {**KEYS, "base_uri": url}
    empty = empty_streams(folder, config)
    for number, name in enumerate(("", *MUTANTS)):
        place = folder / f"source {number}"
        passed = suite(place, config, empty, name)
        told = tell_stories(place / "story", source=(program("source", name), config)).get("rows", {})
        caught = [
            set(passed.values()) != {"PASSED"},
            len(told.get("files", ())) != 3,
            bool(miscounts(place, config, program("source", name))),
        ]
        say(name or "none", *("caught" if one else "-" for one in caught))
        wrong += [name or "none"] if any(caught) != bool(name) else []
    return wrong


def judge_destinations(folder: Path, url: str) -> list[str]:
    """Print who catches which destination; return those that nobody catches, and what is caught without a mistake."""
    from tests.hosts.airbyte.judges.running import program, tell_stories
    from tests.hosts.rows import arrived_rows, row_config, write_row

    say("mutant of the destination", "smoke test", "its rows, counted upstream", "our own account")
    say("---", "---", "---", "---")
    wrong: list[str] = []
    for number, name in enumerate(("", *DESTINATIONS)):
        place, whole = folder / f"destination {number}", f"row {number}: "
        place.mkdir()
        words = program("destination", name)
        smoke = tell_stories(place, "fast" if name else "all", destination=(words, row_config(url, place, whole))).get(
            "smoke", {}
        )
        rows = {write_row(row) for _, row in smoke.get("sent", ())}
        caught = [
            not smoke.get("success"),
            rows != arrived_rows(url, whole).keys(),
            bool(find_in_destination(place, row_config(url, place), url, words)),
        ]
        say(name or "none", *("caught" if one else "-" for one in caught))
        wrong += [name or "none"] if any(caught) != bool(name) else []
    return wrong


def say(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main() -> int:
    from tests.hosts.airbyte.rig import furnished

    with TemporaryDirectory() as made, furnished() as url:
        return int(bool(judge_sources(Path(made), url) + judge_destinations(Path(made), url)))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from connector.cli import main as command

        plant(sys.argv[1])
        sys.argv = ["openai-connector", *sys.argv[2:]]
        command()
    else:
        sys.exit(main())
