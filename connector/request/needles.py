"""A quick first look for secrets: texts that a secret's encodings cannot be without, sought as they are.

A pattern of all encodings looks at every character; a text of a dozen characters is found, or not, in a fraction of
that time. Only where one is found is the pattern asked.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterator

__all__ = ["UNCHANGED", "Needles", "encode_base64"]

UNCHANGED = re.compile(r"[A-Za-z0-9_.-]")
"""Characters that no encoding writes differently, but for those that write all of them differently."""
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
LETTERS = re.compile(r"[A-Za-z0-9]+")
SHORTEST, LENGTH = 4, 24
MOST = 8
"""Of more secrets the pattern is faster: it looks for all of them at once."""


class Needles:
    """What some of each secret's characters look like, in each of its encodings.

    Args:
        secrets: what is looked for.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        exact: set[str] = set()
        folded: set[str] = set()
        self._finds_all = len(secrets) <= MOST
        """Whether no secret goes unnoticed: one with hardly a letter has no such text."""
        for secret in secrets if self._finds_all else ():
            data = secret.encode(errors="surrogatepass")
            folded.add(data.hex()[-LENGTH:])
            runs = [max(_iter_runs(PLAIN, secret), key=len, default="")]
            runs += [max(_iter_runs(LETTERS, encode_base64(data, lead)), key=len, default="") for lead in range(3)]
            self._finds_all = self._finds_all and min(map(len, runs)) >= SHORTEST
            exact.update(run[-LENGTH:] for run in runs)
        self._exact = tuple(exact)
        self._folded = tuple(folded)

    def may_be_in(self, text: str) -> bool:
        """Return False when none of the secrets is in the text, in any encoding."""
        if not self._finds_all:
            return True
        for needle in self._exact:
            if needle in text:
                return True
        lower = text.lower()
        return any(needle in lower for needle in self._folded)


def encode_base64(secret: bytes, lead: int) -> str:
    """Return the characters that depend on the secret alone when it begins `lead` bytes into a base64 text."""
    encoded = b64encode(bytes(lead) + secret).decode()
    return encoded[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]


def _iter_runs(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (found[0] for found in pattern.finditer(text))
