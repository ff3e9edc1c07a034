"""Sources with a mistake that somebody could make, and who catches each.

`python -m tests.hosts.airbyte.mutants` prints the table; with NAME airbyte … behind it, it is such a source.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.crash.mutants import put

__all__ = ["MUTANTS", "miscounts", "plant", "tell_states_too_early"]


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


def plant(name: str) -> None:
    """Put a mistake into this process."""
    MUTANTS[name]()


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


def main() -> int:
    from tests.hosts.airbyte.judges.running import program, suite, tell_story
    from tests.hosts.airbyte.rig import KEYS, empty_streams, furnished

    wrong: list[str] = []
    sys.stdout.write(f"{'mutant':22}{'suite':12}{'PyAirbyte':12}our count\n")
    with TemporaryDirectory() as made, furnished() as url:
        folder, config = Path(made), {**KEYS, "base_uri": url}
        empty = empty_streams(folder, config)
        for number, name in enumerate(("", *MUTANTS)):
            place = folder / str(number)
            passed = suite(place, config, empty, name)
            told = tell_story(place / "story", config, name).get("rows", {})
            caught = [
                set(passed.values()) != {"PASSED"},
                len(told.get("files", ())) != 3,
                bool(miscounts(place, config, program(name))),
            ]
            cells = ["caught" if one else "-" for one in caught]
            sys.stdout.write(f"{name or '(none)':22}{cells[0]:12}{cells[1]:12}{cells[2]}\n")
            sys.stdout.flush()
            wrong += [name or "(none)"] if any(caught) != bool(name) else []
    return int(bool(wrong))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from connector.cli import main as command

        plant(sys.argv[1])
        sys.argv = ["openai-connector", *sys.argv[2:]]
        command()
    else:
        sys.exit(main())
