"""Moment Atlas's adapters as clients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.migrate import import_atlas
from tests.migrate.kit import Imported

Bring = Callable[[str], Imported]
ROOT = """apiVersion: moment.dev/v1alpha1
kind: Config
spec:
  apiAdapters:
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: openai}
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: gone}
  theme: dark
"""


def adapter(name: str, url: str, *headers: tuple[str, str], more: str = "") -> str:
    lines = [
        "apiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata:\n"
        f"  name: {name}\nspec:\n  baseUrl: {url}\n{more}"
    ]
    if headers:
        lines.append("  headers:\n" + "".join(f"    - name: {key}\n      value: {value}\n" for key, value in headers))
    return "".join(lines)


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    def run(text: str) -> Imported:
        (tmp_path / "atlas.yml").write_text(text, encoding="utf-8")
        return Imported(tmp_path / "out", import_atlas(tmp_path / "atlas.yml", tmp_path / "out"))

    return run


def test_an_adapter_for_openai_is_an_openai_client(bring: Bring) -> None:
    headers = [
        ("Authorization", "Bearer ${{ OPENAI_API_KEY }}"),
        ("OpenAI-Organization", "'org-1'"),
        ("Content-Type", "application/json"),
        ("X-Team", "a"),
    ]
    imported = bring(adapter("openai", "https://api.openai.com/v1", *headers))
    assert imported.entry("clients", "openai") == {
        "prototype": "openai",
        "parameters": {"token": "${OPENAI_API_KEY}", "organization": "org-1", "headers": {"X-Team": "a"}},
    }
    assert imported.lines == []
    imported.load()


def test_any_other_is_a_plain_client(bring: Bring) -> None:
    imported = bring(
        adapter("shop", "${{ SHOP_URL }}", ("Authorization", "\"'Bearer ${{ SHOP }}'\""), ("X-Key", "'\"${{KEY}}\"'"))
    )
    assert imported.entry("clients", "shop") == {
        "prototype": "http",
        "parameters": {"base_uri": "${SHOP_URL}", "headers": {"Authorization": "Bearer ${SHOP}", "X-Key": "${KEY}"}},
    }
    imported.load()


def test_several_documents_and_what_they_do_not_say(bring: Bring) -> None:
    imported = bring(
        "\n---\n".join(
            [
                ROOT,
                adapter("openai", "https://api.openai.com", ("Authorization", "Bearer ${{ K }}")),
                "{broken",
                "- a list",
                "# nothing",
                adapter("spare", "https://spare.test", ("Api-Key", "plain-value"), more="  retries: 5\n"),
                "kind: GraphQL\nmetadata: {name: graph}",
                adapter("empty", "''"),
            ]
        )
    )
    text = "\n".join(imported.lines)
    assert imported.load().clients.keys() == {"openai", "spare"}
    assert "atlas.yml:1 Config spec.theme: has no counterpart here" in text
    assert "atlas.yml:10 HTTP openai spec.baseUrl: paths begin below /v1 here" in text
    assert "atlas.yml:21: the document that begins on line 21: line 1, column 8: not YAML" in text
    assert "a document that is no object" in text
    assert "spec.retries: clients have nothing like it" in text
    assert "the value of Api-Key stands in the file" in text
    assert "plain-value" not in text
    assert "GraphQL graph: only adapters of kind HTTP" in text
    assert "the adapter 'gone' is referred to" in text
    assert "the adapter 'spare' was not referred to" in text
    assert "HTTP empty spec.baseUrl: there is no address" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n...\n",
        "kind: HTTP\nmetadata: {name: x}\nspec: []\n",
        "kind: HTTP\nmetadata: x\n",
        "a: &a [*a]\n",
        adapter("x", "https://x.test") + "  headers: [1, {name: a}, {value: b}, {name: c, value: [1]}]\n",
    ],
)
def test_odd_shapes_never_crash(bring: Bring, text: str) -> None:
    bring(text).load()
