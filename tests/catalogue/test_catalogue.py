"""Look-up, matching and schemas, in a small catalogue and in the committed one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalogue import Catalogue, Operation
from connector.catalogue.index import format_index
from connector.errors import ConfigurationError, UnknownName
from connector.model import Effect

GOLDEN = Path(__file__).parent / "golden"
CATALOGUE = Catalogue.open()
OPERATIONS = CATALOGUE.operations()


@pytest.fixture
def telescope(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN / "telescope", tmp_path / "telescope")
    return tmp_path / "telescope"


class TestFind:
    @pytest.mark.parametrize(
        "name",
        [
            "chat completions create", "chat-completions create", "chat.completions.create",
            "client.chat.completions.create",
            "createChatCompletion", "CreateChatCompletion", "chatCompletions.create", "CHAT_COMPLETIONS_CREATE",
            "POST /chat/completions", "post /v1/chat/completions", "chat completions post", "chat completions new",
        ],
    )  # fmt: skip
    def test_an_operation_has_many_names(self, name: str) -> None:
        assert CATALOGUE.find(name).wire_name == "POST /chat/completions"

    @pytest.mark.parametrize(
        ("entity", "action", "wire_name"),
        [
            ("chat completions", "create", "POST /chat/completions"),
            ("batches", "cancel", "POST /batches/{batch_id}/cancel"),
            ("batch cancellations", "create", "POST /batches/{batch_id}/cancel"),
            ("files", "get", "GET /files/{file_id}"),
            ("files", "remove", "DELETE /files/{file_id}"),
            ("Fine_Tuning.Jobs", "resume", "POST /fine_tuning/jobs/{fine_tuning_job_id}/resume"),
            ("fine-tuning graders", "run", "POST /fine_tuning/alpha/graders/run"),
            ("threads", "create_and_run", "POST /threads/runs"),
            ("organization data retention", "update", "POST /organization/data_retention"),
        ],
    )
    def test_entity_and_action(self, entity: str, action: str, wire_name: str) -> None:
        assert CATALOGUE.find(entity, action).wire_name == wire_name

    @pytest.mark.parametrize(
        ("name", "wire_name"),
        [
            ("models", "GET /models"),
            ("embeddings", "POST /embeddings"),
            ("embeddings usage", "GET /organization/usage/embeddings"),
            ("file content", "GET /files/{file_id}/content"),
        ],
    )
    def test_an_entity_alone_means_its_list_or_its_only_action(self, name: str, wire_name: str) -> None:
        assert CATALOGUE.find(name).wire_name == wire_name

    def test_a_path_with_a_fixed_query_is_not_the_plain_one(self) -> None:
        assert CATALOGUE.find("POST /responses").name == "responses create"
        assert CATALOGUE.find("POST /responses?beta=true").name == "beta responses create"

    def test_the_path_that_the_document_has_wrong_is_found_as_well(self) -> None:
        cancelled = CATALOGUE.find("POST /evals/{eval_id}/runs/{run_id}")
        assert cancelled is CATALOGUE.find("eval runs", "cancel") is CATALOGUE.find("evals.runs.cancel")
        assert cancelled.wire_name == "POST /evals/{eval_id}/runs/{run_id}/cancel"

    @pytest.mark.parametrize(
        ("name", "action", "message"),
        [
            ("chat completion", None, r"unknown entity 'chat completion'; did you mean 'chat completions' or"),
            ("chat completons create", None, r"did you mean 'chat completions create'"),
            ("createChatCompletionz", None, r"did you mean 'chat completions create'"),
            (
                "batches",
                "cancl",
                r"unknown action 'cancl'; did you mean 'cancel'\?; batches has list, retrieve, create, cancel",
            ),
            ("batches cancl", None, r"unknown action 'cancl'"),
            (
                "responses",
                None,
                r"unknown operation 'responses'; it has retrieve, create, delete, cancel, compact, input_tokens; name",
            ),
            ("filez", "list", r"unknown entity 'filez'; did you mean 'files'"),
            ("POST /flies", None, r"unknown operation 'POST /flies'; did you mean 'POST /files'"),
            ("xyzzyplugh", None, r"unknown entity 'xyzzyplugh'; `entities list` shows all"),
        ],
    )
    def test_what_nobody_declared_gets_suggestions(self, name: str, action: str | None, message: str) -> None:
        with pytest.raises(UnknownName, match=message):
            CATALOGUE.find(name, action)

    @given(
        st.sampled_from(OPERATIONS),
        st.sampled_from([" ", "-", ".", "_", "/", "  ", ""]),
        st.sampled_from([str.lower, str.upper, str.title]),
    )
    def test_every_spelling_of_every_name(self, operation: Operation, separator: str, case: type) -> None:
        spelt = case(separator.join(operation.entity.replace("-", " ").split()))
        assert CATALOGUE.find(spelt, case(operation.action)) is operation
        assert CATALOGUE.find(f"{spelt}{separator}{case(operation.action)}") is operation

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.wire_name)
    def test_every_operation_by_all_its_names(self, operation: Operation) -> None:
        assert CATALOGUE.find(operation.wire_name) is operation
        if operation.verb and operation.on:
            assert CATALOGUE.find(operation.on, operation.verb) is operation
        for alias in operation.aliases:
            assert CATALOGUE.find(alias) is operation


class TestMatch:
    @pytest.mark.parametrize(
        ("method", "path", "name", "values"),
        [
            ("GET", "/files/file-1", "files retrieve", {"file_id": "file-1"}),
            ("get", "/v1/files/file-1/content", "file content retrieve", {"file_id": "file-1"}),
            ("POST", "/responses/compact", "response compactions create", {}),
            ("POST", "/responses/compact?beta=true", "beta response compactions create", {}),
            ("GET", "/responses/r?beta=true&include[]=x", "beta responses retrieve", {"response_id": "r"}),
            ("GET", "/responses/r?include[]=x", "responses retrieve", {"response_id": "r"}),
            ("DELETE", "/models/ft:gpt%2Fx:acme", "models delete", {"model": "ft:gpt/x:acme"}),
            ("GET", "/v1/models", "models list", {}),
        ],
    )
    def test_a_concrete_path(self, method: str, path: str, name: str, values: dict[str, str]) -> None:
        found = CATALOGUE.match(method, path)
        assert found is not None
        assert (found[0].name, found[1]) == (name, values)

    @pytest.mark.parametrize("path", ["/nowhere", "/files//content", "/files/", "files", "", "/v1", "/files/a/b/c/d"])
    def test_a_path_of_nobody(self, path: str) -> None:
        assert CATALOGUE.match("GET", path) is None

    def test_a_method_the_path_does_not_have(self) -> None:
        assert CATALOGUE.match("PUT", "/files") is None

    @given(st.sampled_from(OPERATIONS), st.data())
    def test_every_template_with_values(self, operation: Operation, data: st.DataObject) -> None:
        word = st.text("abcdef0123456789-_:", min_size=8, max_size=20)
        values = {name: data.draw(word, name) for name in operation.parameters}
        path = operation.template.format(**values)
        fixed = "&".join(f"{name}={value}" for name, value in operation.fixed_query.items())
        assert CATALOGUE.match(operation.method, f"{path}?{fixed}") == (operation, values)


class TestSchemas:
    def test_a_payload_schema_stands_alone(self) -> None:
        schema = CATALOGUE.payload_schema(CATALOGUE.find("embeddings create"))
        assert schema is not None
        verdict = jsonschema_rs.validator_for(schema).is_valid
        assert verdict({"model": "text-embedding-9", "input": "hello"})
        assert not verdict({"model": "text-embedding-9"})
        assert not verdict({"model": "text-embedding-9", "input": 1})

    def test_it_holds_only_what_it_reaches_and_is_read_once(self) -> None:
        catalogue = Catalogue.open()
        operation = catalogue.find("files create")
        schema = catalogue.payload_schema(operation)
        assert schema is not None
        assert sorted(schema["$defs"]) == ["CreateFileRequest", "FileExpirationAfter"]
        assert catalogue.payload_schema(operation) is schema

    def test_another_kind_of_body_may_have_another_payload(self) -> None:
        operation = CATALOGUE.find("image edits create")
        assert operation.body == ("multipart", "json")
        multipart, as_json = CATALOGUE.payload_schema(operation), CATALOGUE.payload_schema(operation, "json")
        assert multipart is not None
        assert as_json is not None
        assert (multipart["$ref"], as_json["$ref"]) == (
            "#/$defs/CreateImageEditRequest",
            "#/$defs/EditImageBodyJsonParam",
        )
        assert CATALOGUE.payload_schema(operation, "multipart") == multipart

    def test_what_has_none_has_none(self) -> None:
        assert CATALOGUE.payload_schema(CATALOGUE.find("models")) is None
        assert CATALOGUE.answer_schema(CATALOGUE.find("file content")) is None
        assert CATALOGUE.answer_schema(CATALOGUE.find("models"), "events") is None

    def test_query_and_path_schemas(self) -> None:
        query = CATALOGUE.query_schema(CATALOGUE.find("costs"))
        verdict = jsonschema_rs.validator_for(query).is_valid
        assert verdict({"start_time": 1, "bucket_width": "1d"})
        assert not verdict({"bucket_width": "1d"})
        assert not verdict({"start_time": 1, "unknown": 2})
        assert CATALOGUE.path_schema(CATALOGUE.find("files retrieve"))["properties"] == {"file_id": {"type": "string"}}

    def test_a_query_may_refer_to_definitions(self, telescope: Path) -> None:
        schema = Catalogue.open(telescope).query_schema(Catalogue.open(telescope).find("observations"))
        verdict = jsonschema_rs.validator_for(schema).is_valid
        assert verdict({"filter": {"and": ["a", {"and": []}]}})
        assert not verdict({"filter": {"and": [{"and": [1]}]}})

    def test_a_definition_file_laid_out_anew_reads_the_same(self, telescope: Path) -> None:
        catalogue = Catalogue.open(telescope)
        wanted = catalogue.definitions()
        for file in (telescope / "schemas").glob("*.json"):
            file.write_text(json.dumps(json.loads(file.read_bytes()), indent=2))
        assert Catalogue.open(telescope).definitions() == wanted

    @pytest.mark.parametrize(
        ("text", "message"), [("{}", "no definition 'Schedule' in"), ("{,}", "schemas/observations.json: not JSON")]
    )
    def test_a_definition_file_that_cannot_serve_is_named(self, telescope: Path, text: str, message: str) -> None:
        (telescope / "schemas" / "observations.json").write_text(text)
        catalogue = Catalogue.open(telescope)
        with pytest.raises(ConfigurationError, match=message):
            catalogue.answer_schema(catalogue.find("observation schedule"))


class TestIndex:
    def test_the_committed_index_is_as_the_area_files_are(self) -> None:
        assert (CATALOGUE.folder / "index.json").read_bytes() == format_index(CATALOGUE.folder)

    def test_an_edit_by_hand_is_noticed_and_counts(self, telescope: Path) -> None:
        area = telescope / "plates.yaml"
        area.write_text(area.read_text().replace("/plates", "/glass-plates"))
        with pytest.warns(UserWarning, match=r"index.json is older than the area files beside it"):
            catalogue = Catalogue.open(telescope)
        assert catalogue.find("plates").template == "/glass-plates"

    @pytest.mark.parametrize("text", [None, "", "{", "[]", '{"format": 0}'])
    def test_a_lost_or_broken_index_is_made_anew(self, telescope: Path, text: str | None) -> None:
        index = telescope / "index.json"
        index.unlink() if text is None else index.write_text(text)
        with pytest.warns(UserWarning, match="made anew in memory"):
            assert Catalogue.open(telescope).find("plates").removed == "1999-12-31"

    def test_a_mistake_by_hand_is_named(self, telescope: Path) -> None:
        area = telescope / "plates.yaml"
        area.write_text(area.read_text().replace("key: admin", "keys: admin"))
        with pytest.raises(
            ConfigurationError, match=r"plates.yaml: plates: list: unknown key 'keys'; an entry has one of"
        ):
            Catalogue.open(telescope)

    def test_a_folder_without_a_catalogue_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="no catalogue here"):
            Catalogue.open(tmp_path)

    def test_opening_and_finding_imports_nothing_heavy(self) -> None:
        heavy = "httpx aiohttp pydantic ruamel jsonschema rich typer fsspec difflib"
        script = (
            "import sys; from connector.catalogue import Catalogue; c = Catalogue.open(); "
            "c.payload_schema(c.find('responses create')); "
            f"print([name for name in {heavy.split()} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_facts_of_an_operation() -> None:
    operation = CATALOGUE.find("files create")
    assert (operation.body, operation.payload, operation.payload_required) == (
        ("multipart",),
        "CreateFileRequest",
        True,
    )
    assert (operation.effect, dict(operation.reconcile)) == (Effect.RECONCILABLE, {"list": "files", "by": "filename"})
    assert (operation.key, operation.beta, operation.pages, operation.removed) == ("project", None, None, None)
    assert operation.answer == {"json": "OpenAIFile"}


def test_entities_are_listed_once() -> None:
    entities = CATALOGUE.entities()
    assert len(set(entities)) == len(entities)
    assert {"chat completions", "batch cancellations", "beta responses", "edits"} <= set(entities)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("Create a response", "responses create"),
        ("Get file", "files retrieve"),
        ("Get vector store by ID", "vector stores retrieve"),
        ("Cancel batch", "batch cancellations create"),
        ("Remove the file", "files delete"),
        ("Create an image edit", "image edits create"),
    ],
)
def test_a_form_s_name_begins_with_what_is_done(name: str, operation: str) -> None:
    catalogue = Catalogue.open()
    assert catalogue.find(name).name == operation
    assert catalogue.find(name, use="write").name == operation


@pytest.mark.parametrize(
    ("word", "operation"),
    [
        ("Chat", "chat completions create"),
        ("Moderation", "moderations create"),
        ("Embedding", "embeddings create"),
        ("images", "image generations create"),
        ("Speech", "audio speech create"),
        ("message", "thread messages create"),
    ],
)
def test_one_word_is_answered_with_the_operations_to_use(word: str, operation: str) -> None:
    catalogue = Catalogue.open()
    with pytest.raises(UnknownName) as unknown:
        catalogue.find(word)
    assert operation in unknown.value.suggestions
    assert all(catalogue.find(one) for one in unknown.value.suggestions)
