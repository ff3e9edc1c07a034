"""A chain on sample documents, step by step, with the budgets of production and without any effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connector.config import Configuration
from connector.model import JSON
from connector.pipeline import Runtime
from connector.pipeline.explain import without_effects
from connector.transform import Chain, Context, Failed, TraceEntry

__all__ = ["Sample", "run_samples"]

PATIENCE = 10.0
"""Seconds after which a document is given up: steps that wait have no budget of their own."""


@dataclass(slots=True)
class Sample:
    """What became of one document."""

    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])
    outputs: list[JSON] = field(default_factory=list[JSON])
    skipped: list[str] = field(default_factory=list[str])
    failed: str = ""
    seconds: float = 0.0


def run_samples(configuration: Configuration, steps: JSON, documents: Sequence[JSON]) -> list[Sample]:
    """Send each document through a chain by itself; calls are refused and storages stay as they are.

    It blocks, so that a chain that computes for long holds up a thread and not the studio.

    Raises:
        InvalidChain: for steps that cannot work.
    """
    return asyncio.run(_run(configuration, steps, documents))


async def _run(configuration: Configuration, steps: JSON, documents: Sequence[JSON]) -> list[Sample]:
    async with Runtime(configuration) as runtime:
        chain = runtime.chain(steps, "chain")
        context = without_effects(runtime)
        return [await _run_one(chain, context, document) for document in documents]


async def _run_one(chain: Chain, context: Context, document: JSON) -> Sample:
    sample = Sample()

    def skip(_: JSON, reason: str) -> None:
        sample.skipped.append(reason)

    def fail(_: JSON, error: Failed) -> None:
        sample.failed = str(error)

    watched = replace(context, on_skip=skip, on_failed=fail)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            sample.outputs = [made async for made in chain.arun((document,), watched, trace=sample.trace)]
    except TimeoutError:
        sample.failed = f"it was given up after {PATIENCE:.0f} s"
    sample.seconds = time.perf_counter() - began
    return sample
