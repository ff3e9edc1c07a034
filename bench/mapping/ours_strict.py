"""The same chain between the JSON reader and writer of the commands, which refuse what is no acceptable document."""

from __future__ import annotations

from typing import Any

from bench.mapping.ours import STEPS
from connector.documents import dump, parse
from connector.transform import compile_chain

PACKAGES = ("orjson",)


def mapped(texts: Any) -> Any:
    for record in compile_chain(STEPS).run(map(parse, texts)):
        yield dump(record)
