"""Entities of the API: one, a list with all its pages, or the children of every parent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from pydantic import Field

from connector.documents import to_json
from connector.errors import ConfigurationError
from connector.formats import UnreadableDocument
from connector.http.parameters import Section
from connector.model import JSON, CallFailed, is_object
from connector.pagination import items_of, next_query
from connector.subscriber import Subscriber
from connector.subscribers.bookmarks import PageBookmarks
from connector.subscribers.ordered_merge import merge_in_order
from connector.subscribers.prototype import Context, Prototype
from connector.transform.placeholders import escape

__all__ = ["OPENAI"]


class EntityRequest(Section):
    """A request to read with; its texts may hold placeholders."""

    path: dict[str, JSON] = Field(default_factory=dict[str, JSON], description="Path parameters.")
    query: dict[str, JSON] = Field(default_factory=dict[str, JSON], description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict[str, str], description="Headers of your own.")

    def document(self) -> dict[str, JSON]:
        """Return the sections that hold something."""
        sections = {"path": self.path, "query": self.query, "headers": self.headers}
        return {name: section for name, section in sections.items() if section}


class Parent(Section):
    """Entities whose children are read."""

    entity: str = Field(description="The parents' entity, such as vector stores.")
    action: str | None = Field(default=None, description="The operation that reads them; list unless given.")
    request: EntityRequest = Field(default=EntityRequest(), description="Which parents: {path, query, headers}.")
    parent: Parent | None = Field(default=None, description="The parents' own parents.")


class Parameters(Section):
    """What to read, and with which client."""

    client: str = Field(description="The client to read with.")
    entity: str = Field(description="An entity, or any name of a reading operation.")
    action: str | None = Field(default=None, description="list or retrieve; what the entity has unless given.")
    request: EntityRequest = Field(
        default=EntityRequest(),
        description="{path, query, headers}; with a parent, &{parent.…} is the parent's entity.",
    )
    parent: Parent | None = Field(
        default=None, description="Reads the children of each of these; a parent's id fills the path parameter."
    )
    concurrency: int = Field(default=8, ge=1, le=1000, description="Parents whose children are read at a time.")
    limit: int | None = Field(default=None, ge=0, description="The largest number of entities.")


class OpenAIReader:
    """Reads entities through a client."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        asked = self._parameters
        levels = _levels(asked)
        left = asked.limit
        if left == 0:
            return
        source = self._entities(levels, context) if len(levels) > 1 else self._list_entities(levels[0], left, context)
        async with aclosing(source) as entities:
            async for entity in entities:
                yield to_json(entity)
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def _list_entities(
        self, asked: Parameters | Parent, most: int | None, context: Context
    ) -> AsyncGenerator[JSON, None]:
        """Yield the entities of a list, with a bookmark after each page; those before a bookmark count as read."""
        subscriber = Subscriber(context.client(self._parameters.client), asked.entity, asked.action)
        async with aclosing(context.requests(asked.request.document(), {})) as requests:
            async for request in requests:
                bookmarks = PageBookmarks(context, _check_request(request))
                most = None if most is None else most - bookmarks.count
                if bookmarks.is_complete or (most is not None and most <= 0):
                    continue
                async with aclosing(subscriber.pages(bookmarks.next_request(), from_text=True)) as pages:
                    async for page in pages:
                        items = items_of(page.require())
                        for item in items:
                            yield item
                        more = next_query(subscriber.paging, page.body)
                        bookmarks.add_page(len(items), {"query": more} if more else None)

    def _entities(self, levels: list[Parameters | Parent], context: Context) -> AsyncGenerator[JSON, None]:
        client = context.client(self._parameters.client)
        *above, last = levels
        subscriber = Subscriber(client, last.entity, last.action)
        _check_parameters(subscriber, last, len(above))
        parents = self._families(above, context)

        async def children(family: tuple[JSON, ...]) -> AsyncGenerator[JSON, None]:
            asked = _with_ids(subscriber, last.request, family)
            try:
                async with aclosing(_read(subscriber, asked, {"parent": family[-1]}, context)) as entities:
                    async for entity in entities:
                        yield entity
            except CallFailed as error:
                if client.paused:
                    raise
                context.on_unreadable(UnreadableDocument(family[-1], f"its {last.entity} were not read: {error}"))

        return merge_in_order(parents, children, self._parameters.concurrency)

    async def _families(
        self, levels: list[Parameters | Parent], context: Context
    ) -> AsyncGenerator[tuple[JSON, ...], None]:
        """Yield every parent with its own parents before it."""
        *above, last = levels
        subscriber = Subscriber(context.client(self._parameters.client), last.entity, last.action)
        if not above:
            async with aclosing(subscriber.read(last.request.document(), from_text=True)) as entities:
                async for entity in entities:
                    yield (entity,)
            return
        _check_parameters(subscriber, last, len(above))
        async with aclosing(self._families(above, context)) as families:
            async for family in families:
                async with aclosing(
                    subscriber.read(_with_ids(subscriber, last.request, family), from_text=True)
                ) as entities:
                    async for entity in entities:
                        yield (*family, entity)

    async def explain(self, context: Context) -> JSON:
        asked = self._parameters
        last = _levels(asked)[0]
        subscriber = Subscriber(context.client(asked.client), last.entity, last.action)
        async with aclosing(context.requests(last.request.document(), {})) as requests:
            async for request in requests:
                return subscriber.explain(_check_request(request)).as_document()
        return None


async def _read(
    subscriber: Subscriber, template: JSON, document: Mapping[str, JSON], context: Context
) -> AsyncGenerator[JSON, None]:
    async with aclosing(context.requests(template, document)) as requests:
        async for request in requests:
            async with aclosing(subscriber.read(_check_request(request), from_text=True)) as entities:
                async for entity in entities:
                    yield entity


def _check_request(request: JSON) -> Mapping[str, JSON]:
    if not is_object(request):
        raise ConfigurationError("the openai subscriber's input chain must give {path, query, headers}")
    return request


def _levels(asked: Parameters) -> list[Parameters | Parent]:
    """Return what is read, from the outermost parent to the entity itself."""
    levels: list[Parameters | Parent] = [asked]
    parent = asked.parent
    while parent is not None:
        levels.insert(0, parent)
        parent = parent.parent
    return levels


def _find_missing(subscriber: Subscriber, given: Mapping[str, JSON]) -> list[str]:
    return [name for name in subscriber.operation.parameters if name not in given]


def _check_parameters(subscriber: Subscriber, asked: Parameters | Parent, parents: int) -> None:
    missing = _find_missing(subscriber, asked.request.path)
    if len(missing) > parents:
        names = ", ".join(missing[parents:])
        raise ConfigurationError(
            f"{subscriber.operation.name} needs {', '.join(missing)} in its path, and there "
            f"{'is 1 parent' if parents == 1 else f'are {parents} parents'}; give {names} in request.path"
        )


def _with_ids(subscriber: Subscriber, asked: EntityRequest, family: tuple[JSON, ...]) -> dict[str, JSON]:
    """Return the request with the parents' ids as its missing path parameters, the nearest parent's last."""
    missing = _find_missing(subscriber, asked.path)
    ids = [parent.get("id") if is_object(parent) else None for parent in family]
    filled = dict(zip(missing, [escape(str(id_)) for id_ in ids[len(ids) - len(missing) :]], strict=True))
    return {**asked.document(), "path": {**filled, **asked.path}}


OPENAI = Prototype(
    "openai",
    "Entities of the API: one, a list with all its pages, the children of every parent.",
    Parameters,
    OpenAIReader,
    ("request", "parent"),
)
