"""Types become schemas: small types of our own, no SDK."""

# ruff: noqa: PYI030, PYI051, UP006, UP007, UP035, UP045 (types are spelled in all the ways the SDK spells them)

from __future__ import annotations

from datetime import date, datetime
from os import PathLike
from typing import IO, Annotated, Any, Dict, Iterable, List, Literal, Mapping, Optional, Tuple, Union

import jsonschema_rs
import pytest
from pydantic import BaseModel, Field
from typing_extensions import Required, TypedDict

from tools.sdk.schemas import Translator, any_of, fields_of, wire_name

File = Union[IO[bytes], bytes, PathLike, Tuple[Optional[str], bytes]]


class Alias:
    def __init__(self, alias: str | None = None) -> None:
        self.alias = alias


class Point(TypedDict, total=False):
    x: Required[int]
    y: int


class Named(Point, total=False):
    label: Required[Annotated[str, Alias("Label-Name")]]


class Tree(TypedDict, total=False):
    children: Iterable[Tree]
    model: Required[Union[Literal["a", "b"], None]]


class Reply(BaseModel):
    id: str
    at: Optional[datetime] = None
    kind: Literal["reply"] = Field(alias="Kind")


Shape = Union[Point, Tree]


@pytest.fixture
def translator() -> Translator:
    return Translator(lambda kind: "Shape" if kind == Shape else kind.__name__, {Shape})


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (float, {"type": "number"}),
        (date, {"type": "string", "format": "date"}),
        (object, {}),
        (Any, {}),
        (Optional[int], {"type": ["integer", "null"]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Optional[Literal["a"]], {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}),
        (Union[str, Literal["gpt"]], {"type": "string"}),
        (Union[Literal["a"], Literal["b"]], {"type": "string", "enum": ["a", "b"]}),
        (List[int], {"type": "array", "items": {"type": "integer"}}),
        (Iterable[str], {"type": "array", "items": {"type": "string"}}),
        (Dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Mapping[str, object], {"type": "object"}),
        (File, {"type": "string", "format": "binary"}),
        (Annotated[int, Alias()], {"type": "integer"}),
    ],
)
def test_a_type_becomes_its_schema(translator: Translator, kind: Any, schema: Any) -> None:
    assert translator.schema(kind) == schema


def test_one_file_or_several_are_two_branches(translator: Translator) -> None:
    binary = {"type": "string", "format": "binary"}
    assert translator.schema(Union[File, List[File]]) == {"anyOf": [binary, {"type": "array", "items": binary}]}


def test_required_holds_over_bases_and_aliases_name_the_wire(translator: Translator) -> None:
    assert translator.schema(Named) == {"$ref": "#/components/schemas/Named"}
    named = translator.definitions["Named"]
    assert sorted(named["properties"]) == ["Label-Name", "x", "y"]
    assert sorted(named["required"]) == ["Label-Name", "x"]
    assert wire_name("label", fields_of(Named)["label"][0]) == "Label-Name"


def test_only_the_fields_that_are_asked_for_are_translated(translator: Translator) -> None:
    only = translator.object(Point, lambda name: name == "y")
    assert only == {"type": "object", "properties": {"y": {"type": "integer"}}}


def test_recursive_types_end_and_a_model_is_never_a_closed_list(translator: Translator) -> None:
    translator.schema(Tree)
    tree = translator.definitions["Tree"]
    assert tree["properties"]["children"] == {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    assert tree["properties"]["model"] == {"type": ["string", "null"]}


def test_a_model_gives_names_types_and_what_is_required(translator: Translator) -> None:
    translator.schema(Reply)
    at = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    kind = {"type": "string", "enum": ["reply"]}
    assert translator.definitions["Reply"] == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "at": at, "Kind": kind},
        "required": ["id", "Kind"],
    }


def test_a_named_union_is_a_definition_also_when_null_joins_it(translator: Translator) -> None:
    shape = {"$ref": "#/components/schemas/Shape"}
    assert translator.schema(Shape) == shape
    assert translator.schema(Optional[Shape]) == {"anyOf": [shape, {"type": "null"}]}
    assert [r["$ref"][21:] for r in translator.definitions["Shape"]["anyOf"]] == ["Point", "Tree"]


def test_what_no_rule_covers_is_an_error_that_says_where_to_add_it(translator: Translator) -> None:
    with pytest.raises(TypeError, match=r"complex.*schemas"):
        translator.schema(complex)


def test_a_branch_that_allows_everything_is_the_whole_union() -> None:
    assert any_of([{"type": "string"}, {}]) == {}


def test_definitions_compile_and_judge(translator: Translator) -> None:
    translator.schema(Shape)
    definitions = {n: _local(s) for n, s in translator.definitions.items()}
    judge = jsonschema_rs.Draft202012Validator({"$ref": "#/$defs/Shape", "$defs": definitions})
    assert judge.is_valid({"model": None, "children": [{"model": "new"}]})
    assert not judge.is_valid({"y": 1})


def _local(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v.replace("components/schemas", "$defs") if k == "$ref" else _local(v) for k, v in value.items()}
    return [_local(v) for v in value] if isinstance(value, list) else value
