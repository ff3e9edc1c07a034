"""Problems: each error of the API as application/problem+json, with what was found and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel, Field

__all__ = ["MEDIA_TYPE", "RESPONSES", "Detail", "Problem", "Refused"]

MEDIA_TYPE = "application/problem+json"
SPACE = "urn:openai-connector:"


class Detail(BaseModel):
    """One thing that is wrong."""

    where: str = Field(description="Where it is: a path into what was sent, or a place in a file.")
    found: str = Field(description="What was found there.")
    allowed: str = Field(default="", description="What is allowed there.")


class Problem(BaseModel):
    """What went wrong (RFC 9457), and what to do next."""

    type: str = Field(description="The kind of problem, as a URN.", examples=[f"{SPACE}not-found"])
    title: str = Field(description="The kind of problem, in words.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What was wrong this time.", examples=["there is no task 12"])
    next: str = Field(default="", description="What to do next.", examples=["list the tasks that there are"])
    errors: list[Detail] = Field(default_factory=list[Detail], description="Everything that is wrong, one by one.")


class Refused(Exception):
    """A request that is answered with a problem.

    Args:
        status: the HTTP status.
        detail: what is wrong.
        next: what to do next.
        kind: the kind of problem; by default that of the status.
        errors: everything that is wrong, one by one.
        extra: more members of the answer.
        headers: headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        next: str = "",  # noqa: A002  the member's name
        *,
        kind: str = "",
        errors: Sequence[Detail] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        phrase = HTTPStatus(status).phrase
        self.problem = Problem(
            type=SPACE + (kind or phrase.lower().replace(" ", "-")),
            title=phrase,
            status=status,
            detail=detail,
            next=next,
            errors=list(errors),
        )
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        from connector.documents import dump

        content = dump({**self.problem.model_dump(), **self.extra})
        return Response(content, self.problem.status, headers=self.headers, media_type=MEDIA_TYPE)


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


RESPONSES: Mapping[int | str, dict[str, Any]] = {
    401: _problem("Nobody is signed in, or the token is not known."),
    403: _problem("The role may not do this, or the request came from another page."),
    422: _problem("What was sent is not what is allowed; `errors` names everything."),
    "4XX": _problem("The request was refused; the problem says why and what to do next."),
    "5XX": _problem("The server could not answer; nothing secret is in the problem."),
}
"""The problems that any operation may answer with, for the document of the API."""
