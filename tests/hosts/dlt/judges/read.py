"""A pipeline into DuckDB, and what is there then, in one line of JSON: `python read.py FOLDER ASKED`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import dlt
import duckdb

from connector.hosts.dlt import openai_source
from tests.hosts.dlt.judges import points
from tests.hosts.dlt.judges.mistakes import plant_source

folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
if asked.get("point", "").startswith("dlt."):
    points.plant(asked["point"], asked.get("nth", 1))
plant_source(asked.get("mutant", ""))
sys.stdout.write("ready\n")
sys.stdout.flush()

pipeline = dlt.pipeline(
    "story",
    destination=dlt.destinations.duckdb(str(folder / "story.duckdb")),
    dataset_name="api",
    pipelines_dir=str(folder / "pipelines"),
)


def rows_of(table: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(folder / "story.duckdb")) as database:
        found = database.sql(f'select * exclude (_dlt_load_id, _dlt_id) from api."{table}"')
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


source = openai_source(**asked["source"]).with_resources(*asked["resources"])
for resource in source.selected_resources.values():
    if "limit" in asked:
        resource.add_limit(asked["limit"])
    if "incremental" in asked:
        resource.apply_hints(incremental=dlt.sources.incremental(**asked["incremental"]))
    if asked.get("parallel"):
        resource.parallelize()
if asked.get("pending"):
    pipeline.run()
info = pipeline.run(source, **asked.get("run", {}))
tables = {name: one for name, one in pipeline.default_schema.tables.items() if name in asked["resources"]}
told = {
    "tables": {name: rows_of(name) for name in pipeline.default_schema.data_table_names() if "__" not in name},
    "given": pipeline.last_trace.last_normalize_info.row_counts if pipeline.last_trace.last_normalize_info else {},
    "state": pipeline.state["sources"]["openai"].get("resources", {}),
    "keys": {
        name: [
            key for key, column in pipeline.default_schema.tables[name]["columns"].items() if column.get("primary_key")
        ]
        for name in asked["resources"]
        if name in pipeline.default_schema.tables
    },
    "dispositions": {name: one["write_disposition"] for name, one in tables.items()},
}
sys.stdout.write(json.dumps(told, default=str) + "\n")
