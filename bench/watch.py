"""A stop-watch for a peer's time and CPU, and for what the server had to do meanwhile."""

from __future__ import annotations

import json
import time
from typing import Self
from urllib.request import ProxyHandler, build_opener

__all__ = ["Watch"]


class Watch:
    """Seconds, our CPU seconds and the server's, between entering and leaving."""

    def __init__(self, base: str) -> None:
        self.seconds = self.cpu = self.server = 0.0
        self._usage = base.removesuffix("/v1") + "/usage"
        self._direct = build_opener(ProxyHandler({}))

    def __enter__(self) -> Self:
        self.server = -self._servers_cpu()
        self.seconds, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()
        self.server += self._servers_cpu()

    def _servers_cpu(self) -> float:
        with self._direct.open(self._usage, timeout=30) as response:
            return float(json.load(response)["cpu"])
