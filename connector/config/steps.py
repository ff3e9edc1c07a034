"""What the engine knows of the steps in a configuration; the only place that asks it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from connector.config.findings import Path, path_text
from connector.model import JSON, Fault

__all__ = ["calls_and_gathers", "canonical", "faults_of", "fields_of", "ready_made_chain", "ready_made_names"]


def fields_of(step: str) -> Collection[str]:
    """The parameters that a step has; none when it is no step."""
    from connector.transform.registry import registry

    steps = registry().steps
    return steps.find(step).fields if step in steps else ()


def canonical(step: str) -> str | None:
    """A step's own name; None when it is no step."""
    from connector.transform.registry import registry

    steps = registry().steps
    return steps.find(step).name if step in steps else None


def ready_made_chain(name: str) -> JSON:
    """A chain that ships with the connector; None when there is none of this name."""
    from connector.transform.library import ready_made

    return ready_made().get(name)


def ready_made_names() -> list[str]:
    """The chains that ship with the connector."""
    from connector.transform.library import ready_made

    return list(ready_made())


def faults_of(chains: Iterable[tuple[JSON, Path]], saved: Mapping[str, JSON]) -> Iterator[tuple[Path, Fault]]:
    """Everything that is wrong with some chains and with the saved ones, each with its place."""
    from connector.transform.compiler import Compiler
    from connector.transform.registry import registry

    compiler = Compiler(registry(), saved)
    for name in saved:
        compiler.check_saved(name)
    for steps, path in chains:
        compiler.compile(steps, *path)
    for fault in dict.fromkeys(compiler.faults):
        yield fault.place, Fault(path_text(fault.place), fault.found, fault.allowed, fault.suggestion)


def calls_and_gathers(steps: JSON, saved: Mapping[str, JSON]) -> bool:
    """Whether a chain may make calls and makes one document of many."""
    from connector.transform.compiler import Compiler
    from connector.transform.registry import registry

    compiler = Compiler(registry(), saved)
    block = compiler.compile(steps, "chain")
    return compiler.calls and block.gathers
