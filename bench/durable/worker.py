"""One measurement of one way to deliver documents, in a process of its own; its result is one line of JSON.

python -m bench.durable.worker PEER BASE PLACE TASKS IN_FLIGHT    PLACE: an engine's URL, or a folder
"""

from __future__ import annotations

import inspect
import json
import resource
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module, metadata


class Watch:
    """Seconds and CPU seconds of this process between two moments."""

    seconds = 0.0
    cpu = 0.0

    @contextmanager
    def running(self) -> Generator[None]:
        began, used = time.perf_counter(), time.process_time()
        yield
        self.seconds, self.cpu = time.perf_counter() - began, time.process_time() - used


def main() -> None:
    name, base, place, tasks, in_flight = sys.argv[1:]
    peer = import_module(f"bench.durable.{name}")
    watch = Watch()
    done = peer.deliver(base, place, int(tasks), int(in_flight), watch)
    if inspect.iscoroutine(done):
        import asyncio

        done = asyncio.run(done)
    if done != int(tasks):
        sys.exit(f"{done} of {tasks} tasks were done")
    versions = {package: metadata.version(package) for package in peer.PACKAGES}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"done": done, "seconds": watch.seconds, "cpu": watch.cpu, "peak": peak, "versions": versions}))


if __name__ == "__main__":
    main()
