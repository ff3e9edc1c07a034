"""The operations on responses: create, retrieve, delete, list input, compact, count tokens."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.bill.payers import Payer, current_payer
from connector.sandbox.messages import Answer, ApiError, Reply, Request
from connector.sandbox.models.moderations import moderate_exchange
from connector.sandbox.models.reply import generate_reply
from connector.sandbox.models.responses.history import (
    HISTORIES,
    INPUT_ITEMS,
    RESPONSES,
    RESULTS,
    History,
    count_item_tokens,
    find_last_input,
    read_items,
    store_response,
)
from connector.sandbox.models.responses.output import (
    HostedRun,
    Output,
    build_citations,
    build_hosted_call,
    build_output,
    build_reasoning_item,
)
from connector.sandbox.models.responses.prompt import find_hosted_tool, read_prompt
from connector.sandbox.models.responses.resource import build_response, build_unfinished, build_usage
from connector.sandbox.models.responses.stream import stream_events
from connector.sandbox.models.script_handlers import with_scripted_body, with_scripted_reply
from connector.sandbox.models.tokens import count_reasoning_tokens, count_tokens, is_reasoning_model

__all__ = ["HANDLERS"]

PAGE_SIZE = 20
SUMMARY_LENGTH = 200
"""Characters of the last input that a summary has."""
Hits = Sequence[Mapping[str, JSON]]


async def retrieve_response(request: Request, backend: Backend) -> Answer:
    """Return a response, or all of its events in a stream."""
    await backend.scheduler.run_due()
    name = request.path["response_id"]
    response = backend.require_object(RESPONSES, name)
    if not _is_true(request.query.get("stream")):
        return Answer(body=response)
    finished = backend.objects.get(RESULTS, name) or response
    return Answer(events=stream_events(finished, int(request.query.get("starting_after") or -1)))


def delete_response(request: Request, backend: Backend) -> Answer:
    """Delete a response with its input."""
    name = request.path["response_id"]
    if not backend.objects.delete(RESPONSES, name) and not backend.options.lenient:
        raise ApiError(404, f"Response with id '{name}' not found.", code="not_found")
    for kind in (RESULTS, HISTORIES):
        backend.objects.delete(kind, name)
    return Answer(data=b"")


def list_input_items(request: Request, backend: Backend) -> Answer:
    """Return a page of the input items of a response."""
    name, query = request.path["response_id"], request.query
    backend.require_object(RESPONSES, name)
    limit, order = int(query.get("limit") or PAGE_SIZE), query.get("order") or "desc"
    after = backend.resolve_cursor(INPUT_ITEMS, query.get("after"), name)
    page = backend.objects.page(INPUT_ITEMS, name, limit=limit, after=after, order=order)
    names = [str(item["id"]) for item in page.items] or [""]
    listed: dict[str, JSON] = {"object": "list", "data": page.items, "first_id": names[0], "last_id": names[-1]}
    return Answer(body={**listed, "has_more": page.has_more})


def _is_true(value: JSON) -> bool:
    return value in (True, "true")


def compact_response(request: Request, backend: Backend) -> Answer:
    """Return one item in place of the whole input."""
    payload: Mapping[str, JSON] = members(request.payload)
    input_tokens, items = _count_context(payload, backend)
    summary = base64.b64encode(find_last_input(items)[0][:SUMMARY_LENGTH].encode()).decode()
    made = {"id": backend.new_id("cmp_"), "type": "compaction", "encrypted_content": summary}
    head = {"id": backend.new_id("resp_"), "object": "response.compaction", "created_at": int(backend.now())}
    return Answer(body={**head, "output": [made], "usage": build_usage(input_tokens, count_tokens(summary), 0)})


def count_input_tokens(request: Request, backend: Backend) -> Answer:
    """Return the number of input tokens of a request."""
    input_tokens, _ = _count_context(members(request.payload), backend)
    return Answer(body={"object": "response.input_tokens", "input_tokens": input_tokens})


def _count_context(payload: Mapping[str, JSON], backend: Backend) -> tuple[int, list[dict[str, JSON]]]:
    history = History.load(payload, backend)
    items = read_items(payload.get("input"), backend)
    tokens = sum(count_item_tokens(item) for item in items) + count_tokens(str(payload.get("instructions") or ""))
    return history.tokens + tokens, items


def create_response(request: Request, backend: Backend, scripted: Reply | None) -> Answer | Awaitable[Answer]:
    """Return a response, at once, in a stream or in the background, by the script or by the request."""
    tool = find_hosted_tool(request.payload) if request.payload.get("tools") else None
    if tool is not None and tool["type"] == "file_search":
        return _search_and_answer(request.payload, backend, scripted, tool)
    return _answer(_Turn.load(request.payload, backend), scripted, tool)


async def _search_and_answer(
    payload: Mapping[str, JSON], backend: Backend, scripted: Reply | None, tool: Mapping[str, JSON]
) -> Answer:
    """Search the vector stores of the tool, and return the answer."""
    turn, found = _Turn.load(payload, backend), list[Mapping[str, JSON]]()
    for store in tool["vector_store_ids"]:
        answer = await backend.call("POST", f"/vector_stores/{store}/search", {"query": turn.text})
        found += answer.body["data"] if answer.status == 200 else []
    found.sort(key=_rank)
    return _answer(turn, scripted, tool, found)


def _rank(found: Mapping[str, JSON]) -> float:
    return -float(found["score"])


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request with its history."""

    payload: Mapping[str, JSON]
    backend: Backend
    items: list[dict[str, JSON]]
    history: History
    text: str

    @classmethod
    def load(cls, payload: Mapping[str, JSON], backend: Backend) -> _Turn:
        history = History.load(payload, backend)
        items = read_items(payload.get("input"), backend)
        if not backend.options.lenient:
            history.check_tool_outputs(items)
        return cls(payload, backend, items, history, read_prompt(payload, items).text)

    @property
    def input_tokens(self) -> int:
        """The number of tokens that the model reads."""
        tokens = sum(count_item_tokens(item) for item in self.items)
        return self.history.tokens + tokens + count_tokens(str(self.payload.get("instructions") or ""))

    @property
    def prompt(self) -> str:
        """All that the model reads, as one text."""
        return "\n".join((str(self.payload.get("instructions") or ""), *map(str, self.items)))


