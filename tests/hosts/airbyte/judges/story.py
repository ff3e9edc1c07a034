"""PyAirbyte's own stories, of programs of this machine: `story.py '{"source": …, "destination": …, …}'`.

A source is read into its cache, and read again. A destination is held against PyAirbyte's smoke test of destinations.
Where both are named, one is synced with the other, twice.
"""

import json
import sys
from functools import partial
from pathlib import Path

import airbyte
from airbyte._executors.local import PathExecutor
from airbyte._util import destination_smoke_tests
from airbyte.cli.smoke_test_source.source import SourceSmokeTest
from airbyte.strategies import WriteStrategy
from airbyte_cdk.entrypoint import AirbyteEntrypoint

STREAMS = ("files", "costs", "vector_store_files")
SENT = []
"""The rows of the smoke test, each with its stream."""


class _Here(PathExecutor):
    """Runs the source of the smoke test in this process: each of its own would import PyAirbyte for seconds."""

    def execute(self, args, **_):
        for line in AirbyteEntrypoint(SourceSmokeTest()).run(AirbyteEntrypoint.parse_args(args)):
            message = json.loads(line)
            if message["type"] == "RECORD":
                SENT.append([message["record"]["stream"], message["record"]["data"]])
            yield line


def open_smoke_source(name, config, streams, local_executable):
    executor = _Here(name=name, path=Path(local_executable))
    return airbyte.Source(executor=executor, name=name, config=config, streams=streams)


destination_smoke_tests.get_source = open_smoke_source


def open_source(program, config):
    source = airbyte.get_source("source-openai", local_executable=program, config=config, install_if_missing=False)
    source.check()
    return source


def open_destination(program, config):
    found = airbyte.get_destination("destination-openai", local_executable=program, config=config)
    found.check()
    # Without this, PyAirbyte asks every destination to merge by primary keys, whatever its spec says that it can do.
    found.write = partial(found.write, write_strategy=WriteStrategy.APPEND)
    return found


def read(source):
    source.select_streams(list(STREAMS))
    cache = airbyte.new_local_cache()
    results = [source.read(cache=cache) for _ in range(2)]
    rows = {name: [str(row["id"]) for row in results[-1].cache.streams[name]] for name in STREAMS}
    return {"counts": [one.processed_records for one in results], "rows": rows}


def smoke(destination, scenarios):
    result = destination_smoke_tests.run_destination_smoke_test(
        destination=destination, scenarios=scenarios, skip_preflight=True
    )
    return {"success": result.success, "error": result.error, "sent": SENT}


def sync(source, destination):
    source.select_streams(["files"])
    return [destination.write(source, cache=False, state_cache=False).processed_records for _ in range(2)]


def main():
    asked = json.loads(sys.argv[1])
    said = {}
    source = open_source(**asked["source"]) if "source" in asked else None
    destination = open_destination(**asked["destination"]) if "destination" in asked else None
    if source:
        said |= read(source)
    if destination:
        said["smoke"] = smoke(destination, asked["scenarios"])
    if source and destination:
        said["synced"] = sync(source, destination)
    sys.stdout.write("\n" + json.dumps(said) + "\n")


main()
