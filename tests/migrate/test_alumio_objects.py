"""Exported objects: connections, clients, routes, schedules, storages, tests, and lines that are none of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.errors import ConfigurationError
from connector.migrate import import_alumio
from tests.migrate.kit import JSON, Imported, exported, use

Bring = Callable[..., Imported]
SHOP = exported("http-client", "shop", use("http-client", baseUri="https://shop.test/api"))


def params(**parameters: JSON) -> JSON:
    return {"parameters": parameters}


def reads(**parameters: JSON) -> JSON:
    request = {"uri": "/bikes?limit=5", "payload": [], "plugins": [], "payloadType": "data", "authentications": []}
    return use("http-subscriber", client="shop", request=request, **parameters)


def test_an_incoming_connection(bring: Bring) -> None:
    subscriber = reads(
        pagination=use("next", pattern="links.next", pageLimit=9),
        deserializer=use("json", pattern="data.items", readMethod="wholeFile"),
    )
    body = params(
        entityType="bike", subscriber=subscriber, transformers=["tidy", use("type-setter", entityType="bike")]
    )
    tidy = exported("list-transformer", "tidy", {"meta": [], **use("data", filters=[], transformers=[])})
    imported = bring(SHOP, exported("incoming-configuration", "bikes", body, description="All of them.\n\nEach."), tidy)
    assert imported.entry("incoming", "bikes") == {
        "description": "Bikes",
        "subscriber": {
            "prototype": "http",
            "parameters": {
                "client": "shop",
                "request": {"method": "GET", "path": "/bikes", "query": {"limit": "5"}},
                "items": "data.items",
                "paging": {"by": "next_link", "read": "links.next"},
            },
        },
        "chain": ["tidy", {"type-setter": "bike"}],
    }
    assert imported.text("incoming/bikes.yaml").startswith("# Bikes\n#\n# All of them.\n#\n# Each.\nincoming:\n")
    assert [line for line in imported.lines if "pageLimit" in line]
    imported.load()


def test_an_openai_client_subscriber_and_publisher(bring: Bring) -> None:
    client = exported(
        "http-client",
        "ai",
        use("openai-http-client", baseUri="https://eu.api.openai.com/v1", token="${KEY}", organization=""),
    )
    incoming = params(
        subscriber=use("openai-subscriber", client="ai", entity="files", request={"query": {"limit": 5}}),
        transformers=[],
    )
    outgoing = params(
        publisher=use("openai-publisher", client="ai", entity="chat completions", action="create"), transformers=[]
    )
    imported = bring(
        client, exported("incoming-configuration", "in", incoming), exported("outgoing-configuration", "out", outgoing)
    )
    assert imported.entry("clients", "ai")["parameters"] == {
        "base_uri": "https://eu.api.openai.com/v1",
        "token": "${KEY}",
    }
    assert imported.entry("incoming", "in")["subscriber"]["parameters"] == {
        "client": "ai",
        "entity": "files",
        "request": {"query": {"limit": 5}},
    }
    assert imported.entry("outgoing", "out")["publisher"] == {
        "prototype": "openai",
        "parameters": {"client": "ai", "entity": "chat completions", "action": "create"},
    }
    imported.load()


def test_other_clients_become_plain_ones(bring: Bring) -> None:
    login = use(
        "wheels-http-client-v2",
        baseUrl="${SHOP_URL}",
        username="${U}",
        password="{{secrets.SHOP_PW}}",
        key="",
        advanced=[],
    )
    token = use("shopify-http-client-v3", baseUri="${URL}", token="${T}")
    plain = params(
        ssl={"verify": True},
        proxy=[],
        authentications=[use("bearer", token="${B}")],
        plugins=[
            use("base-uri", uri={"parameters": "${HOME_URL}"}, config=[]),
            use("logger", formatter="full"),
            use("header-append", headers={"X-A": "1"}),
            use("rate-limit", perSecond=5),
        ],
    )
    imported = bring(
        exported("http-client", "login", login),
        exported("http-client", "token", token),
        exported("http-client", "plain", plain),
        exported("http-client", "nothing", []),
    )
    assert imported.entry("clients", "login")["parameters"] == {
        "base_uri": "${SHOP_URL}",
        "headers": {"Authorization": "Bearer ${LOGIN_TOKEN}"},
    }
    assert imported.entry("clients", "token")["parameters"]["headers"] == {"X-Shopify-Access-Token": "${T}"}
    assert imported.entry("clients", "plain")["parameters"] == {
        "base_uri": "${HOME_URL}",
        "headers": {"X-A": "1", "Authorization": "Bearer ${B}"},
        "logging": "full",
    }
    assert imported.entry("clients", "nothing")["parameters"] == {"base_uri": "${NOTHING_BASE_URI}"}
    assert any("put an access token into ${LOGIN_TOKEN}" in line for line in imported.lines)
    assert any("plugins[3]: the plugin 'rate-limit'" in line for line in imported.lost())
    assert "SHOP_PW" not in "".join(imported.lines)
    imported.load()


def test_a_secret_in_the_export_is_warned_of_and_not_shown(bring: Bring) -> None:
    imported = bring(
        exported("http-client", "ai", use("openai-http-client", token="sk-canary")),
        exported("http-client", "shop", use("shopify-http-client-v3", baseUri="https://s.test", token="canary")),
    )
    assert sum("the secret stands in the file" in line for line in imported.lines) == 2
    assert "canary" not in imported.text("import-report.md")


def test_routes_and_schedules(bring: Bring) -> None:
    imported = bring(
        SHOP,
        exported(
            "route-configuration",
            "move",
            params(
                incoming="in",
                outgoing="out",
                transformers=[],
                realtime=True,
                parallelExecution={"enabled": True, "maximumProcesses": 5},
            ),
            disabled=True,
        ),
        exported(
            "scheduler-entry",
            "often",
            params(
                expression="*/5 * * * *",
                priority=2,
                handlers=[],
                job=[
                    use("run-incoming", incoming="in"),
                    use("run-outgoing", route="move", numTasks=20),
                    use("run-backup"),
                ],
            ),
        ),
        exported("scheduler-entry", "single", params(expression="0 3 * * *", job=use("run-incoming", incoming="in"))),
        exported("incoming-configuration", "in", params(subscriber=reads(), transformers=[])),
        exported("outgoing-configuration", "out", params(publisher=use("no-action-publisher"), transformers=[])),
    )
    assert imported.entry("routes", "move") == {
        "description": "Move",
        "incoming": "in",
        "outgoing": "out",
        "concurrency": 5,
        "disabled": True,
    }
    assert imported.entry("schedules", "often")["run"] == [{"incoming": "in"}, {"route": "move"}]
    assert imported.entry("schedules", "single")["every"] == "0 3 * * *"
    assert [line for line in imported.lost() if "run-backup" in line]
    imported.load()


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("route-configuration", params(incoming="a", outgoing="b"), "incoming 'a' is not part of the export"),
        ("scheduler-entry", params(expression="* * *", job=[]), "five cron fields"),
        (
            "scheduler-entry",
            params(expression="0 3 * * *", job=[use("run-outgoing", route="x")]),
            "nothing that it starts",
        ),
        ("http-client-test", params(uri="/x", method="GET"), "is not part of the export"),
        ("transformer-test", params(entity={}), "is not part of the export"),
        ("moon-configuration", use("moon", inner=use("crater")), "have no counterpart here"),
    ],
)
def test_what_cannot_stand_alone_is_reported(bring: Bring, kind: str, body: JSON, why: str) -> None:
    imported = bring(SHOP, exported(kind, "it", body))
    assert imported.report.objects[kind].done == 0
    assert any(why in line and line.startswith(f"export.ndjson:2 {kind} it") for line in imported.lost())
    imported.load()


def test_what_cannot_be_read_or_written_is_kept_disabled(bring: Bring) -> None:
    imported = bring(
        exported(
            "incoming-configuration", "in", params(subscriber=use("soap-subscriber", wsdl="x"), transformers=["t"])
        ),
        exported("outgoing-configuration", "out", params(publisher=use("fax-publisher"), transformers=[])),
        exported("list-transformer", "t", use("chain", transformers=[])),
    )
    assert imported.entry("incoming", "in")["disabled"] is True
    assert imported.entry("incoming", "in")["chain"] == ["t"]
    assert imported.entry("outgoing", "out") == {
        "description": "Out",
        "publisher": {"prototype": "none"},
        "disabled": True,
    }
    assert len(imported.lost()) == 2
    imported.load()


def test_what_is_named_but_not_there_gets_a_place(bring: Bring) -> None:
    steps = [
        "gone",
        use("http-transformer", client="far", request={"uri": "/x"}),
        use("storage-save-entity-in-storage", storage="attic", storageKey="&{id}"),
        use("http-transformer", request={"uri": "https://other.test/y?z=1"}),
    ]
    imported = bring(exported("list-transformer", "t", use("chain", transformers=steps)))
    assert imported.entry("clients", "far")["parameters"] == {"base_uri": "${FAR_BASE_URI}"}
    assert imported.load().clients["other.test"].raw_parameters == {"base_uri": "https://other.test"}
    assert imported.entry("storages", "attic") == {}
    assert "exception" in imported.entry("chains", "gone")["steps"][0]
    assert len([line for line in imported.lost() if "is not part of the export" in line]) == 4
    imported.load()


def test_a_storage_is_read_as_files(bring: Bring) -> None:
    group = use("storage-subscriber", storage="attic", groupSize=60, groupItems=True)
    imported = bring(
        exported("storage", "attic", params(path="x", logger=params(actions=[]))),
        exported(
            "incoming-configuration",
            "one",
            params(subscriber=use("storage-subscriber", storage="attic"), transformers=[]),
        ),
        exported("incoming-configuration", "many", params(subscriber=group, transformers=[])),
    )
    assert imported.entry("incoming", "one")["subscriber"]["parameters"] == {"url": "storage/attic/*/*.json"}
    assert imported.entry("incoming", "one")["chain"] == [{"expression": "value"}]
    assert imported.entry("incoming", "many")["chain"][0]["aggregate"]["size"] == 60
    imported.load()


def test_tests_become_cases(bring: Bring) -> None:
    step = use("value-setter", configurations=[{"key": "a", "value": 1, "mappers": []}])
    imported = bring(
        exported(
            "transformer-test", "t--one", params(entity={"x": []}, expected={"expected": [[]]}), owner="t", name="One"
        ),
        exported(
            "transformer-test", "t--two", params(entity=[], expected={"expected": [{"a": 1}]}), owner="t", name="One"
        ),
        exported("transformer-test", "t--three", params(expected=[]), owner="t"),
        exported("list-transformer", "t", use("chain", transformers=[step])),
        exported("incoming-transformer-test", "in--one", params(entity={"b": 1}, expected={}), owner="in"),
        exported("incoming-configuration", "in", params(subscriber=reads(), transformers=["t"])),
        exported("http-client-test", "shop--test", params(uri="/bikes", method="GET"), owner="shop"),
        SHOP,
    )
    assert imported.yaml("tests/t.test.yaml") == [
        {"name": "One", "input": {"x": []}, "failed": False},
        {"name": "One (2)", "input": {}, "output": {"a": 1}},
    ]
    assert imported.yaml("tests/incoming-in.test.yaml") == [
        {"name": "In--One", "incoming": "in", "input": {"b": 1}, "failed": False}
    ]
    assert "# Tried with GET /bikes.\n" in imported.text("clients/shop.yaml")
    assert imported.report.objects["transformer-test"].total == 3
    assert [line for line in imported.lost() if "the test has no input" in line]


ANSWERS = {"body": {}, "repeat": True}


def test_cases_have_what_their_chains_use(bring: Bring) -> None:
    saves = use("storage-save-entity-in-storage", storage="attic", storageKey="&{id}")
    calls = use("http-transformer", client="shop", request={"uri": "/x"})
    imported = bring(
        SHOP,
        exported("storage", "attic", []),
        exported("list-transformer", "outer", use("chain", transformers=["inner", saves])),
        exported("list-transformer", "inner", use("chain", transformers=[calls])),
        exported("transformer-test", "o", params(entity={"id": 1}), owner="outer"),
    )
    assert imported.yaml("tests/outer.test.yaml") == [
        {
            "name": "O",
            "input": {"id": 1},
            "failed": False,
            "storages": {"attic": {}},
            "calls": [{"body": {}, "repeat": True}],
        }
    ]


def folder_that_calls(bring: Bring) -> Imported:
    """Return an import whose chains call for every part of a document, and look up what may be missing."""
    calls = use("node", accessor=use("pattern", pattern="parts.*"), transformers=[
        use("http-transformer", client="shop", request={"uri": "/x"})
    ])  # fmt: skip
    looks = use("storage-get-entity-from-storage", storage="attic", storageKey="&{sku}", destination="known")
    entity = {"parts": [{"n": 1}, {"n": 2}, {"n": 3}]}
    return bring(
        SHOP,
        exported("storage", "attic", []),
        exported("list-transformer", "t", use("chain", transformers=[looks, calls])),
        exported("transformer-test", "t--one", params(entity=entity), owner="t"),
        exported("incoming-transformer-test", "in--one", params(entity=entity), owner="in"),
        exported("incoming-transformer-test", "in--none", params(entity={"parts": []}), owner="in"),
        exported("incoming-configuration", "in", params(subscriber=reads(), transformers=["t"])),
    )


@pytest.mark.parametrize("here", [True, False])
def test_cases_pass_in_the_folder_and_from_above_it(bring: Bring, monkeypatch: pytest.MonkeyPatch, here: bool) -> None:
    imported = folder_that_calls(bring)
    monkeypatch.chdir(imported.folder if here else imported.folder.parent)
    ran = CliRunner().invoke(app, ["test", *([] if here else [imported.folder.name])])
    assert (ran.exit_code, ran.stderr.splitlines()[-1]) == (0, "3 passed, 0 failed, in 2 files"), ran.output


def test_commands_find_the_configuration_of_an_imported_folder(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder_that_calls(bring).folder)
    linted = CliRunner().invoke(app, ["lint"])
    assert "there is no connector.yaml" not in linted.output
    shown = CliRunner().invoke(app, ["transform", "t"], input='{"parts": []}')
    assert json.loads(shown.stdout) == {"parts": []}
    assert CliRunner().invoke(app, ["variables"]).exit_code == 0


def test_a_folder_of_something_else_is_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chains").mkdir()
    (tmp_path / "chains" / "food.yaml").write_text("shops: [a, b]")
    monkeypatch.chdir(tmp_path)
    assert "there is no connector.yaml here" in str(CliRunner().invoke(app, ["variables"]).exception)


def test_entities_say_what_documents_are_known_by(bring: Bring) -> None:
    known = use("storage-filter-stored-entity", storage="seen", addEntityToStorage=True)
    imported = bring(
        exported(
            "list-transformer", "typed", use("chain", transformers=[use("type-setter", entityType="bike"), known])
        ),
        exported("list-transformer", "untyped", use("chain", transformers=[known])),
        exported("entity", "bike", params(identifierPath=["code", "color"], schema={"type": "object"})),
    )
    assert imported.steps("typed")[1] == {
        "storage-filter-stored-entity": {"storage": "seen", "storage_key": "?{code}|?{color}"}
    }
    assert imported.steps("untyped") == [{"storage-filter-stored-entity": {"storage": "seen"}}]
    assert imported.yaml("schemas/bike.schema.yaml") == {"type": "object"}
    assert any("nothing says what a document is known by" in line for line in imported.lines)
    imported.load()


def test_lines_that_are_no_objects_are_reported(bring: Bring) -> None:
    good = json.dumps(exported("storage", "attic", [])).encode()
    imported = bring(
        b"\xef\xbb\xbf" + good,
        b"",
        b"   ",
        b'{"type":',
        b"[1]",
        b'{"type": "storage"}',
        b'{"identifier": "x"}',
        b"\xff\xfe",
        b'{"type":"storage","identifier":"x","identifier":"y"}',
        good,
    )
    assert [line.line for line in imported.report.lines] == [4, 5, 6, 7, 8, 9]
    assert imported.report.objects["(unreadable)"].total == 6
    assert (imported.report.objects["storage"].done, imported.report.objects["storage"].total) == (2, 2)
    imported.load()


def test_what_is_said_twice_is_there_once(bring: Bring) -> None:
    def transformer(value: int) -> JSON:
        return exported(
            "list-transformer", "t", use("value-setter", configurations=[{"key": "a", "value": value, "mappers": []}])
        )

    imported = bring(transformer(1), transformer(1), transformer(2))
    assert imported.steps("t") == [{"value-setter": {"configurations": {"a": 1}}}]
    assert imported.report.prototypes["value-setter"].total == 3
    assert [str(line) for line in imported.report.lines] == [
        "export.ndjson:3 list-transformer t: stands in export.ndjson:1 already, and differs; what stands there is taken"
    ]


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "a b", "A", "a", "é", "x" * 150, "x" * 149 + "y", "-", "a:b", "con.test", "a*b"]
)
def test_any_identifier_is_a_file(bring: Bring, name: str) -> None:
    imported = bring(
        exported("storage", name, []),
        exported("storage", f"{name}!", []),
        exported("storage", "a", []),
        exported("storage", "A", []),
    )
    assert len(imported.load().storages) == len({name, f"{name}!", "a", "A"})
    assert all(path.parent == imported.folder / "storages" for path in imported.folder.rglob("*.yaml"))


def test_the_same_export_is_the_same_folder(bring: Bring) -> None:
    objects = [
        SHOP,
        exported("incoming-configuration", "in", params(subscriber=reads(), transformers=["gone", "gone too"])),
    ]
    first, second = bring(*objects, into="one"), bring(*objects, into="two")
    names = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*.*"))
    assert names == sorted(path.relative_to(second.folder) for path in second.folder.rglob("*.*"))
    assert all((first.folder / name).read_bytes() == (second.folder / name).read_bytes() for name in names)


def test_an_export_of_nothing(bring: Bring) -> None:
    imported = bring()
    assert imported.report.summary().startswith("0 of 0 objects imported")
    imported.load()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.yaml").write_text("x: 1")
    (tmp_path / "e.ndjson").write_text("")
    with pytest.raises(ConfigurationError, match="not an empty folder"):
        import_alumio([tmp_path / "e.ndjson"], tmp_path / "full")
    with pytest.raises(ConfigurationError, match="cannot read"):
        import_alumio([tmp_path / "missing.ndjson"], tmp_path / "new")


def test_the_report_is_in_the_folder(bring: Bring) -> None:
    imported = bring(exported("list-transformer", "t", use("teleporter")))
    text = imported.text("import-report.md")
    assert "## Not carried over\n\n- export.ndjson:1 list-transformer t object: the transformer 'teleporter'" in text
    assert "| teleporter | 0 | 1 |" in text
    assert imported.report.as_document()["prototypes"] == {"teleporter": {"done": 0, "total": 1}}
