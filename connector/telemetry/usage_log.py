"""Who used what in which minute, as lines of a file for each day: written by gateways, read for bills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import orjson

from connector.model import JSON, members
from connector.telemetry.usage import NO_USAGE, Usage

__all__ = ["NUMBERS", "USAGE_FILE", "End", "UsageLine", "list_old_files", "name_file", "parse_line", "read_lines"]

USAGE_FILE: Final = ".gateway-usage"
"""How the names of the files begin, which lie beside the configuration."""
ENDING: Final = ".jsonl"
End = Literal["done", "estimated", "unknown"]
"""How requests ended: with an answer that says what was used, with one that does not, or nobody knows."""
NUMBERS: Final = tuple(Usage.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """Requests that began in one minute and ended in another, of one token, client, operation and model.

    Attributes:
        first, last: the minutes, each by the second since 1970 in which it begins.
        cost: what they cost, in the configuration's currency; None where a model has no price.
    """

    first: int
    last: int
    token: str
    client: str
    operation: str
    model: str
    end: End
    requests: int
    usage: Usage = NO_USAGE
    cost: float | None = None

    def as_bytes(self) -> bytes:
        """Return the line with its end."""
        document: dict[str, JSON] = {name: getattr(self, name) for name in self.__slots__ if name != "usage"}
        used = {name: number for name in NUMBERS if (number := getattr(self.usage, name))}
        return orjson.dumps({**document, "usage": used}, option=orjson.OPT_APPEND_NEWLINE)


def parse_line(data: bytes) -> UsageLine | None:
    """Return what a line says; None for one that was cut off, or is none."""
    try:
        document = members(orjson.loads(data))
        usage = Usage(**{name: number for name, number in members(document["usage"]).items() if name in NUMBERS})
        made = {name: document[name] for name in UsageLine.__slots__ if name != "usage"}
    except (orjson.JSONDecodeError, KeyError):
        return None
    return UsageLine(**made, usage=usage)


def name_file(folder: Path, day: date) -> Path:
    """Return the file of a day, in UTC."""
    return folder / f"{USAGE_FILE}-{day.isoformat()}{ENDING}"


def read_lines(folder: Path, start: float, end: float) -> Iterator[UsageLine]:
    """Yield what was used in a span of time, as far as it is kept; a request of days is in the file of its end."""
    day, last = _day_of(start), _day_of(end)
    while day <= last:
        path = name_file(folder, day)
        if path.exists():
            with path.open("rb") as file:
                for data in file:
                    line = parse_line(data)
                    if line is not None and line.first < end and line.last + 60 > start:
                        yield line
        day += timedelta(days=1)


def _day_of(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def list_old_files(folder: Path, before: date) -> Iterator[Path]:
    """Yield the files of days before one."""
    for path in folder.glob(f"{USAGE_FILE}-*{ENDING}"):
        try:
            day = date.fromisoformat(path.name.removeprefix(f"{USAGE_FILE}-").removesuffix(ENDING))
        except ValueError:
            continue
        if day < before:
            yield path
