"""The input file of a batch: its lines, and everything that is wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_list, is_object

__all__ = ["BatchLine", "find_errors", "split_lines"]

LINES_A_TURN = 25
"""Lines after which other tasks have their turn; a thread would make every request wait for the interpreter."""
MOST_LINES = 50_000
MOST_INPUTS = 50_000
MOST_ERRORS = 100
REQUIRED = {"custom_id": str, "method": str, "url": str, "body": Mapping}


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a batch."""

    custom_id: str
    url: str
    body: Mapping[str, JSON]


@dataclass(slots=True)
class SeenValues:
    """The values that earlier lines have."""

    custom_ids: set[str] = field(default_factory=set[str])
    model: JSON = None
    inputs: int = 0


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines that are not blank."""
    return [line for line in data.split(b"\n") if line.strip()]


async def find_errors(data: bytes, endpoint: str) -> list[dict[str, JSON]]:
    """Return the first errors of an input file in the API's form; none when the batch can start."""
    lines = split_lines(data)
    if not lines:
        return [_error("empty_file", "The batch input file is empty. Ensure that the file holds at least one request.")]
    if len(lines) > MOST_LINES:
        message = f"The batch input file holds {len(lines)} requests; the most is {MOST_LINES}."
        return [_error("too_many_requests", message)]
    found: list[dict[str, JSON]] = []
    seen = SeenValues()
    for number, line in enumerate(lines, start=1):
        found += _check_line(number, line, endpoint, seen)
        if number % LINES_A_TURN == 0:
            await asyncio.sleep(0)
        if len(found) >= MOST_ERRORS:
            break
    return found[:MOST_ERRORS]


def _check_line(number: int, line: bytes, endpoint: str, seen: SeenValues) -> list[dict[str, JSON]]:
    try:
        document = parse(line)
    except InvalidDocument:
        return [_error("invalid_json_line", "This line is not parseable as valid JSON.", number)]
    if not is_object(document):
        return [_error("invalid_json_line", "This line is not a JSON object.", number)]
    missing = [_reject(name, number) for name, kind in REQUIRED.items() if not isinstance(document.get(name), kind)]
    return missing or list(_check_request(document, number, endpoint, seen))


def _reject(name: str, number: int) -> dict[str, JSON]:
    return _error("missing_required_parameter", f"Missing or invalid required parameter: '{name}'.", number, name)


def _check_request(
    document: Mapping[str, JSON], number: int, endpoint: str, seen: SeenValues
) -> Iterator[dict[str, JSON]]:
    body = document["body"]
    if document["custom_id"] in seen.custom_ids:
        message = f"The custom_id '{document['custom_id']}' stands on an earlier line; it must be unique in a batch."
        yield _error("duplicate_custom_id", message, number, "custom_id")
    seen.custom_ids.add(document["custom_id"])
    if document["method"] != "POST":
        yield _error("invalid_method", f"The method is '{document['method']}'; it must be 'POST'.", number, "method")
    if document["url"] != endpoint:
        message = f"The URL '{document['url']}' does not match the batch's endpoint '{endpoint}'."
        yield _error("invalid_url", message, number, "url")
    if body.get("model") != (seen.model if number > 1 else body.get("model")):
        message = f"The model '{body.get('model')}' differs from the first line's '{seen.model}'."
        yield _error("mismatched_model", message, number, "body.model")
    if body.get("stream"):
        message = "Streaming is not available in a batch. Leave 'stream' out."
        yield _error("streaming_unsupported", message, number, "body.stream")
    seen.model = body.get("model") if number == 1 else seen.model
    seen.inputs += _count_inputs(body) if endpoint == "/v1/embeddings" else 0
    if seen.inputs > MOST_INPUTS:
        message = f"The batch holds more than {MOST_INPUTS} embedding inputs."
        yield _error("too_many_inputs", message, number, "body.input")


def _count_inputs(body: Mapping[str, JSON]) -> int:
    given = body.get("input")
    return len(given) if is_list(given) and not (given and isinstance(given[0], int)) else 1


def _error(code: str, message: str, line: int | None = None, param: str | None = None) -> dict[str, JSON]:
    return {"code": code, "message": message, "line": line, "param": param}
