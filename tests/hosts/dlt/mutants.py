"""Sources and destinations with a mistake that somebody could make, and who catches each.

`python -m tests.hosts.dlt.mutants` prints the table.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.hosts.airbyte.rig import KEYS
from tests.hosts.dlt.judges.mistakes import DESTINATIONS, SOURCES
from tests.hosts.dlt.rig import Judge, Sandbox, asking, sandboxed, silent

__all__ = ["miscounts", "mispublished"]

ROWS = 130
"""More than the API gives on a page."""
EDGE = 15
"""The first and the last of them, made in other seconds than the rest: a position in the list is a second."""


def miscounts(judge: Judge, folder: Path, api: Sandbox, mutant: str) -> list[str]:
    """What our account has against a source, after a run that is limited and one that is not."""
    api.add_stores(EDGE)
    for count in (ROWS - 2 * EDGE, EDGE):
        api.wait_for_the_next_second()
        api.add_stores(count)
    asked = {"source": {"api_key": KEYS["api_key"], "base_uri": api.url, "lookback_days": 0}, "mutant": mutant}
    told: dict[str, Any] = {}
    for limit in ({"limit": 1}, {}):
        ended = judge.run(folder, "read.py", **asked, resources=["vector_stores"], **limit)
        if ended.code:
            return [f"ended with {ended.code}"]
        told = ended.told
    ids = [row["id"] for row in told["tables"]["vector_stores"]]
    known = {one["id"] for one in api.list("/vector_stores")}
    found = [f"{len(known - {*ids})} rows are missing"] if known - {*ids} else []
    return found + ([f"{len(ids) - len({*ids})} rows are there twice"] if len(ids) > len({*ids}) else [])


def mispublished(judge: Judge, folder: Path, mutant: str) -> list[str]:
    """What our account has against a destination whose API takes rows and never answers."""
    (folder / "rows.jsonl").write_text(json.dumps({"doc": "u1", "name": "u1"}))
    found: list[str] = []
    with silent() as posts:
        asked = {"settings": asking(posts.url, folder), "mutant": mutant}
        for number in range(2):
            told = judge.run(folder, "publish.py", **asked, is_resumed=number > 0).told
            is_told = "DestinationTerminalException" in told["kinds"] and "may have been published" in told["error"]
            found += [] if is_told else [f"run {number + 1} does not tell dlt of the row"]
        found += [f"it was sent {len(posts.bodies)} times"] if len(posts.bodies) != 1 else []
        told = judge.run(folder, "publish.py", **asked, name="replaced", hints={"write_disposition": "replace"}).told
    return found + ([] if "cannot be taken back" in told["error"] else ["replace is not refused"])


def main() -> int:
    wrong: list[str] = []
    sys.stdout.write(f"{'mutant':26}our account\n")
    with TemporaryDirectory() as place, closing(Judge()) as judge:
        for number, mutant in enumerate(("", *SOURCES, "", *DESTINATIONS)):
            folder = Path(place) / str(number)
            folder.mkdir()
            if number <= len(SOURCES):
                with sandboxed() as api:
                    found = miscounts(judge, folder, api, mutant)
            else:
                found = mispublished(judge, folder, mutant)
            what = "source" if number <= len(SOURCES) else "destination"
            sys.stdout.write(f"{mutant or f'(none, {what})':26}{'; '.join(found) or '-'}\n")
            sys.stdout.flush()
            wrong += [mutant] if bool(found) != bool(mutant) else []
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
