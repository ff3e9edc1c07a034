"""A chat completion is made: one answer, or a stream that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON
from connector.sandbox.answers.chat.asking import ask_of, prompt_tokens
from connector.sandbox.answers.chat.choices import Choice, choice_of, limit_of
from connector.sandbox.answers.chat.chunks import chunks_of
from connector.sandbox.answers.chat.stored import keep
from connector.sandbox.answers.models import reasoning_tokens
from connector.sandbox.answers.moderating import moderation_of
from connector.sandbox.answers.reply import Reply, reply_to
from connector.sandbox.call import Answer, Call, World
from connector.shapes import members

__all__ = ["create"]

FINGERPRINT = "fp_sandbox"


def create(call: Call, world: World, scripted: Reply | None) -> Answer:
    """What the model says, by the script or by the request."""
    payload: Mapping[str, JSON] = call.payload
    reply = scripted or reply_to(ask_of(payload), f"{world.options.seed}/{payload.get('seed')}")
    most = limit_of(payload)
    thought = reasoning_tokens(payload["model"], payload.get("reasoning_effort"), most)
    room = None if most is None else most - thought
    choices = [choice_of(payload, reply, world, room) for _ in range(payload.get("n") or 1)]
    completion = _completion(payload, choices, thought, world)
    if payload.get("moderation"):
        completion["moderation"] = moderation_of(payload["moderation"], ask_of(payload).said, reply.text)
    if payload.get("store"):
        keep(completion, payload, world)
    if payload.get("stream"):
        options: Mapping[str, JSON] = members(payload.get("stream_options"))
        events = chunks_of(completion, choices, with_usage=options.get("include_usage", False))
        return Answer(body=completion, events=events)
    return Answer(body=completion)


def _completion(payload: Mapping[str, JSON], choices: Sequence[Choice], thought: int, world: World) -> dict[str, JSON]:
    tier = payload.get("service_tier") or "auto"
    completion: dict[str, JSON] = {
        "id": world.new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(world.now()),
        "model": payload["model"],
        "choices": [choice.as_document(index) for index, choice in enumerate(choices)],
        "usage": _usage(prompt_tokens(payload), sum(choice.tokens for choice in choices), thought * len(choices)),
        "service_tier": "default" if tier == "auto" else tier,
        "system_fingerprint": FINGERPRINT,
    }
    return completion


def _usage(prompt: int, said: int, thought: int) -> dict[str, JSON]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said + thought,
        "total_tokens": prompt + said + thought,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
