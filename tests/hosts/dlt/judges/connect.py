"""A pipeline that reads incoming connections into DuckDB, and what is there then: `connect.py FOLDER ASKED`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dlt
import duckdb

from connector.hosts.dlt import incoming_source
from tests.hosts.dlt.judges import points

folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
if asked.get("point"):
    points.plant(asked["point"])
place = str(folder / "story.duckdb")
pipeline = dlt.pipeline(
    "connected",
    destination=dlt.destinations.duckdb(place),
    dataset_name="read",
    pipelines_dir=str(folder / "pipelines"),
)
if pipeline.has_pending_data:
    pipeline.run()
pipeline.run(incoming_source(configuration=str(folder / "connector.yaml"), **asked.get("source", {})))
told = {}
with duckdb.connect(place) as database:
    for name in pipeline.default_schema.data_table_names():
        rows = database.sql(f'select * exclude (_dlt_load_id, _dlt_id) from read."{name}"')
        told[name] = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
sys.stdout.write(json.dumps({"tables": told, "state": pipeline.state["sources"]}, default=str) + "\n")
