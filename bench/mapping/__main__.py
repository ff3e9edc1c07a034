"""One measurement of one way, in a process of its own; its result is one line of JSON.

python -m bench.mapping WAY [--seconds S] [--core N]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module, metadata
from typing import Any

import orjson

from bench.machine import pin
from bench.mapping.task import expected, texts

TRIED = 100
"""Records that are looked at before any is counted."""


def main() -> None:
    given = _arguments()
    pin(given.core)
    way = import_module(f"bench.mapping.{given.way}")
    _check(way)
    count = _timed(way, TRIED * 2)[0] * given.seconds
    count = max(TRIED, int(count))
    rate, cpu = _timed(way, count)
    versions = {name: metadata.version(name) for name in way.PACKAGES}
    print(json.dumps({"rate": rate, "cpu": cpu, "count": count, "versions": versions}))


def _check(way: Any) -> None:
    for number, text in enumerate(way.mapped(texts(TRIED))):
        if orjson.loads(text) != expected(number):
            sys.exit(f"{way.__name__} makes something else of record {number}: {text.decode()}")


def _timed(way: Any, count: int) -> tuple[float, float]:
    """Documents a second, by the clock and by processor time."""
    given = list(texts(count))
    began, spent = time.perf_counter(), time.process_time()
    done = sum(1 for _ in way.mapped(given))
    elapsed, cpu = time.perf_counter() - began, time.process_time() - spent
    if done != count:
        sys.exit(f"{way.__name__} gave {done} of {count} records")
    return done / elapsed, done / cpu


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="one measurement of one way to map records")
    parser.add_argument("way")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--core", type=int, help="the core to stay on")
    return parser.parse_args()


if __name__ == "__main__":
    main()
