"""A pipeline that publishes the rows of a file, and what it came to, in one line of JSON: `publish.py FOLDER ASKED`.

Its source knows how many rows it has given, as dlt's incremental sources do: what a load lost would never come again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from connector.hosts.dlt import publish_rows
from tests.hosts.dlt.judges import points
from tests.hosts.dlt.judges.mistakes import plant_destination

folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
if asked.get("point", "").startswith("dlt."):
    points.plant(asked["point"], asked.get("nth", 1))
plant_destination(asked.get("mutant", ""))
hints: dict[str, Any] = {"primary_key": "doc", "write_disposition": "append", **asked.get("hints", {})}
TYPES = {"decimal": Decimal("1.50"), "time": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "bytes": b"\x00\x01"}


@dlt.resource(name="tickets", **hints)
def tickets() -> Iterator[Any]:
    state = dlt.current.resource_state()
    lines = (folder / "rows.jsonl").read_text().splitlines()
    for line in lines[state.get("given", 0) :]:
        row = json.loads(line)
        yield {**row, **TYPES} if asked.get("types") else row
    state["given"] = len(lines)


def why(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield type(error).__name__
        error = error.__cause__


pipeline = dlt.pipeline(
    asked.get("name", "publishing"),
    destination=publish_rows(**asked["settings"]),
    pipelines_dir=str(folder / asked.get("place", "pipelines")),
)
sys.stdout.write("ready\n")
sys.stdout.flush()
told: dict[str, Any] = {"error": "", "kinds": []}
try:
    if pipeline.has_pending_data:  # dlt would ignore what is new until these are loaded
        pipeline.run()
    if not asked.get("is_resumed"):
        pipeline.run(tickets())
except PipelineStepFailed as error:
    told = {"error": str(error), "kinds": list(why(error))}
told["pending"] = pipeline.has_pending_data
told["given"] = pipeline.state.get("sources", {}).get(pipeline.default_schema_name, {}).get("resources", {})
sys.stdout.write(json.dumps(told) + "\n")
