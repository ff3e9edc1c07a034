"""A chain on sample documents, step by step, with the budgets of production, without any effect and any secret."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from connector.config import Configuration, InvalidConfiguration
from connector.config.references import Reference, references_in
from connector.config.tree import Tree, read_text
from connector.model import JSON, Fault, is_list, is_object, items
from connector.pipeline import Runtime
from connector.pipeline.explain import without_effects
from connector.transform import Chain, Context, Failed, TraceEntry, compile_chain

__all__ = ["Sample", "Trial", "read_trial", "run_trial", "without_secrets"]

PATIENCE = 10.0
"""Seconds after which a document is given up: steps that wait have no budget of their own."""
NAME = "chain.yaml"
OWN = "this-chain"
"""How a saved chain is called while it is tried under no name."""
STEP = re.compile(r"^chains?\.?(?P<name>.*?)(?:\.steps)?\[(?P<number>\d+)\]")
TASK: Mapping[str, JSON] = {"id": "1", "number": 1, "key": "sample"}
ROUTE: Mapping[str, JSON] = {"name": "sample"}
Value = TypeVar("Value")


@dataclass(slots=True)
class Sample:
    """What became of one document."""

    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])
    outputs: list[JSON] = field(default_factory=list[JSON])
    skipped: list[str] = field(default_factory=list[str])
    failed: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A chain as it is typed, ready to be tried.

    Attributes:
        tree: its text as values with their places; empty for one that is named only.
        steps: what is compiled.
        saved: it under its own name, where it is a saved chain.
    """

    tree: Tree
    steps: JSON
    saved: Mapping[str, JSON]

    def place_of(self, where: str) -> tuple[int | None, int | None]:
        """Return the number of the step of the text that a message names, and its line."""
        found = STEP.match(where)
        if found is None or found["name"] not in ("", *self.saved):
            return None, None
        is_whole = bool(found["name"])
        if bool(self.saved) is not is_whole:
            return None, None
        number = int(found["number"])
        path = ("steps", number) if is_object(self.tree.value) and "steps" in self.tree.value else (number,)
        return number, self.tree.key_place(path).line if self.tree.places else None

    def is_inner(self, where: str) -> bool:
        """Return whether a step is a part of another one that the text names."""
        number, _ = self.place_of(where)
        found = STEP.match(where)
        if number is None or found is None:
            return True
        rest = where[found.end() :]
        return "[" in rest or rest.count(".") > 1


def read_trial(
    configuration: Configuration,
    text: str | None,
    chain: str | None,
    *,
    name: str = "",
    parameters: Mapping[str, JSON] | None = None,
    most: int | None = None,
) -> Trial | list[tuple[Fault, int]]:
    """Return a chain as it can be tried, or what is wrong with its text, with the lines.

    Args:
        configuration: whose saved chains and variables it may name.
        text: its steps, or a whole saved chain.
        chain: in place of a text: the name of a saved or ready-made chain.
        name: under which name a whole saved chain is tried.
        parameters: what a saved chain is given.
        most: with how many of its steps it is tried.
    """
    if text is None:
        return Trial(tree=Tree(), steps=[{str(chain): dict(parameters)} if parameters else str(chain)], saved={})
    tree = read_text(text, NAME)
    if tree.findings:
        return [(finding.fault, finding.place.line) for finding in tree.findings]
    value, faults = _stand_in(configuration, [] if tree.value is None else tree.value, tree)
    if faults:
        return faults
    if is_object(value) and "steps" in value:
        whole = {**value, "steps": _first(items(value["steps"]), most)}
        called = name or OWN
        return Trial(tree=tree, steps=[{called: dict(parameters or {})}], saved={called: whole})
    steps: JSON = [value] if isinstance(value, str) or is_object(value) else value
    return Trial(tree=tree, steps=_first(steps, most) if is_list(steps) else steps, saved={})


def _first(steps: Sequence[Value], most: int | None) -> list[Value]:
    return [*steps] if most is None else [*steps[:most]]


def _stand_in(configuration: Configuration, value: JSON, tree: Tree) -> tuple[JSON, list[tuple[Fault, int]]]:
    """Return a value with what its references stand for; a name in place of each secret, which nobody is shown."""
    lookup, faults = configuration.lookup, list[tuple[Fault, int]]()
    known = {str(one) for _, one in references_in(configuration.tree.value)}
    secret: set[str] = set()
    for path, one in references_in(value):
        if not isinstance(one, Reference):
            continue
        if str(one) not in known:
            found = f"{one} is not named in the configuration yet, so that it is not looked up here"
            faults.append((Fault("", found, "save the chain with it, or type the value"), tree.value_place(path).line))
        elif lookup.is_secret(one):
            secret.add(one.name)
    if faults:
        return None, faults
    hidden = _hide(value, secret) if secret else value
    try:
        return lookup.resolve(hidden), []
    except InvalidConfiguration as error:
        return None, [(one.fault, one.place.line) for one in error.findings]


def _hide(value: JSON, names: set[str]) -> JSON:
    if isinstance(value, str):
        for name in names:
            value = re.sub(rf"\$\{{(?:\w+:)?{re.escape(name)}(?::-[^}}]*)?\}}", f"secret-{name}", value)
        return value
    if is_object(value):
        return {key: _hide(item, names) for key, item in value.items()}
    return [_hide(item, names) for item in value] if is_list(value) else value


def without_secrets(configuration: Configuration, chained: Context) -> Context:
    """Return what chains are given, with a name in place of each secret variable."""
    declared = configuration.variables
    hidden = {name: f"secret-{name}" for name in chained.variables if declared[name].secret}
    return replace(chained, variables={**chained.variables, **hidden})


def run_trial(configuration: Configuration, trial: Trial, documents: Sequence[JSON]) -> list[Sample]:
    """Send each document through a chain by itself; calls are refused and storages stay as they are.

    It blocks, so that a chain that computes for long holds up a thread and not the studio.

    Raises:
        InvalidChain: for steps that cannot work.
    """
    return asyncio.run(_run(configuration, trial, documents))


async def _run(configuration: Configuration, trial: Trial, documents: Sequence[JSON]) -> list[Sample]:
    async with Runtime(configuration) as runtime:
        saved = {**configuration.saved_chains(), **trial.saved}
        chain = compile_chain(trial.steps, saved, models=lambda: runtime.models)
        context = replace(without_secrets(configuration, without_effects(runtime)), task=TASK, route=ROUTE)
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
