"""Secrets that stand in a configuration as they are."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from connector.config.findings import Finding, Path
from connector.config.models import Prototyped
from connector.config.names import prototyped
from connector.config.passwords import passwords_of
from connector.config.rules.subject import Subject
from connector.config.secrets import secret_places
from connector.config.trees import walk
from connector.http import prototypes
from connector.request.display import SECRET_VALUE

__all__ = ["plain_secrets"]

ADVICE = "keep it out of the file: ${NAME}, ${file:PATH} or ${keyring:SERVICE/NAME}"


def plain_secrets(subject: Subject) -> Iterator[Finding]:
    """Keys and tokens written into the file, where everybody who reads it finds them."""
    found: list[Path] = [
        (*path, "parameters", *inner)
        for part, path, model in _parts(subject)
        for inner in secret_places(model, part.raw_parameters)
    ]
    if "${" not in subject.document.raw_engine and any(passwords_of(subject.document.raw_engine)):
        found.append(("engine",))
    for path, text in walk(subject.tree.value):
        if isinstance(text, str) and SECRET_VALUE.search(text) and path not in found:
            found.append(path)
    for path in found:
        yield subject.warning("plain-secret", path, "a secret stands here as it is", ADVICE)


def _parts(subject: Subject) -> Iterator[tuple[Prototyped, Path, type[BaseModel]]]:
    """Everything of a known kind, with its parameters' model."""
    clients = {kind.name: kind for kind in prototypes()}
    for name, client in subject.document.clients.items():
        if client.prototype in clients:
            yield client, ("clients", name), clients[client.prototype].parameters
    for part, path in prototyped(subject.document):
        kinds = subject.kinds.incoming if path[-1] == "subscriber" else subject.kinds.outgoing
        if kinds and part.prototype in kinds:
            yield part, path, kinds[part.prototype].parameters
