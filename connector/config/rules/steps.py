"""Chains that the engine refuses."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.checking import templated
from connector.config.findings import Finding
from connector.config.names import chains_of
from connector.config.rules.subject import Subject
from connector.config.steps import faults_of
from connector.config.trees import at

__all__ = ["steps"]


def steps(subject: Subject) -> Iterator[Finding]:
    """Unknown steps, mappers and conditions, and wrong parameters, wherever they stand."""
    chains = [(steps, path) for steps, path in chains_of(subject.document) if path[0] != "chains"]
    for path, fault in faults_of(chains, subject.saved_chains):
        # What a reference stands for is known when it is looked up, and judged then.
        refers = any("${" in text for _, text in templated(at(subject.tree.value, path)))
        if path[0] != "transformers" and not refers:
            rule = "unknown-step" if fault.found.startswith("unknown") else "wrong-step"
            words = (fault.found, fault.allowed, fault.suggestion)
            yield subject.finding(rule, path, *words, at_key=fault.found.startswith("unknown parameter"))
