"""JSONata, when the package `jsonata-python` is installed."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.signals import Unfit

__all__ = ["compile_jsonata"]


def compile_jsonata(expression: str) -> Callable[[JSON], JSON]:
    raise Unfit("soon")
