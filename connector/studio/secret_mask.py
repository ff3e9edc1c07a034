"""Secrets in the text of a configuration, replaced by markers while pages show and edit it, and put back on saving."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Any

from connector.config.secrets import passwords_in
from connector.config.tree import walk
from connector.config.variables import literal_secrets
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, members
from connector.request.display import SECRET_VALUE
from connector.yaml import read_document

__all__ = ["MARKER", "SecretMask"]

MARKER = re.compile(r"__SECRET_[0-9a-f]{12}__")
SHORTEST = 4
"""A shorter text is no secret: it stands everywhere."""


@dataclass
class SecretMask:
    """Hides what is secret in a text, and knows for each marker what it stands for.

    A marker is made from the secret with a key that only this process has: it tells nothing of the secret, and it stays
    the same wherever the secret moves, so that two texts can be compared and merged.
    """

    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    _hidden: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    _known: set[str] = field(default_factory=set[str], repr=False)
    """What was secret once stays so, wherever it is put."""

    def hide(self, text: str, more: Iterable[str] = ()) -> str:
        """Return a text with markers for its secrets, and for others that are known from elsewhere."""
        found = {secret for secret in (*_find_secrets(text), *more) if len(secret) >= SHORTEST}
        self._known |= {secret for secret in found if not MARKER.search(secret)}
        secrets = found | {secret for secret in self._known if secret in text}
        for start, end in reversed(list(_find_spans(text, secrets))):
            text = text[:start] + self._mark(text[start:end]) + text[end:]
        for secret in sorted(secrets, key=len, reverse=True):  # in comments, and in texts that are no YAML
            if secret in text and not MARKER.search(secret):
                text = text.replace(secret, self._mark(secret))
        return SECRET_VALUE.sub(lambda found: self._mark(found[0]), text)

    def show(self, text: str) -> str:
        """Return a text with its secrets in place of their markers; refuse a marker that stands for nothing."""

        def find(found: re.Match[str]) -> str:
            if found[0] not in self._hidden:
                raise ConfigurationError(
                    f"{found[0]} stands for no secret of this configuration; read it again, or write the secret "
                    "or ${NAME} in its place"
                )
            return self._hidden[found[0]]

        return MARKER.sub(find, text)

    def _mark(self, secret: str) -> str:
        marker = f"__SECRET_{hmac.new(self.key, secret.encode(errors='surrogatepass'), sha256).hexdigest()[:12]}__"
        self._hidden[marker] = secret
        return marker


def _find_secrets(text: str) -> Iterator[str]:
    """Yield the secrets that a configuration gives as they are: of clients, of an engine's URL, of tokens."""
    value = read_document(text).value
    if not is_document(value):
        return
    yield from literal_secrets({name: part for name, part in value.items() if name != "routes"})
    engine = value.get("engine")
    yield from passwords_in(engine) if isinstance(engine, str) else ()
    for section in ("gateway", "studio", "mcp"):
        for token in members(members(value.get(section)).get("tokens")).values():
            yield from _texts(members(token).get("hash"))
    for _, item in walk(value):
        if isinstance(item, str):
            yield from (found[0] for found in SECRET_VALUE.finditer(item))


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str) and not value.startswith("${"):
        yield value


def _find_spans(text: str, secrets: set[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of scalars that hold a secret, quotes included, in their order."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    composer: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    try:
        events: list[Any] = list(composer.parse(text)) if secrets else []
    except YAMLError:
        return
    for event in events:
        value = getattr(event, "value", None)
        if isinstance(value, str) and any(secret in value for secret in secrets):
            start, end = event.start_mark.index, event.end_mark.index
            yield start, start + len(text[start:end].rstrip())
