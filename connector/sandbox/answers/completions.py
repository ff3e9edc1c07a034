"""Completions of the older kind: a prompt is said again, its echo before it when that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.model import JSON
from connector.sandbox.answers.cutting import cut, stops_of
from connector.sandbox.answers.logprobs import likelihood
from connector.sandbox.answers.reply import Reply
from connector.sandbox.answers.scripted import spoken
from connector.sandbox.answers.tokens import count, pieces
from connector.sandbox.call import Answer, Call, Event, Handler, World
from connector.shapes import members

__all__ = ["HANDLERS"]

TOKENS = 16
"""As many tokens as an answer has when nobody says."""
Prompt = str | Sequence[int]


def create(call: Call, world: World, scripted: Reply | None) -> Answer:
    """A choice, or several, for each prompt."""
    payload: Mapping[str, JSON] = call.payload
    prompts = _prompts(payload.get("prompt"))
    texts = [
        _said(prompt) if scripted is None else scripted.text for prompt in prompts for _ in range(_number(payload))
    ]
    asked = [_said(prompt) for prompt in prompts for _ in range(_number(payload))]
    pairs = list(enumerate(zip(asked, texts, strict=True)))
    choices = [_choice(payload, index, prompt, text) for index, (prompt, text) in pairs]
    said = sum(choice.pop("tokens") for choice in choices)
    heard = sum(count(prompt) if isinstance(prompt, str) else len(prompt) for prompt in prompts)
    usage = {"prompt_tokens": heard, "completion_tokens": said, "total_tokens": heard + said}
    frame = {"id": world.new_id("cmpl-"), "object": "text_completion", "created": int(world.now())}
    frame |= {"model": payload["model"], "system_fingerprint": "fp_sandbox"}
    if payload.get("stream"):
        return Answer(body={"usage": usage}, events=_events(frame, choices, usage if _with_usage(payload) else None))
    return Answer(body={**frame, "choices": choices, "usage": usage})


def _prompts(given: JSON) -> Sequence[Prompt]:
    """The prompts: one text, several, one list of tokens, or several."""
    if given is None or isinstance(given, str):
        return [given or ""]
    return [given] if given and isinstance(given[0], int) else given


def _said(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else " ".join(str(token) for token in prompt)


def _number(payload: Mapping[str, JSON]) -> int:
    return payload.get("n") or 1


def _with_usage(payload: Mapping[str, JSON]) -> bool:
    return bool(members(payload.get("stream_options")).get("include_usage"))


def _choice(payload: Mapping[str, JSON], index: int, prompt: str, text: str) -> dict[str, JSON]:
    most = TOKENS if payload.get("max_tokens") is None else payload["max_tokens"]
    said, tokens, ran_out = cut(text, stops_of(payload.get("stop")), most)
    shown = prompt + said if payload.get("echo") else said
    wanted = payload.get("logprobs")
    logprobs = None if wanted is None else _logprobs(shown, wanted)
    finish = "length" if ran_out else "stop"
    return {"text": shown, "index": index, "logprobs": logprobs, "finish_reason": finish, "tokens": tokens}


def _logprobs(text: str, top: int) -> dict[str, JSON]:
    tokens = pieces(text)
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    sure = [likelihood(token, index) for index, token in enumerate(tokens)]
    likeliest = [{token: logprob} if top else {} for token, logprob in zip(tokens, sure, strict=True)]
    return {"tokens": tokens, "token_logprobs": sure, "top_logprobs": likeliest, "text_offset": starts[:-1]}


def _events(frame: dict[str, JSON], choices: Sequence[Mapping[str, JSON]], usage: JSON) -> Iterator[Event]:
    for choice in choices:
        parts = pieces(choice["text"])
        for place, piece in enumerate(parts):
            said = {"text": piece, "index": choice["index"], "logprobs": _part(choice["logprobs"], place)}
            yield Event({**frame, "choices": [{**said, "finish_reason": None}]})
        yield Event({**frame, "choices": [{**choice, "text": "", "logprobs": None}]})
    if usage is not None:
        yield Event({**frame, "choices": [], "usage": usage})
    yield Event("[DONE]")


def _part(logprobs: Mapping[str, list[JSON]] | None, place: int) -> JSON:
    return None if logprobs is None else {name: [values[place]] for name, values in logprobs.items()}


HANDLERS: Mapping[str, Handler] = {"POST /completions": spoken(create)}
