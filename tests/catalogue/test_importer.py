"""A whole import, byte for byte, against golden folders; and what it refuses."""

import json
import shutil
from pathlib import Path

import pytest

from connector.catalogue import Catalogue
from connector.catalogue.importer import import_document
from connector.catalogue.importer.document import follow, format_document, read_document
from connector.catalogue.importer.drift import find_drift
from connector.errors import ConfigurationError, UnknownName

HERE = Path(__file__).parent
DOCUMENTS = HERE / "documents"
CASES = {"library": ("library.yaml", None), "telescope": ("telescope.json", "telescope-overlays")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def made(name: str, into: Path) -> Path:
    document, overlays = CASES[name]
    import_document(DOCUMENTS / document, into, DOCUMENTS / overlays if overlays else None)
    return into


@pytest.mark.parametrize("name", CASES)
def test_an_import_reproduces_the_golden_folder_byte_for_byte(name: str, tmp_path: Path) -> None:
    assert contents(made(name, tmp_path)) == contents(HERE / "golden" / name)


@pytest.mark.parametrize("name", CASES)
def test_a_second_import_into_the_same_folder_changes_nothing(name: str, tmp_path: Path) -> None:
    first = contents(made(name, tmp_path))
    import_document(DOCUMENTS / CASES[name][0], tmp_path)
    assert contents(tmp_path) == first


def test_the_same_document_as_yaml_and_as_json_gives_the_same_catalogue(tmp_path: Path) -> None:
    document = read_document(DOCUMENTS / "library.yaml")
    (tmp_path / "library.json").write_text(json.dumps(document))
    import_document(tmp_path / "library.json", tmp_path / "out")
    found, golden = contents(tmp_path / "out"), contents(HERE / "golden" / "library")
    assert found.pop("document.json") != golden.pop("document.json")  # JSON cannot hold one integer of the YAML
    assert found == golden


@pytest.mark.parametrize("name", CASES)
def test_a_catalogue_can_be_made_anew_from_the_document_it_carries(name: str, tmp_path: Path) -> None:
    made(name, tmp_path)
    first = contents(tmp_path)
    import_document(tmp_path / "document.json", tmp_path)
    again = contents(tmp_path)
    assert first.pop("document.json")
    assert again.pop("document.json")
    assert again == first


def test_a_document_is_carried_without_its_prose_and_with_whatever_is_named_like_it() -> None:
    kept = {"properties": {"description": {"type": "string"}}, "default": {"description": "value"}}
    written = {**kept, "description": "prose", "example": {"description": "x"}}
    found = format_document(
        {"paths": {"/summary": {"summary": "prose"}}, "components": {"schemas": {"example": written}}}
    )
    assert json.loads(found) == {"paths": {"/summary": {}}, "components": {"schemas": {"example": kept}}}


def test_files_of_areas_that_are_no_more_are_removed(tmp_path: Path) -> None:
    made("library", tmp_path)
    for stale in ("gone.yaml", "schemas/gone.json"):
        (tmp_path / stale).write_text("{}")
    assert contents(made("library", tmp_path)) == contents(HERE / "golden" / "library")


def test_overlays_that_fit_nothing_or_contradict_are_noted() -> None:
    from connector.catalogue.importer.build import build

    built = build(DOCUMENTS / "telescope.json", DOCUMENTS / "telescope-overlays")
    assert built.notices == (
        "overlays/more.yaml: x-additions: /paths/~1observations/get: 'page' is in the document by now, and says"
        " otherwise there; the document's counts: take it out, or give it another name",
        "overlays/more.yaml: x-additions: /components/schemas/Comet is not in the document",
        "overlays: aliases: no operation is POST /nowhere",
        "overlays: operations: no operation is DELETE /nowhere",
    )
    assert str(built).startswith("13 operations of 9 entities in 4 areas\nnote: ")


def test_overlays_for_another_address_do_not_apply(tmp_path: Path) -> None:
    document = json.loads((DOCUMENTS / "telescope.json").read_bytes())
    document["servers"] = [{"url": "https://other.example"}]
    (tmp_path / "other.json").write_text(json.dumps(document))
    built = import_document(tmp_path / "other.json", tmp_path / "out", DOCUMENTS / "telescope-overlays")
    assert built.overlays.files == []
    assert not (tmp_path / "out" / "overlays").exists()
    catalogue = Catalogue.open(tmp_path / "out")
    assert catalogue.find("observatory domes").key == "project"
    with pytest.raises(UnknownName, match="unknown entity 'plates'"):
        catalogue.find("plates")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("swagger: '2.0'", "no openapi version; an OpenAPI 3.0 or 3.1 document is needed"),
        ("openapi: 4.0.0", "openapi: 4.0.0; an OpenAPI 3.0 or 3.1 document is needed"),
        ("{not json", "not JSON"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "line 2, column 1: a: given twice"),
    ],
)
def test_what_is_no_openapi_document_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "document").write_text(text)
    with pytest.raises(ConfigurationError, match=message) as refused:
        read_document(tmp_path / "document")
    assert str(tmp_path / "document") in str(refused.value)


