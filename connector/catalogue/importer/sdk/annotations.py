"""Types as the SDK's annotations name them, read from syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from connector.catalogue.importer.sdk.modules import External, Module, Package, Symbol
from connector.catalogue.importer.sdk.type_values import (
    MARKS,
    NONE,
    Applied,
    Choice,
    Field,
    Marked,
    Named,
    Plain,
    Type,
    Unknown,
    Values,
    Variable,
)

__all__ = ["Annotations"]


class Annotations:
    """Reads annotations and classes of one release of the SDK."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._read: dict[tuple[str, str], Type] = {}
        self._fields: dict[Named, dict[str, Field]] = {}

    def read(self, node: ast.expr | None, module: Module) -> Type:
        """Return the type that an annotation in a module names."""
        match node:
            case None | ast.Constant(value=None):
                return NONE
            case ast.Constant(value=str() as text):
                return self._read_text(text, module)
            case ast.Name() | ast.Attribute():
                return self._read_name(node, module)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return _make_choice([self.read(left, module), self.read(right, module)])
            case ast.Subscript():
                return self._read_generic(node, module)
            case _:
                return Unknown(ast.unparse(node))

    def named(self, module: Module, name: str) -> Type:
        """Return the type that a name stands for in a module."""
        found = self.package.find(module, name)
        if isinstance(found, External):
            return Plain(found.name.rpartition(".")[2])
        if isinstance(found, Symbol):
            return self._read_symbol(found)
        return Unknown(f"{module.name}.{name}") if found else Plain(name)

    def _read_text(self, text: str, module: Module) -> Type:
        try:
            return self.read(ast.parse(text, mode="eval").body, module)
        except SyntaxError:
            return Unknown(text)

    def _read_name(self, node: ast.Name | ast.Attribute, module: Module) -> Type:
        if isinstance(node, ast.Name):
            return self.named(module, node.id)
        owner = node.value
        found = self.package.find(module, owner.id) if isinstance(owner, ast.Name) else None
        if isinstance(found, Module):
            return self.named(found, node.attr)
        return Plain(node.attr)

    def _read_symbol(self, symbol: Symbol) -> Type:
        key = (symbol.module.name, symbol.name)
        if isinstance(symbol.node, ast.ClassDef):
            return Named(*key)
        if key not in self._read:
            self._read[key] = Unknown(".".join(key))  # an alias that names itself ends here
            self._read[key] = self._read_alias(symbol.node, symbol)
        return self._read[key]

    def _read_alias(self, node: ast.expr, symbol: Symbol) -> Type:
        if not isinstance(node, ast.Call):
            return self.read(node, symbol.module)
        called = ast.unparse(node.func).rpartition(".")[2]
        if called == "TypedDict":
            return Named(symbol.module.name, symbol.name)
        if called == "TypeVar":
            bound = next((each.value for each in node.keywords if each.arg == "bound"), None)
            return Variable(self.read(bound, symbol.module) if bound else None)
        if called == "type":
            return NONE
        return Unknown(ast.unparse(node))

    def _read_generic(self, node: ast.Subscript, module: Module) -> Type:
        origin = self.read(node.value, module)
        inner: Sequence[ast.expr] = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = origin.name if isinstance(origin, Plain) else ""
        if name == "Literal":
            return Values(tuple(dict.fromkeys(self._values(inner, module))))
        if name in MARKS:
            return Marked(name, self.read(inner[0], module), _find_alias(inner[1:]))
        arguments = [self.read(each, module) for each in inner]
        if name == "Union":
            return _make_choice(arguments)
        if name == "Optional":
            return _make_choice([*arguments, NONE])
        return Applied(origin, tuple(arguments))

    def _values(self, nodes: Sequence[ast.expr], module: Module) -> Iterator[Any]:
        for node in nodes:
            if isinstance(node, ast.Constant):
                yield node.value
            elif isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
                yield ast.literal_eval(node)
            elif isinstance(inner := self.read(node, module), Values):
                yield from inner.values

    def definition(self, kind: Type) -> Symbol | None:
        """Return the statement that defines a class."""
        module = self.package.module(kind.module) if isinstance(kind, Named) else None
        found = self.package.find(module, kind.name) if module and isinstance(kind, Named) else None
        return found if isinstance(found, Symbol) else None

    def bases(self, kind: Type) -> list[Type]:
        found = self.definition(kind)
        if found is None or not isinstance(found.node, ast.ClassDef):
            return []
        return [self.read(base, found.module) for base in found.node.bases]

    def line(self, kind: Type) -> Iterator[Named]:
        """Yield a class of the SDK and the classes that it inherits from, nearest first."""
        kind = kind.origin if isinstance(kind, Applied) else kind
        if isinstance(kind, Named):
            yield kind
            for base in self.bases(kind):
                yield from self.line(base)

    def is_typed_dict(self, kind: Type) -> bool:
        return self._has_base(kind, "TypedDict")

    def is_model(self, kind: Type) -> bool:
        return self._has_base(kind, "BaseModel")

    def _has_base(self, kind: Type, name: str) -> bool:
        if not isinstance(kind, Named):
            return False
        if kind.name == name:
            return True
        found = self.definition(kind)
        if found is not None and isinstance(found.node, ast.Call):
            return name == "TypedDict"
        bases = (base.origin if isinstance(base, Applied) else base for base in self.bases(kind))
        return any((isinstance(base, Plain) and base.name == name) or self._has_base(base, name) for base in bases)

    def fields(self, kind: Named) -> dict[str, Field]:
        """Return the fields of a TypedDict or model, with those of its bases first."""
        if kind not in self._fields:
            self._fields[kind] = {}
            found = self.definition(kind)
            if found is not None and isinstance(found.node, ast.Call):
                self._fields[kind] = self._read_call(found.node, found.module)
            elif found is not None and isinstance(found.node, ast.ClassDef):
                self._fields[kind] = self._read_class(kind, found.node, found.module)
        return self._fields[kind]

    def _read_call(self, node: ast.Call, module: Module) -> dict[str, Field]:
        total = _is_total(node.keywords)
        named = node.args[1] if len(node.args) > 1 else None
        pairs = zip(named.keys, named.values, strict=True) if isinstance(named, ast.Dict) else ()
        return {
            str(key.value): _make_typed_field(str(key.value), self.read(value, module), total=total)
            for key, value in pairs
            if isinstance(key, ast.Constant)
        }

    def _read_class(self, kind: Named, node: ast.ClassDef, module: Module) -> dict[str, Field]:
        typed, total = self.is_typed_dict(kind), _is_total(node.keywords)
        found: dict[str, Field] = {}
        for base in reversed(self.bases(kind)) if not typed else self.bases(kind):
            origin = base.origin if isinstance(base, Applied) else base
            if isinstance(origin, Named):
                found |= self.fields(origin)
        for each in _list_annotations(node.body):
            assert isinstance(each.target, ast.Name)  # noqa: S101 - narrows the type; _list_annotations yields no others
            name = each.target.id
            if typed:
                found.setdefault(name, _make_typed_field(name, self.read(each.annotation, module), total=total))
            elif not name.startswith("_") and name != "model_config" and "ClassVar" not in ast.unparse(each.annotation):
                found[name] = _make_model_field(name, self.read(each.annotation, module), each.value)
        return found


