"""The SDK's modules as syntax trees: which statement defines a name, through all imports. Nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model_registry.packages import read_package

__all__ = ["External", "Imported", "Module", "Package", "Symbol", "read_sdk"]

PACKAGE = "openai"


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that a module takes from another one; without `name` it is that module itself."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class External:
    """A name of a package other than the SDK, by its last part: `List`, `datetime`, `PathLike`."""

    name: str


Statement = ast.ClassDef | ast.expr | Imported


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for, and the module that defines it."""

    module: Module
    name: str
    node: ast.ClassDef | ast.expr


class Module:
    """One module of the SDK."""

    def __init__(self, package: Package, name: str, path: str, text: str) -> None:
        self.package = package
        self.name = name
        self._path = path
        self._text = text

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self._text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            running = ".".join(map(str, sys.version_info[:2]))
            raise ConfigurationError(
                f"the SDK's {self._path} is not Python that {running} can read: {error}; fetch the release again,"
                " name another one, or use a newer Python"
            ) from error

    @cached_property
    def symbols(self) -> dict[str, Statement]:
        """The module's names, those of runtime branches rather than those for type checkers."""
        found: dict[str, Statement] = {}
        for node in self._statements(self.tree.body):
            found.update(self._list_names(node))
        return found

    def classes(self) -> Iterator[ast.ClassDef]:
        yield from (node for node in self._statements(self.tree.body) if isinstance(node, ast.ClassDef))

    def _statements(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        for node in body:
            if isinstance(node, ast.If):
                yield from self._statements([*node.body, *node.orelse])
            elif isinstance(node, ast.Try):
                yield from self._statements([each for handler in node.handlers for each in handler.body])
                yield from self._statements(node.body)
            else:
                yield node

    def _list_names(self, node: ast.stmt) -> Iterator[tuple[str, Statement]]:
        if isinstance(node, ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
            yield node.name.id, node.value
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or top, Imported(top)
        elif isinstance(node, ast.ImportFrom):
            yield from self._follow_import(node)

    def _follow_import(self, node: ast.ImportFrom) -> Iterator[tuple[str, Statement]]:
        home = self._resolve_home(node)
        for alias in node.names:
            if alias.name == "*":
                other = self.package.module(home)
                yield from (other.symbols.items() if other else ())
            else:
                yield alias.asname or alias.name, Imported(home, alias.name)

    def _resolve_home(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        base = parts if self._path.endswith("/__init__.py") else parts[:-1]
        kept = base[: len(base) - node.level + 1]
        return ".".join([*kept, *([node.module] if node.module else [])])


class Package:
    """The modules of one release of the SDK, by dotted name."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {_module_name(path): (path, text) for path, text in files.items()}
        self._modules: dict[str, Module] = {}

    def module(self, name: str) -> Module | None:
        if name not in self._modules and name in self._files:
            self._modules[name] = Module(self, name, *self._files[name])
        return self._modules.get(name)

    def names(self, below: str) -> list[str]:
        """Return the names of the modules below a package, in the order in which Python walks it."""
        found = [name for name in self._files if name.startswith(f"{below}.")]
        return sorted(found, key=lambda name: self._walk_order(name, below))

    def _walk_order(self, name: str, below: str) -> list[str]:
        path = self._files[name][0].removesuffix("/__init__.py").split("/")
        return path[below.count(".") + 1 :]

    def find(self, module: Module, name: str) -> Symbol | Module | External | None:
        """Find what a name means in a module; None when nothing there says."""
        seen: set[tuple[str, str]] = set()
        while (module.name, name) not in seen:
            seen.add((module.name, name))
            node = module.symbols.get(name)
            if node is None:
                return self.module(f"{module.name}.{name}")
            if not isinstance(node, Imported):
                return Symbol(module, name, node)
            if node.module.partition(".")[0] != PACKAGE:
                return External(node.name or node.module)
            home = self.module(node.module)
            if home is None or node.name is None:
                return home
            module, name = home, node.name
        return None


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def read_sdk(source: Path) -> Package:
    """Read the official SDK from its wheel, or from a folder that one was unpacked into."""
    package = Package(read_package(source, PACKAGE))
    for name in (f"{PACKAGE}._version", f"{PACKAGE}._client", f"{PACKAGE}.types"):
        if package.module(name) is None:
            raise ConfigurationError(f"{source}: no wheel or folder of the official SDK: no module {name} in it")
    return package
