"""Reports of the time before a sandbox's first request: plausible numbers, the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import product

from connector.model import JSON
from connector.sandbox.answer_templates import AnswerTemplate

__all__ = ["invent_results"]

GROUPS: Mapping[str, Sequence[JSON]] = {
    "project_id": ("proj_first", "proj_second"),
    "user_id": ("user-ada", "user-grace"),
    "api_key_id": ("key_first", "key_second"),
    "model": ("gpt-4.1", "gpt-4.1-mini"),
    "batch": (False, True),
    "service_tier": ("default",),
    "line_item": ("gpt-4.1, input", "gpt-4.1, output"),
    "source": ("image.generation",),
    "size": ("1024x1024",),
    "context_level": ("medium",),
    "vector_store_id": ("vs_first",),
}


def invent_results(
    template: AnswerTemplate, seed: str, groups: Sequence[str], query: Mapping[str, JSON]
) -> list[dict[str, JSON]]:
    """Return a result for every combination of the grouped values that the query allows."""
    return [_fill_result(template, seed, group) for group in _group_values(groups, query)]


def _group_values(fields: Sequence[str], query: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    values = [query.get(f"{field}s") or GROUPS.get(field, (None,)) for field in fields]
    return (dict(zip(fields, combination, strict=True)) for combination in product(*values))


def _fill_result(template: AnswerTemplate, seed: str, group: Mapping[str, JSON]) -> dict[str, JSON]:
    made: dict[str, JSON] = {}
    for name, field in template.fields.items():
        if name in group:
            made[name] = group[name]
        elif name == "amount":
            made[name] = {"value": _draw_number(f"{seed}/{group}") / 100, "currency": "usd"}
        elif field.shape.choices and not field.is_nullable:
            made[name] = field.shape.choices[0]
        elif name in template.required and field.kind in ("integer", "number"):
            made[name] = _draw_number(f"{seed}/{group}/{name}")
        elif field.is_nullable:
            made[name] = None
    return made


def _draw_number(seed: str) -> int:
    return int.from_bytes(blake2b(seed.encode(), digest_size=2).digest()) % 10_000
