"""A gateway that would let in whom it should not, or keep out whom it should not."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.allowing import rule
from connector.config.findings import Finding, Path
from connector.config.references import holds_reference
from connector.config.rules.subject import Subject
from connector.config.serving import is_hash
from connector.errors import ConfigurationError

__all__ = ["allowed", "listener", "tokens"]

HASHED = (
    "sha256: and 64 hexadecimal digits are needed; `openai-connector gateway-token NAME` makes a token and its hash"
)
ALLOWING = "allow: "


def tokens(subject: Subject) -> Iterator[Finding]:
    """Tokens that are not hashed, and two of one hash: whose would a call be?"""
    seen: dict[str, str] = {}
    for name, token in subject.document.gateway.tokens.items():
        path: Path = ("gateway", "tokens", name, "hash")
        written = token.raw_hash
        if holds_reference(written) or "@{" in written:
            continue
        if not is_hash(written):
            plain = not written.startswith("sha256:")
            found = "a text that is no hash; if it is the token itself, make another one" if plain else "not a SHA-256"
            yield subject.finding("wrong-token", path, found, HASHED)
        elif written.lower() in seen:
            allowed = "give each a token of its own"
            yield subject.finding("wrong-token", path, f"the same hash as {seen[written.lower()]}", allowed)
        seen.setdefault(written.lower(), name)


def listener(subject: Subject) -> Iterator[Finding]:
    """Another address than loopback where calls could be read on the way, or made by anybody."""
    gateway = subject.document.gateway
    if gateway.loopback:
        return
    path = ("gateway", "listen")
    if gateway.tls is None:
        allowed = "give tls: {certificate, key}, or listen on 127.0.0.1"
        yield subject.finding("open-listener", path, f"{gateway.listen} can be reached from elsewhere", allowed)
    if not gateway.tokens:
        found = f"nobody could call {gateway.listen}: there are no tokens"
        yield subject.finding("open-listener", path, found, "give tokens: {NAME: {hash: …}}")


def allowed(subject: Subject) -> Iterator[Finding]:
    """Rules that allow nothing."""
    if subject.catalogue is None:
        return
    for name, token in subject.document.gateway.tokens.items():
        for index, text in enumerate(token.allow or ()):
            try:
                rule(text, subject.catalogue)
            except ConfigurationError as error:
                words = str(error).removeprefix(ALLOWING).split("; ", 2)
                yield subject.finding("unmatched-rule", ("gateway", "tokens", name, "allow", index), *_three(words))


def _three(words: list[str]) -> tuple[str, str, str]:
    """What was found, what is allowed, what may have been meant."""
    meant = next((part for part in words[1:] if part.startswith("did you mean")), "")
    rest = [part for part in words[1:] if part != meant]
    return words[0], "; ".join(rest), meant
