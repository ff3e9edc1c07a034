"""The usage of a request: the most that it may be, from its body and path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from connector.catalogue.operation import Operation
from connector.gateway.body_parser import ParsedBody
from connector.model import JSON, is_document, is_list, items, members
from connector.telemetry.costs import TIERS

__all__ = [
    "BYTES_PER_FILE_TOKEN", "BYTES_PER_TOKEN", "UsageEstimate", "count_characters", "estimate_usage", "is_pending",
    "models_in_path",
]  # fmt: skip

BYTES_PER_TOKEN = 4
"""About; no token is shorter than a byte."""
DEFAULT_OUTPUT = 16 * 1024
"""Tokens that an answer may have when its request sets no bound."""
STORED_TOKENS = 128 * 1024
"""Tokens of a conversation, an answer or a prompt that upstream keeps and a request goes on with."""
TOKENS_PER_FILE = 4096
BYTES_PER_FILE_TOKEN = 64
LONG_TEXT = 1024
"""A shorter text is counted as text, in any field."""
FILE_KEYS = frozenset({"url", "image_url", "file_data", "data"})
MODEL_KEYS = ("model", "models")
MODEL_SEGMENTS = ("deployments", "engines", "models")
"""The segment before a model, in a path that no catalogue knows."""
FREE_FORM = frozenset({"metadata", "parameters", "schema", "variables"})
"""Users choose the keys below these, so none of them names a model."""
OUTPUT_BOUNDS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
STORED_KEYS = ("previous_response_id", "conversation", "prompt_id")
LOCAL_TOOLS = ("function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview", "mcp")
"""Tools that cost no more than their tokens."""
MODEL_PARAMETERS = ("model", "engine_id")
MODEL_PLACEHOLDER = re.compile(r"\{(?:model|engine_id)\}")
SPEECH = "POST /audio/speech"
PENDING_STATES = (
    "queued", "in_progress", "validating", "finalizing", "cancelling", "running", "requires_action",
)  # fmt: skip


@dataclass(slots=True)
class UsageEstimate:
    """The most that a request may use.

    Attributes:
        models: every model that the request names.
        input: tokens that go to the model.
        output: tokens that come back.
        tier: the service tier that is asked for.
        unknown_cost: why the cost cannot be known from the request; empty when it can.
        unknown_tokens: why not even its tokens can be known, nor come with its answer.
        characters: of a text that is to be read aloud.
    """

    models: tuple[str, ...] = ()
    input: int = 0
    output: int = 0
    tier: str = ""
    unknown_cost: str = ""
    unknown_tokens: str = ""
    characters: int = 0

    @property
    def likely_input(self) -> int:
        """About how many tokens go to the model."""
        return self.input // BYTES_PER_TOKEN


def estimate_usage(body: ParsedBody, operation: Operation | None, path: str, query: str) -> UsageEstimate:
    """Return the estimate of a request that uses a model."""
    payload = body.payload
    models = dict.fromkeys((*models_in_path(operation, path), *_models_in_query(query)))
    size, files = body.size, list(body.files)
    for name, value in _named_values(payload):
        if name == "model":
            models[value] = None
        elif len(value) > LONG_TEXT:
            files.append(len(value))
            size -= len(value)
    file_tokens = sum(TOKENS_PER_FILE + each // BYTES_PER_FILE_TOKEN for each in files)
    stored = STORED_TOKENS if any(payload.get(name) for name in STORED_KEYS) else 0
    tier = payload.get("service_tier")
    return UsageEstimate(
        tuple(models),
        size + file_tokens + stored,
        _max_output(payload),
        tier if isinstance(tier, str) else "",
        _why_cost_is_unknown(payload, operation, bool(models)),
        _why_tokens_are_unknown(operation),
        count_characters(operation, payload),
    )


def count_characters(operation: Operation | None, payload: JSON) -> int:
    """Return the characters of a text that is to be read aloud: no answer tells them, and some models charge them."""
    text = members(payload).get("input") if operation is not None and operation.wire_name == SPEECH else None
    return len(text) if isinstance(text, str) else 0


def models_in_path(operation: Operation | None, path: str) -> Iterator[str]:
    """Yield the models that a path names."""
    if operation is None:
        before, *segments = path.split("/")
        for segment in segments:
            if before.lower() in MODEL_SEGMENTS:
                yield unquote(segment).partition(":")[0]
            before = segment
        return
    if not MODEL_PLACEHOLDER.search(operation.template):
        return
    for place, segment in zip(operation.template.split("/"), path.split("/"), strict=False):
        if place.strip("{}") in MODEL_PARAMETERS and place != segment:
            yield unquote(segment)


def _models_in_query(query: str) -> Iterator[str]:
    return (
        value for name, value in (parse_qsl(query) if query else ()) if re.split(r"[\[.]", name)[0].lower() == "model"
    )


def _named_values(payload: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Yield the names of models at any depth, and the texts that are files."""
    todo: list[JSON] = [payload]
    while todo:
        item = todo.pop()
        if not is_document(item):
            todo += [each for each in item if not isinstance(each, str)] if is_list(item) else []
            continue
        for name, value in item.items():
            if isinstance(value, str):
                if _names_model(name):
                    yield "model", value
                elif name in FILE_KEYS:
                    yield name, value
            elif isinstance(value, dict | list):
                if is_list(value) and name.casefold() == "models":
                    yield from (("model", each) for each in value if isinstance(each, str))
                elif name not in FREE_FORM:
                    todo.append(value)


@lru_cache(maxsize=1024)
def _names_model(name: str) -> bool:
    """Whether a text under a name is the name of a model; some servers take names for the same in any case."""
    key = name.casefold()
    return key in MODEL_KEYS or key.endswith("_model")


def _max_output(payload: Mapping[str, JSON]) -> int:
    """Return the most tokens that come back."""
    bounds = [found for name in OUTPUT_BOUNDS if (found := _number(payload.get(name))) > 0]
    prompts = payload.get("prompt")
    choices = max(_number(payload.get("n")), _number(payload.get("best_of")), 1)
    several = len(prompts) if is_list(prompts) and all(isinstance(each, str | list) for each in prompts) else 1
    return (max(bounds) if bounds else DEFAULT_OUTPUT) * choices * max(several, 1)


def _number(value: JSON) -> int:
    """Return a number, which a form writes as text; 0 for anything else."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else 0


def _why_tokens_are_unknown(operation: Operation | None) -> str:
    return f"what {operation.name} will cost" if operation is not None and operation.cost == "open" else ""


def _why_cost_is_unknown(payload: Mapping[str, JSON], operation: Operation | None, has_model: bool) -> str:
    if why := _why_tokens_are_unknown(operation):
        return why
    if is_document(payload.get("prompt")):
        return "what a stored prompt (prompt) does"
    kinds = [each.get("type") if is_document(each) else each for each in items(payload.get("tools"))]
    hosted = [kind for kind in kinds if kind not in LOCAL_TOOLS]
    if hosted or "web_search_options" in payload:
        return f"what the tool {str(hosted[0])[:40] if hosted else 'web_search_options'} costs"
    tier = payload.get("service_tier")
    if isinstance(tier, str) and tier not in TIERS:
        return f"what the service tier {tier[:40]!r} costs"
    return "" if has_model else "which model is used (name it in `model`)"


def is_pending(answer: Mapping[str, JSON]) -> bool:
    """Whether an answer says that it is still being made."""
    return answer.get("status") in PENDING_STATES and isinstance(answer.get("id"), str)
