"""Chat completions: their prompts read, created, streamed, stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document, is_list, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Reply, Request
from connector.sandbox.models.chat.choices import Choice, build_choice, read_token_limit, stream_chunks
from connector.sandbox.models.moderations import moderate_exchange
from connector.sandbox.models.reply import Prompt, Tool, generate_reply
from connector.sandbox.models.script_handlers import with_scripted_reply
from connector.sandbox.models.tokens import count_content_tokens, count_reasoning_tokens, count_tokens, get_content_text
from connector.sandbox.prompt_cache import CacheUse

__all__ = ["HANDLERS", "count_prompt_tokens", "read_prompt"]

PROMPT_ROLES = ("user", "tool", "function")


def read_prompt(payload: Mapping[str, JSON]) -> Prompt:
    """Return the prompt; raise ApiError for a tool choice that is not among the tools."""
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    last = next((one for one in reversed(messages) if one["role"] in PROMPT_ROLES), messages[-1] if messages else {})
    text = get_content_text(last.get("content"))
    if not (payload.get("tools") or payload.get("functions") or payload.get("response_format")):
        return Prompt(text)
    tools, must_call = _read_tools(payload)
    wanted: Mapping[str, JSON] = members(payload.get("response_format"))
    is_json = wanted.get("type") == "json_object"
    if is_json:
        _check_json_mentioned(messages)
    schema = wanted["json_schema"].get("schema") or {"type": "object"} if wanted.get("type") == "json_schema" else None
    parallel = payload.get("parallel_tool_calls") is not False
    return Prompt(text, last.get("role") in PROMPT_ROLES[1:], tools, must_call, parallel, schema, is_json)


def count_prompt_tokens(payload: Mapping[str, JSON]) -> int:
    """Return the number of tokens of the messages."""
    total = 0
    for message in payload["messages"]:
        total += count_content_tokens(message.get("content"))
        for called in message.get("tool_calls") or ():
            part: Mapping[str, JSON] = called.get("function") or called.get("custom") or {}
            total += count_tokens(str(part.get("arguments") or part.get("input") or ""))
    return total


def _read_tools(payload: Mapping[str, JSON]) -> tuple[Sequence[Tool], bool]:
    """Return the tools that may be called, and whether one must be."""
    declared = [_read_tool(tool) for tool in payload.get("tools") or payload.get("functions") or ()]
    param = "tool_choice" if payload.get("tools") else "function_call"
    choice = payload.get(param)
    if not is_document(choice):
        return (() if choice == "none" else declared), choice == "required"
    if choice.get("type") == "allowed_tools":
        allowed: Mapping[str, JSON] = choice["allowed_tools"]
        names = [_read_tool(tool).name for tool in allowed["tools"]]
        return _select_tools(names, declared, param), allowed.get("mode") == "required"
    return _select_tools([_read_tool(choice).name], declared, param), True


def _read_tool(declared: Mapping[str, JSON]) -> Tool:
    """Return a tool of either list of tools, or of either form of a choice."""
    custom = declared.get("type") == "custom"
    part: Mapping[str, JSON] = declared.get("custom" if custom else "function") or declared
    return Tool(str(part.get("name", "")), part.get("parameters"), custom)


def _select_tools(names: Sequence[str], declared: Sequence[Tool], param: str) -> Sequence[Tool]:
    missing = next((name for name in names if name not in [tool.name for tool in declared]), None)
    if missing is not None:
        raise ApiError(400, f"Tool choice '{missing}' not found in 'tools' parameter.", param=param)
    return [tool for tool in declared if tool.name in names]


def _check_json_mentioned(messages: Sequence[Mapping[str, JSON]]) -> None:
    if not any("json" in get_content_text(message.get("content")).casefold() for message in messages):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise ApiError(400, message, param="messages")


COMPLETIONS, MESSAGES = "chat completions", "chat completion messages"
FINGERPRINT = "fp_sandbox"


def store_completion(completion: dict[str, JSON], payload: Mapping[str, JSON], backend: Backend) -> None:
    """Store a completion and the messages that led to it."""
    completion["metadata"] = members(payload.get("metadata"))
    backend.objects.put(COMPLETIONS, completion)
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    for index, message in enumerate(messages):
        stored = _build_message(message, f"{completion['id']}-{index}")
        backend.objects.put(MESSAGES, stored, completion["id"])


def _build_message(message: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    content = message.get("content")
    parts = content if is_list(content) else None
    stored = {"id": name, "role": message["role"], "content": get_content_text(content), "content_parts": parts}
    called = {"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {}
    return {**stored, "refusal": message.get("refusal"), **called}


def create_chat_completion(request: Request, backend: Backend, scripted: Reply | None) -> Answer:
    """Return a chat completion, whole or in a stream, by the script or by the request."""
    payload: Mapping[str, JSON] = request.payload
    reply = scripted or generate_reply(read_prompt(payload), f"{backend.options.seed}/{payload.get('seed')}")
    limit = read_token_limit(payload)
    reasoning = count_reasoning_tokens(payload["model"], payload.get("reasoning_effort"), limit)
    answer_limit = None if limit is None else limit - reasoning
    choices = [build_choice(payload, reply, backend, answer_limit) for _ in range(payload.get("n") or 1)]
    completion = _build_completion(payload, choices, reasoning, backend)
    if payload.get("moderation"):
        completion["moderation"] = moderate_exchange(payload["moderation"], read_prompt(payload).text, reply.text)
    if payload.get("store"):
        store_completion(completion, payload, backend)
    if payload.get("stream"):
        options: Mapping[str, JSON] = members(payload.get("stream_options"))
        events = stream_chunks(completion, choices, with_usage=options.get("include_usage", False))
        return Answer(body=completion, events=events)
    return Answer(body=completion)


def _build_completion(
    payload: Mapping[str, JSON], choices: Sequence[Choice], reasoning: int, backend: Backend
) -> dict[str, JSON]:
    tier = payload.get("service_tier") or "auto"
    completion: dict[str, JSON] = {
        "id": backend.new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(backend.now()),
        "model": payload["model"],
        "choices": [choice.as_document(index) for index, choice in enumerate(choices)],
        "usage": _build_usage(
            count_prompt_tokens(payload),
            sum(choice.tokens for choice in choices),
            reasoning * len(choices),
            _look_up_cache(payload, backend),
        ),
        "service_tier": "default" if tier == "auto" else tier,
        "system_fingerprint": FINGERPRINT,
    }
    return completion


def _look_up_cache(payload: Mapping[str, JSON], backend: Backend) -> CacheUse:
    tokens = count_prompt_tokens(payload)
    prices = backend.tariff.find(str(payload["model"])).get("prices")
    return backend.prompt_cache.look_up(payload, "\n".join(map(str, payload["messages"])), tokens, prices, count_tokens)


def _build_usage(prompt: int, answer: int, reasoning: int, cache: CacheUse) -> dict[str, JSON]:
    written = {"cache_write_tokens": cache.written} if cache.written else {}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer + reasoning,
        "total_tokens": prompt + answer + reasoning,
        "prompt_tokens_details": {"cached_tokens": cache.read, **written, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


HANDLERS: Mapping[str, Handler] = {"POST /chat/completions": with_scripted_reply(create_chat_completion)}
