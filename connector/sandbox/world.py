"""What all handlers of a sandbox share: the catalogue, the objects, the clock, ids."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, cast

from connector.catalogue import Catalogue, Operation
from connector.model import JSON
from connector.sandbox.messages import Answer, Refused
from connector.sandbox.names import Names
from connector.sandbox.objects import Objects
from connector.sandbox.options import Options
from connector.sandbox.shaping import Shaper

if TYPE_CHECKING:
    from connector.sandbox.answers.script import Script
    from connector.sandbox.processes import Processes

__all__ = ["EFFECTS", "World"]

EFFECTS: ContextVar[list[str] | None] = ContextVar("EFFECTS", default=None)
"""The ids that the request under way has touched."""
APART: ContextVar[Names | None] = ContextVar("APART", default=None)
"""The names of work that nobody called for."""

Made = TypeVar("Made")
Through = Callable[[str, str, JSON], Awaitable[Answer]]
"""A call that goes through the sandbox itself: method, path, payload."""


class World:
    """One sandbox's state, apart from its sockets."""

    processes: Processes
    """What goes on with time."""
    script: Script
    """The scripted answers."""
    through: Through
    """Answers a call as if it had come from outside."""

    def __init__(
        self, catalogue: Catalogue, objects: Objects, options: Options, clock: Callable[[], float] = time.time
    ) -> None:
        self.catalogue = catalogue
        self.objects = objects
        self.options = options
        self.now = clock
        self.shaper = Shaper(catalogue, self)
        self._names = Names(f"{options.seed}/{objects.start}/")
        self._made: dict[object, object] = {}

    def new_id(self, prefix: str) -> str:
        """An id that nothing has yet: the next one of the seed's."""
        name = prefix + self.name()
        self.effect(name)
        return name

    def name(self) -> str:
        """A name that nothing has yet, which is no effect of a request."""
        return (APART.get() or self._names).next()

    @contextmanager
    def apart(self, name: str) -> Generator[None]:
        """Within it names come from a row of their own and effects are nobody's.

        What goes on with time leaves the ids alone that requests are answered with, whenever it goes on.
        """
        names, effects = APART.set(Names(f"{self.options.seed}/{name}/")), EFFECTS.set(None)
        try:
            yield
        finally:
            APART.reset(names)
            EFFECTS.reset(effects)

    def effect(self, name: str) -> None:
        """Notes for the journal that the request which is being answered made, changed or deleted something."""
        noted = EFFECTS.get()
        if noted is not None:
            noted.append(name)

    def cursor(self, kind: str, name: str | None, parent: str = "") -> str | None:
        """A cursor that leads somewhere: a lenient sandbox begins anew where it would not."""
        lost = name and self.options.lenient and self.objects.get(kind, name, parent) is None
        return None if lost else name

    def made(self, make: Callable[[World], Made]) -> Made:
        """What that function makes of this world, made once."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("Made", self._made[make])

    def shaped(self, operation: Operation, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """An object of the shape of an operation's answer with what is given laid over it."""
        return self.shaper.shaped(operation, given)

    def found(self, kind: str, id: str, parent: str = "") -> dict[str, JSON]:  # noqa: A002 - the API's word
        """The object of that id; refused with 404, or made up when the sandbox is lenient."""
        known = self.objects.get(kind, id, parent)
        if known is not None:
            return known
        if self.options.lenient:
            return self.shaper.made_up(kind, id)
        raise Refused(404, f"No such {kind} object: {id}", param="id", code="not_found")

    async def call(self, method: str, path: str, payload: JSON) -> Answer:
        """What the sandbox itself answers; a refusal is an answer too."""
        return await self.through(method, path, payload)

    def content(self, id: str) -> bytes:  # noqa: A002 - the API's word
        """The bytes of a file; refused with 404 when there are none, or something short when lenient."""
        data = self.objects.content(id)
        if data is not None:
            return data
        if self.options.lenient:
            return f"The content of {id}.\n".encode()
        raise Refused(404, f"No such File object: {id}", param="id", code="not_found")

    def keep_content(self, id: str, data: bytes) -> None:  # noqa: A002 - the API's word
        """Keeps the bytes of a file."""
        self.objects.keep_content(id, data)

    def drop_content(self, id: str) -> None:  # noqa: A002 - the API's word
        """Forgets the bytes of a file."""
        self.objects.drop_content(id)

    def tell(self, event_type: str, data: Mapping[str, JSON]) -> None:
        """Says that a webhook is due."""
        self.processes.tell(event_type, data)

    def reset(self) -> None:
        """Forgets everything, and begins again as if just started."""
        self.objects.clear()
        self._names = Names(f"{self.options.seed}/0/")
