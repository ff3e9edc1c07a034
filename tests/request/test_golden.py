"""Golden cases: one request document a file, and what of it goes on the wire, or why nothing does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.request import Wire
from connector.request.multipart import MultipartBody

GOLDEN = Path(__file__).parents[1] / "golden"


def cases(kind: str) -> list[Any]:
    return [pytest.param(json.loads(path.read_text()), id=path.stem) for path in sorted(GOLDEN.glob(f"{kind}/*.json"))]


@pytest.mark.parametrize("case", cases("requests"))
async def test_a_request_goes_on_the_wire_as_its_case_says(case: dict[str, Any], prepare: Callable[..., Wire]) -> None:
    wire = prepare(case["operation"], case["request"])
    assert await document_of(wire) == case["wire"]


@pytest.mark.parametrize("case", cases("refusals"))
def test_a_request_is_refused_as_its_case_says(case: dict[str, Any], faults_of: Callable[..., list[str]]) -> None:
    assert faults_of(case["operation"], case["request"]) == case["faults"]


def test_there_is_a_case_of_every_kind() -> None:
    names = {path.stem.split("-")[0] for path in GOLDEN.glob("requests/*.json")}
    assert names == {
        "json", "no", "path", "query", "headers", "answer", "multipart", "either", "sdp", "warning"
    }  # fmt: skip


async def document_of(wire: Wire) -> dict[str, Any]:
    """A wire as its golden case writes it: forms by lines, with their random boundary replaced."""
    document: dict[str, Any] = {"method": wire.method, "path": wire.path, "headers": dict(wire.headers)}
    if wire.query:
        document["query"] = [list(pair) for pair in wire.query]
    if wire.body is not None:
        chunks = [chunk async for chunk in wire.body.chunks()]
        assert sum(map(len, chunks)) == wire.body.length
        document["body"] = text = b"".join(chunks).decode()
        if isinstance(wire.body, MultipartBody):
            document["body"] = text.replace(wire.body.boundary, "BOUNDARY").split("\r\n")
            document["headers"]["content-type"] = wire.body.content_type.replace(wire.body.boundary, "BOUNDARY")
    document["answer"] = wire.answer
    return document | ({"warnings": [str(warning) for warning in wire.warnings]} if wire.warnings else {})
