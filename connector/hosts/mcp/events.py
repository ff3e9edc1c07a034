"""A streamed answer as the one answer that it would have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_list, items, members

__all__ = ["join_events", "text_of"]

CHUNK = "chat.completion.chunk"


def join_events(answer: JSON) -> JSON:
    """Return the whole answer that a list of events tells of; anything else as it is."""
    if not is_list(answer) or not answer:
        return answer
    whole = members(answer[-1]).get("response")
    if whole is not None:
        return whole
    if all(members(event).get("object") == CHUNK for event in answer):
        return _join_chunks([members(event) for event in answer])
    return answer


def text_of(event: JSON) -> str:
    """Return the text that an event brings."""
    found = members(event)
    delta = found.get("delta")
    if isinstance(delta, str):
        return delta
    return "".join(
        str(members(members(choice).get("delta")).get("content") or "") for choice in items(found.get("choices"))
    )


def _join_chunks(chunks: Sequence[Mapping[str, JSON]]) -> JSON:
    first, last = chunks[0], chunks[-1]
    choices: dict[JSON, dict[str, JSON]] = {}
    for chunk in chunks:
        for choice in map(members, items(chunk.get("choices"))):
            index = choice.get("index")
            known = choices.setdefault(index, {"index": index, "message": {}, "finish_reason": None})
            _add_delta(members(known["message"]), members(choice.get("delta")))
            known["finish_reason"] = choice.get("finish_reason") or known["finish_reason"]
    whole: dict[str, JSON] = {name: first[name] for name in ("id", "created", "model") if name in first}
    usage = {"usage": last["usage"]} if last.get("usage") else {}
    return {**whole, "object": "chat.completion", "choices": list(choices.values()), **usage}


def _add_delta(message: dict[str, JSON], delta: Mapping[str, JSON]) -> None:
    """Add what an event brings: texts grow, calls of tools grow by their places, the rest is said once."""
    for name, value in delta.items():
        if name == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for part in map(members, items(value)):
                _add_call(calls, part)
        elif isinstance(value, str) and isinstance(message.get(name), str) and name != "role":
            message[name] = f"{message[name]}{value}"
        elif value is not None or name not in message:
            message[name] = value


def _add_call(calls: list[JSON], part: Mapping[str, JSON]) -> None:
    known = next((one for one in calls if members(one).get("index") == part.get("index")), None)
    if known is None:
        calls.append({**part, "function": dict(members(part.get("function")))})
        return
    function = members(members(known).get("function"))
    said = members(part.get("function")).get("arguments")
    if isinstance(said, str):
        function["arguments"] = f"{function.get('arguments') or ''}{said}"
