"""What all handlers of a sandbox share: the catalogue, the objects, the clock, ids, timers and webhooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from connector.catalogue import Catalogue, Operation
from connector.model import JSON
from connector.model_registry import current_day, load_registry
from connector.sandbox.answer_templates import AnswerBuilder
from connector.sandbox.bill.ledger import Ledger
from connector.sandbox.bill.tariff import Tariff
from connector.sandbox.bill.terms import Terms
from connector.sandbox.ids import IdSource
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.object_store import ObjectStore
from connector.sandbox.prompt_cache import PromptCache
from connector.sandbox.script import Script
from connector.sandbox.timers import Scheduler, Timer
from connector.sandbox.webhooks import Webhooks

__all__ = ["Backend", "CallOperation", "Handler", "Options", "TimerHandler"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox behaves; the same options and the same requests give the same answers."""

    seed: int = 0
    lenient: bool = False
    """Whether an unknown id is answered with an object of the right shape instead of 404."""
    latency: float = 0.0
    """Milliseconds that every answer takes longer."""
    pace: float = 1.0
    """Seconds that an object spends in each of its states."""
    webhook: str | None = None
    """The URL that webhooks are sent to."""
    webhook_secret: str | None = None
    """What they are signed with: `whsec_…`."""
    removed: bool = False
    """Whether operations that the API has removed are answered as they were."""
    today: date | None = None
    """The day on which models live or are shut down; today unless given."""
    billing: Terms = field(default_factory=Terms)
    """When and how exactly usage comes into the reports."""


class Backend:
    """The state of one sandbox, without its sockets."""

    def __init__(
        self,
        catalogue: Catalogue,
        objects: ObjectStore,
        options: Options,
        clock: Callable[[], float],
        *,
        script: Script,
        call_operation: CallOperation,
        timer_handlers: Mapping[str, TimerHandler],
    ) -> None:
        self.catalogue = catalogue
        self.objects = objects
        self.options = options
        self.registry = load_registry(catalogue.folder)
        self.now = clock
        self.script = script
        self.ids = IdSource(options.seed, objects.start)
        self.answer_builder = AnswerBuilder(catalogue, clock, self.ids.new_id)
        self.webhooks = Webhooks(objects, self.ids, clock, options)
        self.scheduler = Scheduler(objects, self.ids, clock, options.pace, self._run_timer)
        self.tariff = Tariff(catalogue.folder)
        self.ledger = Ledger(objects, clock, self.tariff)
        self.prompt_cache = PromptCache()
        self._call_operation = call_operation
        self._timer_handlers = timer_handlers

    def today(self) -> date:
        """Return the day on which models live or are shut down."""
        return self.options.today or current_day()

    def start(self) -> None:
        """Start the timers and the webhooks, also those that an earlier run left open."""
        self.scheduler.start()
        self.webhooks.start()

    async def close(self) -> None:
        """Stop the timers and the webhooks; with a state file the next run continues from there."""
        await self.scheduler.close()
        await self.webhooks.close()

    def reset(self) -> None:
        """Delete everything, and begin again as if just started."""
        self.objects.clear()
        self.ledger.reset()
        self.prompt_cache = PromptCache()
        self.ids.reset()

    def new_id(self, prefix: str) -> str:
        """Return a new id: the next one of the seed."""
        return self.ids.new_id(prefix)

    def record_effect(self, id: str) -> None:  # noqa: A002 - the API's word
        """Record in the request log that the current request has changed or deleted an object."""
        self.ids.record(id)

    async def call(self, method: str, path: str, payload: JSON) -> Answer:
        """Return the sandbox's own answer to a call, as if it came from outside; errors are answers too."""
        return await self._call_operation(self, method, path, payload)

    def send_webhook(self, event_type: str, data: Mapping[str, JSON]) -> None:
        """Send a webhook to every receiver of its type."""
        self.webhooks.send(event_type, data)

    def build_answer(self, operation: Operation, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return an object of the shape of an operation's answer with the given values in it."""
        return self.answer_builder.build_answer(operation, given)

    def require_object(self, kind: str, id: str, parent: str = "") -> dict[str, JSON]:  # noqa: A002 - the API's word
        """Return the object of an id; raise 404, or invent one when the sandbox is lenient."""
        known = self.objects.get(kind, id, parent)
        if known is not None:
            return known
        if self.options.lenient:
            return self.answer_builder.invent_object(kind, id)
        raise ApiError(404, f"No such {kind} object: {id}", param="id", code="not_found")

    def resolve_cursor(self, kind: str, id: str | None, parent: str = "") -> str | None:  # noqa: A002 - the API's word
        """Return the cursor of a list; a lenient sandbox starts at the beginning where it leads nowhere."""
        lost = id and self.options.lenient and self.objects.get(kind, id, parent) is None
        return None if lost else id

    def read_content(self, id: str) -> bytes:  # noqa: A002 - the API's word
        """Return the bytes of a file; raise 404 without any, or return a short text when lenient."""
        data = self.objects.content(id)
        if data is not None:
            return data
        if self.options.lenient:
            return f"The content of {id}.\n".encode()
        raise ApiError(404, f"No such File object: {id}", param="id", code="not_found")

    def save_content(self, id: str, data: bytes) -> None:  # noqa: A002 - the API's word
        """Save the bytes of a file."""
        self.objects.save_content(id, data)

    def delete_content(self, id: str) -> None:  # noqa: A002 - the API's word
        """Delete the bytes of a file."""
        self.objects.delete_content(id)

    async def _run_timer(self, timer: Timer) -> float | None:
        return await self._timer_handlers[timer.kind](self, timer)


Handler: TypeAlias = Callable[[Request, Backend], Answer | Awaitable[Answer]]
"""Answers the requests of one operation; raises ApiError for what no schema can check."""
TimerHandler: TypeAlias = Callable[[Backend, Timer], Awaitable[float | None]]
"""Advances an object to its next state; returns when the one after that is due, or None after the last."""
CallOperation: TypeAlias = Callable[[Backend, str, str, JSON], Awaitable[Answer]]
"""Answers a call from within: method, path, payload."""
