"""What the tests of imports share: exports of our own making, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.config import load
from connector.migrate import Report
from connector.yaml import read_yaml

__all__ = ["JSON", "Imported", "exported", "use"]

JSON = Any


class Imported:
    """What came of an import."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report

    def entry(self, section: str, name: str) -> JSON:
        return self.yaml(f"{section}/{name}.yaml")[section][name]

    def yaml(self, name: str) -> JSON:
        return read_yaml((self.folder / name).read_bytes(), name)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def steps(self, name: str = "chain") -> JSON:
        return self.entry("chains", name)["steps"]

    @property
    def lines(self) -> list[str]:
        return [str(line) for line in self.report.lines]

    def lost(self) -> list[str]:
        return [str(line) for line in self.report.lines if line.level == "lost"]

    def load(self) -> Any:
        return load(self.folder, environ={})


def exported(kind: str, identifier: str, body: JSON, **more: JSON) -> dict[str, JSON]:
    """An object as an export has it."""
    whole = {
        "$schema": "https://example.test/s.json",
        "type": kind,
        "identifier": identifier,
        "name": identifier.title(),
    }
    return {**whole, "description": None, "owner": None, "disabled": False, "object": body, **more}


def use(prototype: str, **parameters: JSON) -> dict[str, JSON]:
    """A use of a prototype; no parameters are exported as an empty list."""
    return {"prototype": prototype, "parameters": parameters or []}
