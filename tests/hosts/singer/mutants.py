"""Taps and targets with a mistake that somebody could make, and who catches each.

`python -m tests.hosts.singer.mutants` prints the table; with NAME singer … behind it, it is such a tap or target.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put
from tests.hosts.airbyte.mutants import tell_states_too_early
from tests.hosts.row_mutants import change_keys, row_mutants

__all__ = ["TAPS", "TARGETS", "find_in_tap", "find_in_target", "plant"]


def _written(change: Callable[[Any], Any]) -> Callable[[], None]:
    """A mistake in what is written: each message is changed, or left out where the change is None."""

    def plant() -> None:
        pipe: Any = import_module("connector.hosts.pipe")
        write = pipe.Lines.write

        def wrong(self: Any, document: Any) -> None:
            changed = change(document)
            if changed is not None:
                write(self, changed)

        put(pipe.Lines, write=wrong)

    return plant


def _every_second() -> Callable[[Any], Any]:
    numbers = iter(range(10**9))
    return lambda message: None if message.get("type") == "RECORD" and next(numbers) % 2 else message


def _without_keys(message: Any) -> Any:
    if message.get("type") != "RECORD":
        return message
    return {**message, "record": {name: value for name, value in message["record"].items() if name != "id"}}


def _with_texts(schema: Any) -> Any:
    """A schema that says text where numbers are."""
    if isinstance(schema, dict):
        return {name: _with_texts(one) for name, one in schema.items()}
    if isinstance(schema, list):
        return [_with_texts(one) for one in schema]
    return "string" if schema in ("integer", "number") else schema


def _lie_in_schemas() -> None:
    tap: Any = import_module("connector.hosts.singer.tap")
    known = tap.describe
    put(tap, describe=lambda stream: {**known(stream), "schema": _with_texts(dict(stream.schema))})


TAPS: dict[str, Callable[[], None]] = {
    "drops records": _written(_every_second()),
    "states before records": tell_states_too_early,
    "a schema that lies": _lie_in_schemas,
    "keys left out": _written(_without_keys),
    "no schemas": _written(lambda message: None if message.get("type") == "SCHEMA" else message),
}
TARGET = "connector.hosts.singer.target"
TARGETS: dict[str, Callable[[], None]] = {
    **row_mutants(TARGET),
    "keys not looked at": change_keys(TARGET, lambda known: lambda name, row, _, scope: known(name, row, [], scope)),
}


def plant(name: str) -> None:
    """Put a mistake into this process."""
    ({**TAPS, **TARGETS})[name]()


def find_in_tap(folder: Path, config: Any, program: Sequence[str]) -> list[str]:
    """What our own account has against a tap: records lost, unknown by their key, or not between schema and state."""
    from tests.hosts.singer.rig import run

    folder.mkdir(parents=True, exist_ok=True)
    catalog = {"streams": [{"tap_stream_id": "files", "metadata": []}]}
    said = run(folder, "tap", program=program, config=config, catalog=catalog)
    ids = [one.get("id") for one in said.records("files")]
    found = [f"files {ids}, and 3 are there"] if len({*ids}) != 3 or len(ids) != 3 or None in ids else []
    kinds = list(dict.fromkeys(one["type"] for one in said.messages))
    return found + ([f"messages in the order {kinds}"] if kinds != ["SCHEMA", "RECORD", "STATE"] else [])


def find_in_target(folder: Path, config: Any, url: str, program: Sequence[str]) -> list[str]:
    """What our own account has against a target: rows lost or paid for twice, and states that cover what failed."""
    from tests.hosts.rows import arrived
    from tests.hosts.singer.rig import run

    folder.mkdir(parents=True, exist_ok=True)
    names = [f"row {uuid4()}" for _ in range(3)]

    def line(**message: Any) -> str:
        return json.dumps(message) + "\n"

    properties = {"name": {"type": "string"}, "id": {"type": "integer"}}
    given = line(type="SCHEMA", stream="shelves", schema={"properties": properties}, key_properties=["id"])
    for number, name in enumerate(names):
        given += line(type="RECORD", stream="shelves", record={"id": number, "name": name})
        given += line(type="STATE", value={"at": number})
    failing = line(type="RECORD", stream="shelves", record={"id": 9}) + line(type="STATE", value={"at": 9})
    told = [{"at": number} for number in range(3)]
    found: list[str] = []
    for more, code in (("", 0), (failing, 1)):
        said = run(folder, "target", given=given + more, program=program, config=config)
        found += [f"states {said.messages}"] if said.messages != told else []
        found += [f"ended with {said.code}"] if said.code != code else []
    times = arrived(url)
    counts = [times[name] for name in names]
    return found + ([f"three rows arrived {counts} times"] if counts != [1, 1, 1] else [])


def main() -> int:
    from tests.hosts.airbyte.rig import KEYS, furnished
    from tests.hosts.rows import row_config
    from tests.hosts.singer.judges.running import program, suite

    wrong: list[str] = []
    sys.stdout.write("| mutant | SDK's suite | our own account |\n|---|---|---|\n")
    with TemporaryDirectory() as made, furnished() as url:
        tap = {**KEYS, "base_uri": url}
        for number, (name, kind) in enumerate(
            [("", "Test"), *((name, "TestTap") for name in TAPS), *((name, "TestTarget") for name in TARGETS)]
        ):
            folder = Path(made) / str(number)
            folder.mkdir()
            target = row_config(url, folder, "row: ")
            judged = suite(folder, tap, target, name, kind)
            complaints = []
            if kind != "TestTarget":
                complaints += find_in_tap(folder / "tap", tap, program(name))
            if kind != "TestTap":
                complaints += find_in_target(folder / "target", row_config(url, folder), url, program(name))
            caught = [set(judged.results.values()) != {"PASSED"}, bool(complaints)]
            cells = ["caught" if one else "-" for one in caught]
            sys.stdout.write(f"| {name or 'none'} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
            wrong += [name or "none"] if any(caught) != bool(name) else []
    return int(bool(wrong))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from connector.cli import main as command

        plant(sys.argv[1])
        sys.argv = ["openai-connector", *sys.argv[2:]]
        command()
    else:
        sys.exit(main())
