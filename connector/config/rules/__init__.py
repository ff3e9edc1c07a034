"""What lint rules check; the rules are in the files beside it, one family each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.catalogue import Catalogue
from connector.config.findings import Finding, Path, Severity, path_text
from connector.config.kinds import Kinds
from connector.config.models import Document
from connector.config.tree import Tree
from connector.model import JSON, Fault
from connector.model_registry import ModelRegistry, default_registry

__all__ = ["Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration's tree and document, with the entities and the models that it may name."""

    tree: Tree
    document: Document
    kinds: Kinds
    catalogue: Catalogue | None = None
    find_models: Callable[[], ModelRegistry] = default_registry
    """Gives the facts about models, once they are needed."""

    def finding(self, rule: str, path: Path, *words: str, at_key: bool = False) -> Finding:
        """Return an error at a path: what was found, what is allowed, what may have been meant."""
        place = self.tree.key_place(path) if at_key else self.tree.value_place(path)
        return Finding(rule, place, Fault(path_text(path), *words))

    def warning(self, rule: str, path: Path, *words: str, at_key: bool = False) -> Finding:
        """Return a warning at a path."""
        found = self.finding(rule, path, *words, at_key=at_key)
        return Finding(rule, found.place, found.fault, Severity.WARNING)

    @property
    def saved_chains(self) -> dict[str, JSON]:
        """The chains of the configuration as they are written."""
        written: dict[str, JSON] = self.tree.value.get("chains") or {}
        return {name: written[name] for name in self.document.chains}
