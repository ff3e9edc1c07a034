"""PyAirbyte's own story: a source that is a program of this machine, read into its cache, and read again."""

import json
import sys

import airbyte

executable, config = sys.argv[1], json.loads(sys.argv[2])
source = airbyte.get_source("source-openai", local_executable=executable, config=config, install_if_missing=False)
source.check()
source.select_streams(["files", "costs", "vector_store_files"])
cache = airbyte.new_local_cache()
counts = []
for _ in range(2):
    result = source.read(cache=cache)
    counts.append(result.processed_records)
rows = {name: [dict(row) for row in result.cache.streams[name]] for name in ("files", "costs", "vector_store_files")}
shown = {name: sorted(str(row["id"]) for row in found) for name, found in rows.items()}
sys.stdout.write("\n" + json.dumps({"counts": counts, "rows": shown}) + "\n")
