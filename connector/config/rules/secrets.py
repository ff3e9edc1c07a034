"""Secrets that stand in a configuration as they are."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Finding, Path
from connector.config.rules.subject import Subject
from connector.config.secrets import secret_places
from connector.http import prototypes
from connector.model import JSON, is_list, is_object
from connector.request.shown import SECRET_VALUE

__all__ = ["plain_secrets"]

ADVICE = "keep it out of the file: ${NAME}, ${file:PATH} or ${keyring:SERVICE/NAME}"


def plain_secrets(subject: Subject) -> Iterator[Finding]:
    """Keys and tokens written into the file, where everybody who reads it finds them."""
    kinds = {kind.name: kind.parameters for kind in prototypes()}
    for name, client in subject.document.clients.items():
        if client.prototype in kinds:
            for inner in secret_places(kinds[client.prototype], client.raw_parameters):
                yield _plain(subject, ("clients", name, "parameters", *inner))
    known = {("clients", name, "parameters") for name in subject.document.clients}
    for path, text in _texts(subject.tree.value, ()):
        if SECRET_VALUE.search(text) and path[:3] not in known:
            yield _plain(subject, path)


def _plain(subject: Subject, path: Path) -> Finding:
    return subject.warning("plain-secret", path, "a secret stands here as it is", ADVICE)


def _texts(value: JSON, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif is_object(value):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