def _list_annotations(body: Sequence[ast.stmt]) -> Iterator[ast.AnnAssign]:
    """Yield the annotated names of a class, without those that only type checkers see."""
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node
        elif isinstance(node, ast.If):
            yield from _list_annotations(node.orelse)


def _is_total(keywords: Sequence[ast.keyword]) -> bool:
    return not any(
        each.arg == "total" and isinstance(each.value, ast.Constant) and each.value.value is False for each in keywords
    )


def _make_typed_field(name: str, kind: Type, *, total: bool) -> Field:
    """Return a TypedDict's field; Required and NotRequired win over the class's totality."""
    required, alias, inner, said = total, None, kind, False
    while isinstance(inner, Marked):
        if inner.mark in ("Required", "NotRequired") and not said:
            required, said = inner.mark == "Required", True
        alias = alias or inner.alias
        inner = inner.inner
    return Field(kind, required, alias or name)


def _make_model_field(name: str, kind: Type, value: ast.expr | None) -> Field:
    if not isinstance(value, ast.Call):
        required = value is None or (isinstance(value, ast.Constant) and value.value is ...)
        return Field(kind, required, name)
    given = {each.arg: each.value for each in value.keywords}
    alias = given.get("alias")
    required = not ({"default", "default_factory"} & given.keys() or value.args)
    return Field(kind, required, str(alias.value) if isinstance(alias, ast.Constant) else name)


def _find_alias(marks: Sequence[ast.expr]) -> str | None:
    for mark in marks:
        for each in mark.keywords if isinstance(mark, ast.Call) else ():
            if each.arg == "alias" and isinstance(each.value, ast.Constant) and each.value.value:
                return str(each.value.value)
    return None


def _make_choice(kinds: Sequence[Type]) -> Type:
    """Return a union as Python makes it: nested ones opened, no doubles, one member by itself."""
    flat = [member for kind in kinds for member in (kind.members if isinstance(kind, Choice) else (kind,))]
    members = tuple(dict.fromkeys(flat))
    return members[0] if len(members) == 1 else Choice(members)
