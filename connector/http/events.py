"""Server-sent events, whatever the chunking: bytes in, events out."""

from __future__ import annotations

from dataclasses import dataclass

from connector.http.decompress import Unacceptable

__all__ = ["EventParser", "ServerEvent"]

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (empty when it has none), its data, and the last id the stream gave."""

    name: str
    data: str
    id: str = ""


class EventParser:
    """Takes bytes as they come and gives each event once its blank line is there."""

    def __init__(self, most: int = 64 * 1024 * 1024) -> None:
        self._most = most
        self._rest = bytearray()
        self._searched = 0
        self._begun = False
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._id = ""
        self.retry: float | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that this chunk completes."""
        if self._after_cr and chunk:
            # The CR has ended its line already; a LF that follows belongs to it.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        self._rest += chunk
        if not self._begun and not self._begin():
            return []
        events = [event for line in self._lines() if (event := self._line(line)) is not None]
        if len(self._rest) + self._size > self._most:
            raise Unacceptable(f"an event of the stream is larger than {self._most} bytes")
        return events

    def close(self) -> list[ServerEvent]:
        """The event that the end of the stream completes: its lines are whole, only the blank line is missing."""
        self._begun = True
        rest = bytes(self._rest)
        self._rest.clear()
        if rest in (b"data: [DONE]", b"data:[DONE]"):
            self._line(rest)
        last = self._dispatch()
        return [last] if last is not None else []

    def _begin(self) -> bool:
        """Drops a byte order mark; False while the first bytes may still become one."""
        if BOM.startswith(bytes(self._rest)) and len(self._rest) < len(BOM):
            return False
        if self._rest.startswith(BOM):
            del self._rest[: len(BOM)]
        self._begun = True
        return True

    def _lines(self) -> list[bytes]:
        """The complete lines; a CR ends one at once, since nothing need follow it."""
        rest = self._rest
        end = max(rest.rfind(b"\n", self._searched), rest.rfind(b"\r", self._searched))
        if end < 0:
            self._searched = len(rest)
            return []
        whole = bytes(rest[: end + 1])
        del rest[: end + 1]
        self._searched = 0
        self._after_cr = whole.endswith(b"\r") and not rest
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._name = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> ServerEvent | None:
        """The event that a blank line ends; one without data is none."""
        data, name = self._data, self._name
        self._data, self._name, self._size = [], "", 0
        if not data:
            return None
        return ServerEvent(name, b"\n".join(data).decode(errors="replace"), self._id)