def _answer(turn: _Turn, scripted: Reply | None, tool: Mapping[str, JSON] | None, found: Hits = ()) -> Answer:
    payload, backend = turn.payload, turn.backend
    reply = scripted or _choose_reply(turn, found)
    response = _compose_response(turn, reply, tool, found)
    if payload.get("moderation"):
        moderated = moderate_exchange(payload["moderation"], turn.text, reply.text)
        response["moderation"] = {side: results["results"][0] for side, results in moderated.items()}
    store_response(response, turn.items, turn.history, backend)
    if payload.get("stream"):
        return Answer(body=response, events=stream_events(response))
    return Answer(body=_run_in_background(response, backend) if payload.get("background") else response)


def _choose_reply(turn: _Turn, found: Hits) -> Reply:
    """Return the generated reply, or the best search hit where nothing else was asked for."""
    reply = generate_reply(read_prompt(turn.payload, turn.items), f"{turn.backend.options.seed}")
    if found and reply == Reply(turn.text):
        return Reply("\n".join(part["text"] for part in found[0]["content"]))
    return reply


def _compose_response(turn: _Turn, reply: Reply, tool: Mapping[str, JSON] | None, found: Hits) -> dict[str, JSON]:
    payload, backend, limit = turn.payload, turn.backend, turn.payload.get("max_output_tokens")
    model, effort = str(payload.get("model") or ""), members(payload.get("reasoning")).get("effort")
    reasoning = count_reasoning_tokens(model, effort, limit)
    output_limit = None if limit is None else limit - reasoning
    output = build_output(payload, reply, backend, output_limit, build_citations(found, reply.text))
    first = [build_reasoning_item(payload, turn.text, backend)] if is_reasoning_model(model) and reasoning else []
    if tool is not None:
        first.append(build_hosted_call(HostedRun(tool, turn.text, backend, found)))
    cache = backend.prompt_cache.look_up(
        payload, turn.prompt, turn.input_tokens, backend.tariff.find(model).get("prices"), count_tokens
    )
    usage = build_usage(turn.input_tokens, output.tokens, reasoning, cache)
    return build_response(payload, Output([*first, *output.items], output.tokens, output.ran_out), usage, backend)


PAYERS = "sandbox payers"


def note_end(response: Mapping[str, JSON], backend: Backend) -> None:
    """Note what a response in the background has used, now that it is there."""
    known: Mapping[str, JSON] = backend.objects.get(PAYERS, f"payer_{response['id']}") or {}
    kept = {name: response[name] for name in ("background_options", "tools") if name in response}
    asked = {"background": True, **kept}
    backend.ledger.record("POST /responses", asked, response, Payer.of(known.get("payer")))
    backend.objects.delete(PAYERS, f"payer_{response['id']}")


def _run_in_background(response: dict[str, JSON], backend: Backend) -> dict[str, JSON]:
    """Store the response as the result to come, and return it as it is now: queued."""
    backend.objects.put(PAYERS, {"id": f"payer_{response['id']}", "payer": current_payer().as_document()})
    waiting = build_unfinished(response, "queued")
    backend.objects.put(RESPONSES, waiting)
    backend.objects.put(RESULTS, response)
    backend.scheduler.schedule(RESPONSES, response["id"], backend.now() + backend.options.pace)
    return waiting


OPERATIONS: Mapping[str, Handler] = {
    "POST /responses": with_scripted_reply(create_response),
    "POST /responses/compact": with_scripted_body(compact_response),
    "POST /responses/input_tokens": count_input_tokens,
    "GET /responses/{response_id}": retrieve_response,
    "DELETE /responses/{response_id}": delete_response,
    "GET /responses/{response_id}/input_items": list_input_items,
}
HANDLERS: Mapping[str, Handler] = {
    **OPERATIONS,
    **{f"{name}?beta=true": handler for name, handler in OPERATIONS.items()},
}
"""The beta operations are the same ones under another query."""
