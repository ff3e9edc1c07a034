"""From a request's target to a client and a path below its address; no path leads anywhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from connector.gateway.refusals import Refused
from connector.request.path import segment_fault

__all__ = ["Route", "divided", "routed"]

PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*")
QUERY = re.compile(r"[!-~]*")
STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")
LONGEST = 4096
HOW = "calls go to /CLIENT/v1/PATH or /v1/apis/http/CLIENT/PATH"
ATLAS = ("v1", "apis", "http")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes: the client, and the path relative to the client's address."""

    client: str
    path: str
    whole: bool
    """Whether the path may begin with the path of the client's address, as a full URL would."""

    def below(self, base_uri: str) -> str:
        """The path without the part that the client's address has already."""
        if not self.whole:
            return self.path
        prefix = urlsplit(base_uri).path.rstrip("/")
        if prefix and self.path.startswith(f"{prefix}/"):
            return self.path[len(prefix) :]
        return self.path


def divided(target: str) -> tuple[str, str]:
    """The path and the query of a request's target; anything but a plain path is refused."""
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        raise _wrong("is no path", "absolute URLs and other forms are not taken")
    if not QUERY.fullmatch(query) or "#" in target:
        raise _wrong("holds characters that no URL has", "percent-encode them")
    return path, query


@lru_cache(maxsize=4096)
def routed(path: str) -> Route | None:
    """The route of a path, or None when it names none; a path that could climb out of its place is refused."""
    if len(path) > LONGEST:
        raise Refused(414, "path_too_long", f"the path is longer than {LONGEST} characters", close=True)
    segments = _segments(path)
    if tuple(segments[1:4]) == ATLAS and len(segments) > 5:
        return Route(unquote(segments[4]), f"/{'/'.join(segments[5:])}", whole=True)
    if len(segments) > 3 and segments[2] == "v1":
        return Route(unquote(segments[1]), f"/{'/'.join(segments[3:])}", whole=False)
    return None


def _segments(path: str) -> list[str]:
    """The parts of a path, each in its one right spelling; what could mean another path is refused."""
    if not PATH.fullmatch(path) or STRAY.search(path):
        raise _wrong("holds characters that no path has", "percent-encode them")
    segments = ESCAPE.sub(_plain, path).split("/")
    if "" in segments[1:-1]:
        raise _wrong("holds an empty segment", "write one slash, not two")
    for segment in segments:
        _check(segment)
    return segments


def _check(segment: str) -> None:
    if not segment:
        return
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise _wrong("is not UTF-8", "encode it so") from None
    if "/" in text or "\\" in text:
        raise _wrong("holds an encoded slash", "an id has none")
    if ";" in text:
        raise _wrong("holds a semicolon", "what follows one is part of the path for some servers, and not for others")
    if ESCAPE.search(text):
        raise _wrong("holds an escape of an escape", "encode once")
    if segment_fault(text) is not None:
        raise _wrong("climbs out of its place", "a path without '.', '..' and control characters is taken")


def _plain(escape: re.Match[str]) -> str:
    """A letter, a digit or `-._~` as it is: its escape means the same, and would hide it from every rule."""
    char = chr(int(escape[1], 16))
    return char if UNRESERVED.fullmatch(char) else escape[0]


def _wrong(found: str, allowed: str) -> Refused:
    return Refused(400, "path_refused", f"the request's target {found}: {allowed}; {HOW}", close=True)
