"""Options that do not go together are refused with a sentence, never passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.app import app

REFUSED = [
    (["call", "files", "--limit", "3"], "--limit goes with --all"),
    (["call", "files", "--concurrency", "3"], "--concurrency goes with --from"),
    (["call", "files", "--as", "curl"], "give --dry-run with it"),
    (["call", "files", "--all", "--to", "a.json"], "--all and --to do not go together"),
    (["call", "responses", "create", "--stream", "--to", "a.json"], "--stream and --to do not go together"),
    (["call", "files", "--all", "--stream"], "--all and --stream do not go together"),
    (["call", "--from", "r.jsonl", "--to", "a.json"], "--from and --to do not go together"),
    (["call", "--from", "r.jsonl", "--payload", "{}"], "--from and --payload do not go together"),
    (["explain", "--from", "r.jsonl", "--set", "query.limit=1"], "--from and --set do not go together"),
    (["explain", "files", "--as", "curl", "--select", "url"], "leave out --as curl or --select"),
    (["explain", "moderations", "--all"], "a subscriber reads with GET"),
    (["explain", "files", "--document", "{}"], "--document goes with a configured connection"),
    (["subscribe", "files", "--stream"], "`subscribe` and --stream do not go together"),
    (["subscribe", "files", "--to", "a.json"], "`subscribe` and --to do not go together"),
    (["subscribe", "files", "--errors", "e.jsonl"], "--errors goes with a configured connection"),
    (["subscribe", "tickets", "--query", "limit=1"], "--query cannot be given with it"),
    (["subscribe", "tickets", "--dry-run", "--errors", "e.jsonl"], "--errors cannot be given with it"),
    (["explain", "tickets", "--document", "{}"], "--document cannot be given with it"),
    (["explain", "tickets", "--validate", "off"], "--validate cannot be given with it"),
    (["call", "files", "--payload", "[1]", "--file", "file=r.jsonl"], "payload is no object"),
    (["serve", "--export", "nginx", "--routes"], "leave out --routes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"), REFUSED, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_what_would_be_passed_over_is_refused(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    (tmp_path / "r.jsonl").write_text("{}\n")
    (tmp_path / "connector.yaml").write_text(
        "incoming: {tickets: {subscriber: {prototype: file, parameters: {url: r.jsonl}}}}\n"
    )
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 0
    assert told in f"{result.exception} {result.output}"
