"""One measurement of one peer, in a process of its own; its result is one line of JSON.

python -m bench.worker PEER PART BASE [--in-flight N] [--seconds S] [--file PATH] [--core N]
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import resource
import sys
from importlib import import_module, metadata
from types import ModuleType

from bench.load import Load
from bench.machine import pin
from bench.watch import Watch


def main() -> None:
    given = _arguments()
    pin(given.core)
    peer = import_module(f"bench.peers.{given.peer}")
    watch = Watch(given.base)
    load = Load(given.in_flight, given.seconds, watch)
    work = {"calls": (load,), "listing": (watch,), "upload": (given.file, watch)}[given.part]
    done = getattr(peer, given.part)(given.base, *work)
    if inspect.iscoroutine(done):
        done = asyncio.run(done)
    if not done:
        sys.exit(f"nothing came back: {load.failure}")
    print(json.dumps(_result(done, watch, load) | {"versions": _versions(peer)}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="one measurement of one peer")
    parser.add_argument("peer")
    parser.add_argument("part", choices=["calls", "listing", "upload"])
    parser.add_argument("base", help="the server's base URI, ending in /v1")
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--file", help="what to upload")
    parser.add_argument("--core", type=int, help="the core to stay on")
    return parser.parse_args()


def _result(done: int, watch: Watch, load: Load) -> dict[str, object]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "done": done,
        "seconds": watch.seconds,
        "cpu": watch.cpu,
        "server": watch.server,
        "peak": peak,
        "failed": load.failed,
        "failure": load.failure,
    }


def _versions(peer: ModuleType) -> dict[str, str]:
    return {name: metadata.version(name) for name in peer.PACKAGES}


if __name__ == "__main__":
    main()
