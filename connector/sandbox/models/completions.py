"""Completions of the older kind: the prompt again, echoed before itself where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Event, Reply, Request
from connector.sandbox.models.script_handlers import with_scripted_reply
from connector.sandbox.models.tokens import count_tokens, estimate_logprob, read_stops, split_tokens, truncate

__all__ = ["HANDLERS"]

DEFAULT_TOKENS = 16
"""The limit of tokens when the request has none."""
PromptInput = str | Sequence[int]


def create_completion(request: Request, backend: Backend, scripted: Reply | None) -> Answer:
    """Return one choice or several for each prompt."""
    payload: Mapping[str, JSON] = request.payload
    prompts = _read_prompts(payload.get("prompt"))
    texts = [
        _prompt_text(prompt) if scripted is None else scripted.text
        for prompt in prompts
        for _ in range(_choice_count(payload))
    ]
    asked = [_prompt_text(prompt) for prompt in prompts for _ in range(_choice_count(payload))]
    pairs = list(enumerate(zip(asked, texts, strict=True)))
    choices = [_build_choice(payload, index, prompt, text) for index, (prompt, text) in pairs]
    answer_tokens = sum(choice.pop("tokens") for choice in choices)
    prompt_tokens = sum(count_tokens(prompt) if isinstance(prompt, str) else len(prompt) for prompt in prompts)
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens}
    usage["total_tokens"] = prompt_tokens + answer_tokens
    frame = {"id": backend.new_id("cmpl-"), "object": "text_completion", "created": int(backend.now())}
    frame |= {"model": payload["model"], "system_fingerprint": "fp_sandbox"}
    if payload.get("stream"):
        return Answer(
            body={"usage": usage}, events=_stream_events(frame, choices, usage if _includes_usage(payload) else None)
        )
    return Answer(body={**frame, "choices": choices, "usage": usage})


def _read_prompts(given: JSON) -> Sequence[PromptInput]:
    """Return the prompts: one text, several, one list of tokens, or several."""
    if given is None or isinstance(given, str):
        return [given or ""]
    return [given] if given and isinstance(given[0], int) else given


def _prompt_text(prompt: PromptInput) -> str:
    return prompt if isinstance(prompt, str) else " ".join(str(token) for token in prompt)


def _choice_count(payload: Mapping[str, JSON]) -> int:
    return payload.get("n") or 1


def _includes_usage(payload: Mapping[str, JSON]) -> bool:
    return bool(members(payload.get("stream_options")).get("include_usage"))


def _build_choice(payload: Mapping[str, JSON], index: int, prompt: str, text: str) -> dict[str, JSON]:
    limit = DEFAULT_TOKENS if payload.get("max_tokens") is None else payload["max_tokens"]
    text, tokens, ran_out = truncate(text, read_stops(payload.get("stop")), limit)
    shown = prompt + text if payload.get("echo") else text
    wanted = payload.get("logprobs")
    logprobs = None if wanted is None else _build_legacy_logprobs(shown, wanted)
    finish = "length" if ran_out else "stop"
    return {"text": shown, "index": index, "logprobs": logprobs, "finish_reason": finish, "tokens": tokens}


def _build_legacy_logprobs(text: str, top: int) -> dict[str, JSON]:
    tokens = split_tokens(text)
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    logprobs = [estimate_logprob(token, index) for index, token in enumerate(tokens)]
    likeliest = [{token: logprob} if top else {} for token, logprob in zip(tokens, logprobs, strict=True)]
    return {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": likeliest, "text_offset": starts[:-1]}


def _stream_events(frame: dict[str, JSON], choices: Sequence[Mapping[str, JSON]], usage: JSON) -> Iterator[Event]:
    for choice in choices:
        parts = split_tokens(choice["text"])
        for index, piece in enumerate(parts):
            text = {"text": piece, "index": choice["index"], "logprobs": _logprob_at(choice["logprobs"], index)}
            yield Event({**frame, "choices": [{**text, "finish_reason": None}]})
        yield Event({**frame, "choices": [{**choice, "text": "", "logprobs": None}]})
    if usage is not None:
        yield Event({**frame, "choices": [], "usage": usage})
    yield Event("[DONE]")


def _logprob_at(logprobs: Mapping[str, list[JSON]] | None, index: int) -> JSON:
    return None if logprobs is None else {name: [values[index]] for name, values in logprobs.items()}


HANDLERS: Mapping[str, Handler] = {"POST /completions": with_scripted_reply(create_completion)}
