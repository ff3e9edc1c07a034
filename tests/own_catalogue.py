"""A catalogue of one's own: the shipped operations, and models that no other catalogue has."""

from __future__ import annotations

import shutil
from pathlib import Path

from connector.declarations import folder
from connector.model_registry.load import COMPILED, REGISTRY, compile_registry
from connector.yaml import DECLARATIONS, read_yaml

OWN = """\
as_of: 2026-11-28
roles: {small: gpt-9-own, text: gpt-9-own}
models:
  gpt-9-own: {kind: text, prices: [{input: 7, output: 70}]}
  gpt-9-gone: {kind: text, shutdown: 2026-01-01, successor: gpt-9-own}
"""


def write_own_catalogue(entities: Path) -> Path:
    """Write the shipped catalogue with other models in it into a folder that is not there yet."""
    shutil.copytree(folder("entities"), entities, ignore=shutil.ignore_patterns("document.json"))
    text = OWN.encode()
    (entities / REGISTRY).write_bytes(text)
    (entities / COMPILED).write_bytes(compile_registry(text, read_yaml(text, "own", DECLARATIONS)))
    return entities