def test_a_document_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.json: cannot be read"):
        read_document(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("other.yaml#/X", "leads outside the document"),
        ("#/components/schemas/None", "points at nothing"),
        ("#/loop", "leads back to itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        follow({"loop": {"$ref": "#/loop"}, "components": {"schemas": {}}}, {"$ref": reference})


def test_references_may_hold_escapes_and_places_in_lists() -> None:
    document = {"paths": {"/a/{b}": {"get": {"parameters": [{"name": "x"}]}}}}
    assert follow(document, {"$ref": "#/paths/~1a~1%7Bb%7D/get/parameters/0"}) == {"name": "x"}


def test_a_misspelt_section_of_an_overlay_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("operation: {}")
    with pytest.raises(
        ConfigurationError, match=r"mine.yaml: unknown section 'operation'; an overlay has .*operations"
    ):
        import_document(DOCUMENTS / "library.yaml", tmp_path / "out", tmp_path)


def test_one_alias_in_two_overlays_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("aliases: {lend: POST /loans}")
    with pytest.raises(ConfigurationError, match=r"b.yaml: aliases: 'lend' stands in another file too"):
        import_document(DOCUMENTS / "library.yaml", tmp_path / "out", tmp_path)


class TestDrift:
    def catalogue(self, tmp_path: Path) -> Catalogue:
        shutil.copytree(HERE / "golden" / "telescope", tmp_path / "catalogue")
        return Catalogue.open(tmp_path / "catalogue")

    def changed(self, tmp_path: Path) -> Path:
        document = json.loads((DOCUMENTS / "telescope.json").read_bytes())
        schemas, paths = document["components"]["schemas"], document["paths"]
        del paths["/observatory/domes"]
        paths["/stars"] = {"get": {"responses": {"200": {}}}}
        paths["/observations"]["get"]["parameters"][0]["schema"] = {"type": "integer"}
        paths["/observations"]["get"]["parameters"].append({"name": "since", "in": "query", "schema": {}})
        paths["/observations/{observation_id}"]["get"]["parameters"] = []
        paths["/observations/{observation_id}"]["delete"]["deprecated"] = True
        schemas["ObservationEvent"]["properties"]["type"]["enum"] = ["observation.done", "observation.lost"]
        schemas["Observation"]["properties"]["seen"] = {"type": "boolean"}
        schemas["Observation"]["required"] = ["id"]
        schemas["Schedule"]["properties"]["nights"]["maximum"] = 9
        schemas["Filter"]["properties"]["and"]["items"]["oneOf"].append({"type": "null"})
        del schemas["ImageReference"]["properties"]["url"]
        (tmp_path / "changed.json").write_text(json.dumps(document))
        return tmp_path / "changed.json"

    def test_a_document_does_not_drift_from_its_own_catalogue(self, tmp_path: Path) -> None:
        report = find_drift(DOCUMENTS / "telescope.json", self.catalogue(tmp_path))
        assert not report
        assert report.lines() == []
        assert report.as_document() == {"added": [], "removed": [], "changed": []}

    def test_everything_that_differs_is_listed(self, tmp_path: Path) -> None:
        report = find_drift(self.changed(tmp_path), self.catalogue(tmp_path))
        assert report
        assert [" ".join(line.split()) for line in report.lines()] == [
            "changed operation DELETE /observations/{observation_id} deprecated: null became true",
            'changed schema GET /observations query page.type: "string" became "integer"',
            "added parameter GET /observations query since",
            "removed parameter GET /observations/{observation_id} query stream",
            'changed operation GET /observations/{observation_id} stream: "query" became null',
            "removed operation GET /observatory/domes (big domes list)",
            "added operation GET /stars (stars retrieve)",
            'added branch Filter.and[].anyOf: {"type":"null"}',
            "removed field ImageReference.url",
            "removed definition ListDomesResponse",
            "added field Observation.seen",
            'added required Observation: "id"',
            'added value ObservationEvent.type: "observation.lost"',
            'removed value ObservationEvent.type: "observation.frame"',
            "changed schema Schedule.nights.maximum: 7 became 9",
        ]

    def test_the_report_is_json_by_kind(self, tmp_path: Path) -> None:
        report = find_drift(self.changed(tmp_path), self.catalogue(tmp_path)).as_document()
        assert {"what": "operation", "where": "GET /stars", "note": "stars retrieve"} in report["added"]
        assert {"what": "field", "where": "ImageReference.url"} in report["removed"]
        assert {"what": "schema", "where": "Schedule.nights.maximum", "from": 7, "to": 9} in report["changed"]
        assert json.loads(json.dumps(report)) == report


def test_a_document_without_operations_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("openapi: 3.1.0\npaths: {}")
    with pytest.raises(ConfigurationError, match=r"empty.yaml: no operations in it"):
        import_document(tmp_path / "empty.yaml", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_answer_that_an_overlay_calls_by_a_name_the_document_has_not_stays_without_schema(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("operations: {POST /loans: {answer: {json: Loan, events: LoanEvent}}}")
    built = import_document(DOCUMENTS / "library.yaml", tmp_path / "out", tmp_path)
    assert built.notices == ("overlays: loans create: no definition is LoanEvent",)
    assert Catalogue.open(tmp_path / "out").find("loans create").answer == {"json": "Loan", "events": None}


def test_a_patch_must_say_one_thing(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("x-relaxed: [{at: /paths, open: true, nullable: true}]")
    with pytest.raises(ConfigurationError, match=r"mine.yaml: x-relaxed: /paths: an entry has `at` and one of"):
        import_document(DOCUMENTS / "library.yaml", tmp_path / "out", tmp_path)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("[1]", "no operations in it"),
        (
            "{/a: {get: {parameters: [{name: x}]}}}",
            r"not a well-formed OpenAPI document \(KeyError: 'in'\)",
        ),
        (
            '{/a: {get: {responses: {200: {content: {"*/*": {schema: {$ref: "#/components/schemas/A"}}}}}}}}',
            "a reference leads to the schema 'A', which is not in the document",
        ),
    ],
)
def test_a_malformed_document_is_refused_by_name(paths: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(f"openapi: 3.1.0\npaths: {paths}")
    with pytest.raises(ConfigurationError, match=message) as refused:
        import_document(tmp_path / "odd.yaml", tmp_path / "out")
    assert str(refused.value).startswith(f"{tmp_path / 'odd.yaml'}: ")
