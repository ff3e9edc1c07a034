"""Budgets in money that nobody could reckon."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Finding, Path
from connector.config.measures import Budget
from connector.config.rules.subject import Subject

__all__ = ["unpriced"]


def unpriced(subject: Subject) -> Iterator[Finding]:
    """Amounts without any price: nothing would ever be spent."""
    if subject.document.prices:
        return
    for budget, path in _budgets(subject):
        if budget.amount is not None:
            allowed = "say what models cost: prices: {MODEL: {input: 1.25, output: 10}}, or give tokens"
            yield subject.finding("unpriced-budget", (*path, "amount"), "an amount, and no prices are given", allowed)


def _budgets(subject: Subject) -> Iterator[tuple[Budget, Path]]:
    for name, route in subject.document.routes.items():
        if route.budget is not None:
            yield route.budget, ("routes", name, "budget")
    for name, token in subject.document.gateway.tokens.items():
        if token.budget is not None:
            yield token.budget, ("gateway", "tokens", name, "budget")
