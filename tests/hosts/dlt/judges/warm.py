"""A process that has dlt, DuckDB and the connector, and forks for each script that it is asked to run."""

from __future__ import annotations

import runpy
import sys

import duckdb  # noqa: F401

import connector.hosts.dlt
import connector.hosts.dlt.source  # noqa: F401
from tests.crash.running import serve


def run(words: list[str]) -> None:
    """Run a script as Python does."""
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    serve(run)
