"""The ready-made chains of `transformers/`, read when they are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from connector.declarations import folder
from connector.model import JSON

__all__ = ["ReadyMade", "ready_made"]


class ReadyMade(Mapping[str, JSON]):
    """Chains by name; each file is read once, when it is first asked for."""

    def __init__(self, place: Path) -> None:
        self._files = {path.stem: path for path in sorted(place.glob("*.yaml")) if not path.name.endswith(".test.yaml")}
        self._read: dict[str, JSON] = {}

    def __getitem__(self, name: str) -> JSON:
        from connector.yaml import read_yaml

        if name not in self._read:
            path = self._files[name]
            self._read[name] = read_yaml(path.read_bytes(), f"transformers/{path.name}")
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def cases(self, name: str) -> Path:
        """The file with the chain's cases."""
        return self._files[name].with_suffix(".test.yaml")


@cache
def ready_made() -> ReadyMade:
    """What ships with the connector."""
    return ReadyMade(folder("transformers"))
