"""Where a request ends, for those that every reader reads in the same way."""

from __future__ import annotations

import re

__all__ = ["MOST_BODY", "find_length", "is_canonical", "is_one_request"]

HEAD = re.compile(rb"POST [!-~]{1,4096} HTTP/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+: [!-~](?:[ -~]*[!-~])?)+\r\n\r\n")
LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ([1-9][0-9]{0,7})\r\n")
MOST_HEAD = 8 * 1024
MOST_BODY = 64 * 1024


def find_length(data: bytes) -> tuple[int, re.Match[bytes]] | None:
    """Return where the head of a request ends and the first length in it; None unless all of its body has come."""
    end = data.find(b"\r\n\r\n", 0, MOST_HEAD) + 4
    length = LENGTH.search(data, 0, end)
    return (end, length) if length is not None and len(data) == end + int(length[1]) else None


def is_canonical(head: bytes) -> bool:
    """Whether every reader takes a head for the same, as far as lines, names and values go."""
    return HEAD.fullmatch(head) is not None


def is_one_request(data: bytes) -> bool:
    """Whether this is exactly one request: no reader would look for more of it, or for another one in it."""
    found = find_length(data)
    if found is None:
        return False
    head = data[: found[0]]
    lower = head.lower()
    return is_canonical(head) and lower.count(b"\r\ncontent-length:") == 1 and b"\r\ntransfer-encoding:" not in lower
