"""The curl examples of a document, read as the requests that they send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.curl_examples import Curl, examples, main

ASK = """curl https://api.openai.com/v1/responses?x=1 \\
  -H "Authorization: Bearer $KEY" \\
  -d '{"model": "m", "input": "it'"'"'s"}' | jq"""
UPLOAD = """curl -X POST "https://api.openai.com/v1/files" -F purpose=batch -F file=@a.jsonl \\
  -F "expires_after[anchor]=created_at" -F "expires_after[seconds]=3600" -o out.json"""
WRONG = 'curl https://api.openai.com/v1/embeddings -d \'{"model": "m", "inptu": "x"}\''


def document(folder: Path, **curls: str) -> str:
    paths = {
        f"/{name}": {"post": {"x-oaiMeta": {"examples": {"request": {"curl": curl}}}}} for name, curl in curls.items()
    }
    (folder / "document.json").write_text(json.dumps({"paths": paths}))
    return str(folder / "document.json")


def test_a_command_line_is_read_as_its_request() -> None:
    assert Curl.read(ASK) == Curl("https://api.openai.com/v1/responses?x=1", "", '{"model": "m", "input": "it\'s"}', [])
    assert Curl.read(UPLOAD).method == "POST"
    assert Curl.read(UPLOAD).form[1] == "file=@a.jsonl"
    with pytest.raises(ValueError, match="no URL"):
        Curl.read("curl -X POST")


def test_examples_are_found_by_method_and_path() -> None:
    one = {"request": {"curl": "curl a"}}
    item: dict[str, Any] = {"get": {"x-oaiMeta": {"examples": [one, one]}}, "post": {}, "parameters": []}
    assert list(examples({"paths": {"/a": item}})) == [("GET", "/a", "curl a")] * 2


def test_what_passes_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(document(tmp_path, responses=ASK.replace("?x=1", ""), files=UPLOAD)) == 0
    assert capsys.readouterr().out == "2 passed\n"


def test_what_is_refused_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curls = {"embeddings": WRONG, "files": "curl 'x", "nowhere": "curl https://api.openai.com/v1/nowhere -d '{}'"}
    assert main(document(tmp_path, **curls)) == 1
    said = capsys.readouterr().out
    assert "refused: POST /embeddings\n  payload.input: missing" in said
    assert "did you mean 'input'?" in said
    assert said.endswith("1 refused, 1 not read, 1 another path\n")
