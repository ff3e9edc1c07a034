"""Any HTTP API: one raw request for each document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from connector.errors import ConfigurationError
from connector.http.parameters import Section
from connector.model import JSON, Outcome, is_object
from connector.publishers.prototype import Context, ImmediateWriter, Prototype

__all__ = ["HTTP"]

SECTIONS = ("method", "path", "query", "headers", "payload", "form", "answer")


class Parameters(Section):
    """The client, and the defaults of a request."""

    client: str = Field(description="The client to call with.")
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = Field(
        default="POST", description="The HTTP method, unless the document says."
    )
    path: str | None = Field(
        default=None, description="The path below the client's address, unless the document says; not a template."
    )
    answer: Literal["json", "text", "binary", "events"] | None = Field(
        default=None, description="What the answer is taken for; JSON unless given."
    )


class HttpWriter(ImmediateWriter):
    """Sends each document, {method, path, query, payload, headers, form}, as it is."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def publish(self, document: JSON, context: Context) -> Outcome:
        return await context.call(self._parameters.client, "http", self._request(document))

    async def explain(self, document: JSON, context: Context) -> JSON:
        client = context.client(self._parameters.client)
        asked = dict(self._request(document))
        wire = client.prepare_raw(asked.pop("method"), asked.pop("path"), json=asked.pop("payload", None), **asked)
        return client.explain(wire).as_document()

    def _request(self, document: JSON) -> Mapping[str, JSON]:
        if not is_object(document):
            raise ConfigurationError(f"a request is an object with {', '.join(SECTIONS)}")
        unknown = [name for name in document if name not in SECTIONS]
        if unknown:
            raise ConfigurationError(f"{unknown[0]!r} is no part of a request, which has {', '.join(SECTIONS)}")
        given = {"method": self._parameters.method, "path": self._parameters.path, "answer": self._parameters.answer}
        request = {name: value for name, value in {**given, **document}.items() if value is not None}
        if not isinstance(request.get("path"), str):
            raise ConfigurationError(
                "the request has no path; give it in the publisher's parameters or in the document"
            )
        return request


HTTP = Prototype(
    "http", "Any HTTP API: a raw request for each document.", Parameters, HttpWriter, calls=True, performs=True
)
