"""Chains: unknown steps, wrong parameters, and results that are not requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from connector.config.findings import Finding, Path
from connector.config.names import canonical_name, chain_faults, chains_of, ready_made_chain, step_of
from connector.config.rules import Subject
from connector.config.tree import value_at
from connector.config.validation import templates_in
from connector.model import JSON, is_list, is_object, items, members
from connector.suggestions import closest, did_you_mean

__all__ = ["check_shapes", "check_steps"]


def check_steps(subject: Subject) -> Iterator[Finding]:
    """Report unknown steps, mappers and conditions, and wrong parameters."""
    chains = [(steps, path) for steps, path in chains_of(subject.document) if path[0] != "chains"]
    for path, fault in chain_faults(chains, subject.saved_chains, subject.find_models):
        # The value of a reference is known when it is looked up, and checked then.
        refers = any("${" in text for _, text in templates_in(value_at(subject.tree.value, path)))
        if path[0] != "transformers" and not refers:
            rule = "unknown-step" if fault.found.startswith("unknown") else "wrong-step"
            words = (fault.found, fault.allowed, fault.suggestion)
            yield subject.finding(rule, path, *words, at_key=fault.found.startswith("unknown parameter"))


SECTIONS = ("path", "query", "payload", "headers")
REQUEST = f"a request is an object of {', '.join(SECTIONS)}"
UNTOUCHED = frozenset({"schema", "breakpoint-logger", "exception", "value-mapper", "storage-filter-stored-entity"})
"""Steps that leave a document's members where they are."""
MOST_DEEP = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known about the documents at a place in a chain."""

    keys: frozenset[str] = frozenset()
    """Members that every document has."""
    kind: str = "an object"
    """What the documents are, if they are not objects."""

    def with_key(self, key: str) -> Shape:
        return replace(self, keys=self.keys | {key})


UNKNOWN = Shape()


def check_shapes(subject: Subject) -> Iterator[Finding]:
    """Report chains whose result goes to the API and cannot be a request."""
    for name, incoming in subject.document.incoming.items():
        if incoming.subscriber.prototype == "openai":
            yield from _request_chain(subject, incoming.raw_input, ("incoming", name, "input"))
    for name, outgoing in subject.document.outgoing.items():
        if outgoing.publisher.prototype == "openai":
            yield from _request_chain(subject, outgoing.raw_chain, ("outgoing", name, "chain"))


def _request_chain(subject: Subject, steps: list[JSON], path: Path) -> Iterator[Finding]:
    shape = _Tracker(subject).after(steps, UNKNOWN, 0)
    if shape.kind != "an object":
        yield subject.finding("wrong-shape", path, f"the chain ends in {shape.kind}", REQUEST)
    wrong = sorted(shape.keys - set(SECTIONS))
    if wrong:
        found = f"the chain ends in documents with {', '.join(wrong)}"
        yield subject.finding("wrong-shape", path, found, REQUEST, did_you_mean(closest(wrong[0], SECTIONS)))


class _Tracker:
    """Follow a document through steps, as far as they say what they make of it."""

    def __init__(self, subject: Subject) -> None:
        self._own = subject.saved_chains

    def after(self, steps: JSON, shape: Shape, depth: int) -> Shape:
        if depth > MOST_DEEP:
            return UNKNOWN
        if is_object(steps) and "steps" in steps:
            return self.after(steps["steps"], shape, depth + 1)
        for step in items(steps) if is_list(steps) else [steps]:
            shape = self._step(step, shape, depth)
        return shape

    def _step(self, step: JSON, shape: Shape, depth: int) -> Shape:
        if isinstance(step, str):
            return self._follow_saved(step, shape, depth)
        for name, parameters, _ in step_of(members(step)):
            known = canonical_name(name)
            if known is None:
                return self._follow_saved(name, shape, depth)
            if known in UNTOUCHED:
                return shape
            if known in EFFECTS:
                return EFFECTS[known](parameters, members(step).get(name), shape)
        return UNKNOWN

    def _follow_saved(self, name: str, shape: Shape, depth: int) -> Shape:
        chain = self._own.get(name)
        return self.after(ready_made_chain(name) if chain is None else chain, shape, depth + 1)


def _set(parameters: Mapping[str, JSON], short: JSON, shape: Shape) -> Shape:
    configured = parameters.get("configurations", short)
    if is_object(configured) and "configurations" not in configured:
        keys = list(configured) if "key" not in configured else [configured["key"]]
    else:
        keys = [members(one).get("key") for one in items(configured)]
    for key in keys:
        if key == "":
            shape = UNKNOWN  # the whole document is another
        first = _first(key)
        shape = shape.with_key(first) if first else shape
    return shape


def _remove(parameters: Mapping[str, JSON], _: JSON, shape: Shape) -> Shape:
    patterns = parameters.get("patterns", ())
    keys = [members(one).get("key", one) for one in ([patterns] if isinstance(patterns, str) else items(patterns))]
    if any(not isinstance(key, str) or key.startswith("*") or "{" in key for key in keys):
        return UNKNOWN
    return replace(shape, keys=shape.keys - set(keys))


def _expression(parameters: Mapping[str, JSON], short: JSON, shape: Shape) -> Shape:
    if parameters.get("destination"):
        first = _first(parameters["destination"])
        return shape.with_key(first) if first else shape
    text = parameters.get("expression", short)
    if parameters.get("language", "jmespath") != "jmespath" or not isinstance(text, str):
        return UNKNOWN
    return _of_jmespath(text)


def _of_jmespath(text: str) -> Shape:
    """Return the shape that an expression makes, if its outermost part tells."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        tree = jmespath.compile(text).parsed
    except JMESPathError:
        return UNKNOWN
    while tree["type"] in ("pipe", "subexpression") and tree["children"][-1]["type"] != "field":
        tree = tree["children"][-1]
    if tree["type"] == "multi_select_dict":
        return Shape(frozenset(pair["value"] for pair in tree["children"]))
    if tree["type"] in ("multi_select_list", "flatten", "projection", "filter_projection"):
        return Shape(kind="a list")
    if tree["type"] == "literal":
        value = tree["value"]
        return Shape(frozenset(value)) if is_object(value) else Shape(kind="a constant that is no object")
    return UNKNOWN


def _first(key: JSON) -> str:
    """Return the first key of a dotted path; empty if a placeholder makes it."""
    text = key if isinstance(key, str) else ""
    return "" if "{" in text else text.split(".")[0]


EFFECTS: Mapping[str, Callable[[Mapping[str, JSON], JSON, Shape], Shape]] = {
    "value-setter": _set,
    "value-remover": _remove,
    "expression": _expression,
}
