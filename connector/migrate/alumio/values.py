"""Mappers and conditions on values whose use here is not the same word for word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from connector.migrate.texts import our_text, our_value
from connector.model import JSON

if TYPE_CHECKING:
    from connector.migrate.alumio.steps import Translator

__all__ = ["VALUES", "Parameters", "Special"]

Parameters = Mapping[str, JSON]
Special = Callable[["Translator", Parameters, str], JSON]
"""Makes our use of exported parameters, or a row of them; NoCounterpart when there is none."""


def _around(before: str, after: str) -> Special:
    """A text put before or after the value."""

    def make(_: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
        texts = [our_text(str(given.get(name) or given.get("value") or "")) if name else "" for name in (before, after)]
        return {"structure": {"template": "&{@}".join(texts)}}

    return make


def _expression(body: str) -> Special:
    return lambda _this, _given, _path: {"structure": {"template": body}}


def _case(case: str, remark: str = "") -> Special:
    def make(this: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
        if remark:
            this.log.changed(path, remark)
        return {"string-case": case}

    return make


def _compared(ours: str) -> Special:
    def make(this: Translator, given: Parameters, path: str) -> JSON:
        this.log.changed(path, "values of different types are never the same here")
        return {ours: {"value": our_value(given.get("value"))}}

    return make


def _standard(_: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    return {"dictionary-map": {"map": [[given.get("from"), our_value(given.get("to"))]]}}


def _date(this: Translator, given: Parameters, path: str) -> JSON:
    spelt = {
        "to_format": "format",
        "from_format": "source",
        "to_timezone": "timezone",
        "from_timezone": "source_timezone",
    }
    declared = {spelt.get(name, name): value for name, value in given.items()}
    known = {name: value for name, value in declared.items() if name in (*spelt.values(), "format") and value}
    for name in declared.keys() - known.keys():
        if declared[name]:
            this.log.changed(f"{path}.{name}", "format-date has no such parameter here; left out")
    return {"format-date": known} if known else "format-date"


VALUES: Mapping[tuple[str, str], Special] = {
    ("condition", "equals-adaptive"): _compared("equals"),
    ("condition", "not-equals-adaptive"): _compared("not-equals"),
    ("mapper", "string-append"): _around("", "append"),
    ("mapper", "string-prepend"): _around("prepend", ""),
    ("mapper", "string-upper-first"): _case("first"),
    ("mapper", "string-slugify"): _case(
        "kebab", "string-slugify is written as string-case: kebab; letters with accents may differ"
    ),
    ("mapper", "list-keys"): _expression("&{keys(@)}"),
    ("mapper", "list-reverse"): _expression("&{reverse(@)}"),
    ("mapper", "standard"): _standard,
    ("mapper", "format-date"): _date,
}
