"""A configuration for the studio's tests, and a store with tasks in every state."""

from __future__ import annotations

from connector.config.models.gateway import hash_token
from connector.engine import CallEnd, CallRecord, Change, NewTask, Settlement, Store, TaskState
from connector.model import JSON
from tests.engine.engines import Clock

__all__ = ["CONFIGURATION", "NOW", "ORIGIN", "STATES", "TOKENS", "fill"]

NOW = 1_767_268_800.0
"""2026-01-01 12:00 UTC."""
ORIGIN = "http://127.0.0.1:8790"
TOKENS = {role: f"st-{role}-0123456789abcdef0123456789abcdef" for role in ("viewer", "operator", "editor")}
CONFIGURATION = f"""\
# A shop: its tickets are answered, its orders are noted.
clients:
  openai:
    prototype: openai
    parameters: {{token: sk-canary-0123456789, base_uri: "http://127.0.0.1:9/v1", retry: {{max_retries: 0}}}}
incoming:
  tickets: {{subscriber: {{prototype: file, parameters: {{url: tickets.jsonl}}}}}}
  orders: {{subscriber: {{prototype: file, parameters: {{url: orders.jsonl}}}}}}
outgoing:
  reply:
    chain: [{{chat-prompt: {{model: gpt-6-luna, prompt: "Greet customer &{{custom_id}}."}}}}]
    publisher: {{prototype: openai, parameters: {{client: openai, entity: chat completions, action: create}}}}
  note: {{publisher: {{prototype: none}}}}
routes:
  tickets: {{incoming: tickets, outgoing: reply, key: custom_id, budget: {{amount: 5, every: day}}}}
  orders: {{incoming: orders, outgoing: note, key: id}}
studio:
  tokens:
    viewer: {{hash: "{hash_token(TOKENS["viewer"])}"}}
    operator: {{hash: "{hash_token(TOKENS["operator"])}", role: operator}}
    editor: {{hash: "{hash_token(TOKENS["editor"])}", role: editor}}
"""
STATES = {
    1: TaskState.FINISHED,
    2: TaskState.FAILED,
    3: TaskState.UNKNOWN,
    4: TaskState.SKIPPED,
    5: TaskState.WAITING,
    6: TaskState.FAILED,
    7: TaskState.NEW,
    8: TaskState.NEW,
}
"""The state of each task, by its id; 1 to 5 and 7 are of the route `tickets`, 6 and 8 of `orders`."""
REASONS = {
    2: "refused: 400 invalid_request_error: the prompt is empty",
    3: "unknown: the connection was lost after the request had been sent",
    4: "skipped by hand",
    5: "429: rate limit reached",
    6: "the file notes.jsonl cannot be written",
}
ANSWER: JSON = {
    "status": 200,
    "headers": {"x-request-id": "req_1"},
    "body": {
        "id": "chatcmpl-1",
        "model": "gpt-6-luna",
        "choices": [{"message": {"role": "assistant", "content": "Good morning!"}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    },
}
REQUEST: JSON = {
    "method": "POST",
    "url": "http://127.0.0.1:9/v1/chat/completions",
    "body": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Greet customer c1."}]},
}


async def fill(store: Store, clock: Clock) -> None:
    """Accept eight documents, and bring each to its state; one is accepted a minute."""
    for number in STATES:
        route = "orders" if number in (6, 8) else "tickets"
        document = {"custom_id": f"c{number}", "id": number, "customer": {"name": f"Customer {number}"}}
        clock.now = NOW - 3600 + 60 * number
        await store.commit(Change(accept=[NewTask(route=route, document=document, key=f"c{number}")]))
    clock.now = NOW - 1800
    for route, wanted in (("tickets", (1, 2, 3, 4, 5)), ("orders", (6,))):
        leased = await store.lease(route, len(wanted))
        assert [task.id for task in leased] == list(wanted)
        for task in leased:
            await _settle(store, task.id, clock.now)
    clock.now = NOW


async def _settle(store: Store, task: int, at: float) -> None:
    """Make a task's calls and settle it; the unknown one has a call without an end."""
    state = STATES[task]
    if task in (1, 2, 3, 5):
        call = CallRecord(
            task=task, attempt=1, number=0, fingerprint=f"f{task}", target="openai",
            operation="chat completions create", effect="opaque", request=REQUEST, started=at,
        )  # fmt: skip
        await store.commit(Change(intend=[call]))
    ends = {1: ("done", ANSWER), 2: ("refused", {"status": 400}), 5: ("refused", {"status": 429})}
    if task in ends:
        ended, outcome = ends[task]
        end = CallEnd(task=task, attempt=1, number=0, ended=at + 1.5, state=ended, outcome=outcome)
        await store.commit(Change(end=[end]))
    due = at + 60 if state is TaskState.WAITING else 0.0
    await store.commit(Change(settle=[Settlement(task=task, state=state, reason=REASONS.get(task, ""), due=due)]))
