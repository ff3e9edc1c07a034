"""Runs the JSON-Schema-Test-Suite through the `schema` step: `python -m tools.schema_suite FOLDER`.

FOLDER is a checkout of the suite, or its `tests/draft2020-12`. Cases whose schemas lie on another server are counted
apart, since a schema is never fetched. Formats are asserted in `optional/format`, and nowhere else.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector.transform import Context, Failed, InvalidChain, compile_chain

__all__ = ["main", "run"]

DRAFT = Path("tests/draft2020-12")
REMOTE = "localhost:1234"
"""Where the suite keeps what its schemas refer to."""


def main(arguments: list[str]) -> int:
    """Print what came of every case; 1 when a required one failed."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    counts: Counter[tuple[str, str]] = Counter()
    for kind, result, name in run(Path(arguments[0])):
        counts[kind, result] += 1
        if result not in ("right", "remote"):
            print(f"{kind}: {name}: {result}")
    for (kind, result), number in sorted(counts.items()):
        print(f"{kind}: {number} {result}")
    required = sum(number for (kind, _), number in counts.items() if kind == "required")
    wrong = required - counts["required", "right"] - counts["required", "remote"]
    return 1 if wrong or not counts["required", "right"] else 0


def run(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the kind of each case, its result and its name."""
    root = folder / DRAFT if (folder / DRAFT).is_dir() else folder
    for file in sorted(root.rglob("*.json")):
        name = file.relative_to(root).as_posix()
        kind = "format" if name.startswith("optional/format/") else name.rpartition("/")[0] or "required"
        for group in json.loads(file.read_text()):
            for case, result in _group(group, formats=kind == "format"):
                yield kind, result, f"{name}: {group['description']}: {case}"


def _group(group: dict[str, Any], *, formats: bool) -> Iterator[tuple[str, str]]:
    parameters = {"schema": group["schema"], **({"formats": True} if formats else {})}
    try:
        chain = compile_chain([{"schema": parameters}])
    except InvalidChain as invalid:
        remote = REMOTE in json.dumps(group["schema"]) and "not in the schema" in str(invalid)
        yield from ((case["description"], "remote" if remote else f"no schema: {invalid}") for case in group["tests"])
        return
    for case in group["tests"]:
        yield case["description"], _result(chain, case["data"], valid=case["valid"])


def _result(chain: Any, value: Any, *, valid: bool) -> str:
    failures: list[Failed] = []
    passed = chain.apply(value, Context(on_failed=lambda _, failure: failures.append(failure)))
    if any("document" not in failure.reason for failure in failures):
        return f"broke: {failures[0]}"
    return "right" if bool(passed) is valid is not bool(failures) else f"{'refused' if valid else 'let through'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
