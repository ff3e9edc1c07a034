"""Types become schemas: small types of our own, in a package that is only read."""

from __future__ import annotations

import ast
from typing import Any

import jsonschema_rs
import pytest

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.modules import Package
from connector.catalogue.importer.sdk.schemas import Translator, any_of
from connector.catalogue.importer.sdk.type_values import Choice, Named

OWN = """
from __future__ import annotations

from os import PathLike
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any, Dict, Iterable, List, Literal, Mapping, Optional, Tuple, Union
from typing_extensions import Annotated, Required, TypedDict, TypeAlias

from .others import BaseModel, Field, Alias as PropertyInfo

raise RuntimeError("this module is never run")

if TYPE_CHECKING:
    File = int
else:
    File = Union[IO[bytes], bytes, PathLike, Tuple[Optional[str], bytes]]


class Point(TypedDict, total=False):
    x: Required[int]
    y: int


class Named(Point, total=False):
    label: Required[Annotated[str, PropertyInfo(alias="Label-Name")]]


_Reserved = TypedDict("_Reserved", {"in": Required[str], "from": str}, total=False)


class Reserved(_Reserved, total=False):
    to: str


class Tree(TypedDict, total=False):
    children: Iterable[Tree]
    model: Required[Union[Literal["a", "b"], None]]


class Reply(BaseModel):
    id: str
    at: Optional[datetime] = None
    kind: Literal["reply"] = Field(alias="Kind")
    _private: int = 1


Shape: TypeAlias = Union[Point, Tree]
Endless: TypeAlias = List["Endless"]
"""
FILES = {"openai/__init__.py": "", "openai/own.py": OWN, "openai/others.py": "from pydantic import BaseModel, Field\n"}
ANNOTATIONS = Annotations(Package(FILES))
MODULE = ANNOTATIONS.package.module("openai.own")


def kind_of(text: str) -> Any:
    assert MODULE is not None
    return ANNOTATIONS.read(ast.parse(text, mode="eval").body, MODULE)


def named(name: str) -> Named:
    return Named("openai.own", name)


SHAPE = kind_of("Shape")


@pytest.fixture
def translator() -> Translator:
    return Translator(ANNOTATIONS, lambda kind: "Shape" if isinstance(kind, Choice) else kind.name, {SHAPE})  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("str", {"type": "string"}),
        ("float", {"type": "number"}),
        ("date", {"type": "string", "format": "date"}),
        ("object", {}),
        ("Any", {}),
        ("Optional[int]", {"type": ["integer", "null"]}),
        ("int | None", {"type": ["integer", "null"]}),
        ("'int | None'", {"type": ["integer", "null"]}),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("Literal['a', 1]", {"enum": ["a", 1]}),
        ("Literal[-1]", {"type": "integer", "enum": [-1]}),
        ("Optional[Literal['a']]", {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}),
        ("Union[str, Literal['gpt']]", {"type": "string"}),
        ("Union[Literal['a'], Literal['b']]", {"type": "string", "enum": ["a", "b"]}),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}),
        ("Iterable[str]", {"type": "array", "items": {"type": "string"}}),
        ("Dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("Mapping[str, object]", {"type": "object"}),
        ("File", {"type": "string", "format": "binary"}),
        ("Annotated[int, PropertyInfo()]", {"type": "integer"}),
    ],
)
def test_a_type_becomes_its_schema(translator: Translator, kind: str, schema: Any) -> None:
    assert translator.schema(kind_of(kind)) == schema


def test_one_file_or_several_are_two_branches(translator: Translator) -> None:
    binary = {"type": "string", "format": "binary"}
    assert translator.schema(kind_of("Union[File, List[File]]")) == {
        "anyOf": [binary, {"type": "array", "items": binary}]
    }


def test_required_holds_over_bases_and_aliases_name_the_wire(translator: Translator) -> None:
    assert translator.schema(named("Named")) == {"$ref": "#/components/schemas/Named"}
    schema = translator.definitions["Named"]
    assert sorted(schema["properties"]) == ["Label-Name", "x", "y"]
    assert sorted(schema["required"]) == ["Label-Name", "x"]


def test_fields_with_reserved_names_are_inherited(translator: Translator) -> None:
    assert list(translator.object(named("Reserved"))["properties"]) == ["in", "from", "to"]
    assert translator.object(named("Reserved"))["required"] == ["in"]


def test_only_the_fields_that_are_asked_for_are_translated(translator: Translator) -> None:
    only = translator.object(named("Point"), lambda name: name == "y")
    assert only == {"type": "object", "properties": {"y": {"type": "integer"}}}


def test_recursive_types_end_and_a_model_is_never_a_closed_list(translator: Translator) -> None:
    translator.schema(named("Tree"))
    tree = translator.definitions["Tree"]
    assert tree["properties"]["children"] == {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    assert tree["properties"]["model"] == {"type": ["string", "null"]}
    assert translator.schema(kind_of("Endless")) == {"type": "array", "items": {}}


def test_a_model_gives_names_types_and_what_is_required(translator: Translator) -> None:
    translator.schema(named("Reply"))
    at = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    kind = {"type": "string", "enum": ["reply"]}
    assert translator.definitions["Reply"] == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "at": at, "Kind": kind},
        "required": ["id", "Kind"],
    }


def test_a_named_union_is_a_definition_also_when_null_joins_it(translator: Translator) -> None:
    shape = {"$ref": "#/components/schemas/Shape"}
    assert translator.schema(SHAPE) == shape
    assert translator.schema(kind_of("Optional[Union[Tree, Point]]")) == {"anyOf": [shape, {"type": "null"}]}
    assert [r["$ref"][21:] for r in translator.definitions["Shape"]["anyOf"]] == ["Point", "Tree"]


@pytest.mark.parametrize("kind", ["complex", "Nowhere[int]", "lambda: 1", "others.Missing[str]"])
def test_what_no_rule_covers_may_be_anything_and_is_noted(kind: str) -> None:
    notes: list[str] = []
    assert Translator(ANNOTATIONS, str, notes=notes).schema(kind_of(kind)) == {}
    assert len(notes) == 1


def test_a_branch_that_allows_everything_is_the_whole_union() -> None:
    assert any_of([{"type": "string"}, {}]) == {}


def test_definitions_compile_and_judge(translator: Translator) -> None:
    translator.schema(SHAPE)
    definitions = {n: _local(s) for n, s in translator.definitions.items()}
    judge = jsonschema_rs.Draft202012Validator({"$ref": "#/$defs/Shape", "$defs": definitions})
    assert judge.is_valid({"model": None, "children": [{"model": "new"}]})
    assert not judge.is_valid({"y": 1})


def _local(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v.replace("components/schemas", "$defs") if k == "$ref" else _local(v) for k, v in value.items()}
    return [_local(v) for v in value] if isinstance(value, list) else value
