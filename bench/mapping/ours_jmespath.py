"""The same expression as a step of a chain runs it: compiled, and bounded by a budget."""

from __future__ import annotations

from typing import Any

import orjson

from bench.mapping.jmespath_alone import text
from connector.transform.expression import compile_jmespath

PACKAGES = ("orjson",)


def mapped(texts: Any) -> Any:
    evaluate = compile_jmespath(text())
    for given in texts:
        yield orjson.dumps(evaluate(orjson.loads(given)))
