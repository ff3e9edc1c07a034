"""Chat completions: created, streamed, stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_list, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Reply, Request
from connector.sandbox.models.chat.choices import Choice, build_choice, read_token_limit
from connector.sandbox.models.chat.prompt import count_prompt_tokens, read_prompt
from connector.sandbox.models.chat.stream import stream_chunks
from connector.sandbox.models.moderations import moderate_exchange
from connector.sandbox.models.reply import generate_reply
from connector.sandbox.models.script_handlers import with_scripted_reply
from connector.sandbox.models.tokens import count_reasoning_tokens, get_content_text

__all__ = ["HANDLERS"]

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
            count_prompt_tokens(payload), sum(choice.tokens for choice in choices), reasoning * len(choices)
        ),
        "service_tier": "default" if tier == "auto" else tier,
        "system_fingerprint": FINGERPRINT,
    }
    return completion


def _build_usage(prompt: int, answer: int, reasoning: int) -> dict[str, JSON]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer + reasoning,
        "total_tokens": prompt + answer + reasoning,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


HANDLERS: Mapping[str, Handler] = {"POST /chat/completions": with_scripted_reply(create_chat_completion)}
