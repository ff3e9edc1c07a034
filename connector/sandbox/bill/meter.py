"""What one answer used: read here by the sandbox itself, so that its bill is no echo of the connector's sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connector.model import JSON, is_list, is_object, items, members

__all__ = ["REPORTS", "Use", "read_uses"]

REPORTS: Mapping[str, str] = {
    "POST /chat/completions": "completions",
    "POST /completions": "completions",
    "POST /responses": "completions",
    "POST /responses?beta=true": "completions",
    "POST /responses/compact": "completions",
    "POST /responses/compact?beta=true": "completions",
    "POST /decisions": "decisions",
    "POST /embeddings": "embeddings",
    "POST /moderations": "moderations",
    "POST /images/generations": "images",
    "POST /images/edits": "images",
    "POST /images/variations": "images",
    "POST /audio/speech": "audio_speeches",
    "POST /audio/transcriptions": "audio_transcriptions",
    "POST /audio/translations": "audio_transcriptions",
}
"""The report that the use of an operation is in."""
SOURCES = {
    "POST /images/generations": "image.generation",
    "POST /images/edits": "image.edit",
    "POST /images/variations": "image.variation",
}
NO_TOOL: Mapping[str, JSON] = {}
IN_PROGRESS = ("queued", "in_progress", "cancelled", "failed")


@dataclass(slots=True)
class Use:
    """What a request used, in one report.

    Attributes:
        report: the last word of the report's path.
        model: the model that was used.
        tier: the service tier, or the background window.
        units: how much of each unit; no token is in two of them.
        details: what else the report can be grouped by.
    """

    report: str
    model: str
    tier: str = "default"
    units: dict[str, float] = field(default_factory=dict[str, float])
    details: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def prompt(self) -> float:
        """The tokens that were sent, cached or not."""
        return sum(amount for unit, amount in self.units.items() if unit.startswith(("in_", "write_")))


def read_uses(wire_name: str, payload: Mapping[str, JSON], body: JSON, used: JSON) -> Iterator[Use]:
    """Yield what the answer of an operation used.

    Args:
        wire_name: of the operation.
        payload: of the request.
        body: of the answer.
        used: what the handler says was used, where the answer does not.
    """
    report = REPORTS.get(wire_name)
    answer = members(body)
    if report is None or answer.get("status") in IN_PROGRESS:
        return
    model = str(answer.get("model") or payload.get("model") or "")
    usage = members(used) or members(answer.get("usage"))
    use = Use(report, model, _read_tier(payload, answer), dict(_read_units(report, usage, answer)))
    use.units["requests"] = 1
    if report == "images":
        use.units["images"] = len(items(answer.get("data"))) or 1
        use.details = {"source": SOURCES[wire_name], "size": str(answer.get("size") or payload.get("size") or "auto")}
    yield use
    yield from _read_searches(model, payload, answer)


def _read_tier(payload: Mapping[str, JSON], answer: Mapping[str, JSON]) -> str:
    window = members(payload.get("background_options")).get("completion_window")
    if isinstance(window, str) and payload.get("background"):
        return f"window-{window}"
    tier = str(answer.get("service_tier") or "default")
    return {"auto": "default", "fast": "priority"}.get(tier, tier)


def _read_units(report: str, usage: Mapping[str, JSON], answer: Mapping[str, JSON]) -> Iterator[tuple[str, float]]:
    sent = _number(usage, "prompt_tokens") or _number(usage, "input_tokens")
    made = _number(usage, "completion_tokens") or _number(usage, "output_tokens")
    if not sent and not made:
        sent = _number(usage, "total_tokens")
    inner = members(_first(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details"))
    outer = members(_first(usage, "completion_tokens_details", "output_tokens_details"))
    by_kind = members(inner.get("cached_tokens_details"))
    cached, written = _number(inner, "cached_tokens"), _number(inner, "cache_write_tokens")
    cached_audio, cached_image = _number(by_kind, "audio_tokens"), _number(by_kind, "image_tokens")
    audio, image = _number(inner, "audio_tokens") - cached_audio, _number(inner, "image_tokens") - cached_image
    spoken = _number(outer, "audio_tokens")
    drawn = made if report == "images" and not outer else _number(outer, "image_tokens")
    yield "in_cached", cached - cached_audio - cached_image
    yield "in_cached_audio", cached_audio
    yield "in_cached_image", cached_image
    yield "in_audio", audio
    yield "in_image", image
    yield "in_text", sent - cached - written - audio - image
    yield ("write_12h" if members(answer.get("prompt_cache_options")).get("ttl") == "12h" else "write_30m"), written
    yield "out_audio", spoken
    yield "out_image", drawn
    yield "out_text", made - spoken - drawn
    yield "seconds", _number(usage, "seconds")
    yield "characters", _number(usage, "characters")


def _read_searches(model: str, payload: Mapping[str, JSON], answer: Mapping[str, JSON]) -> Iterator[Use]:
    output: JSON = answer.get("output")
    kinds = [str(each.get("type")) for each in output if is_object(each)] if is_list(output) else []
    tools = [members(tool) for tool in items(payload.get("tools"))]
    if webs := kinds.count("web_search_call"):
        searching = next((tool for tool in tools if "web_search" in str(tool.get("type"))), NO_TOOL)
        details = {"context_level": str(searching.get("search_context_size") or "medium")}
        yield Use("web_search_calls", model, units={"searches": webs, "requests": 1}, details=details)
    if files := kinds.count("file_search_call"):
        stores = [str(name) for tool in tools for name in items(tool.get("vector_store_ids"))]
        details = {"vector_store_id": stores[0] if stores else ""}
        yield Use("file_search_calls", model, units={"searches": files, "requests": files}, details=details)


def _first(usage: Mapping[str, JSON], *names: str) -> JSON:
    return next((usage[name] for name in names if usage.get(name)), None)


def _number(usage: Mapping[str, JSON], name: str) -> float:
    value = usage.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
