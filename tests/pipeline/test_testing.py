"""Cases of chains and of whole connections, run as users run them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from connector.errors import ConfigurationError
from connector.pipeline.testing import Checked, found_files, junit, run_files

CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: "${OPENAI_API_KEY}", organization: "${ORG:-}"}}
chains:
  shout: [{value-mapper: {accessor: text, mappers: [{string-case: upper}]}}]
incoming:
  files:
    subscriber: {prototype: openai, parameters: {client: openai, entity: files, action: list}}
    chain: [{value-setter: {configurations: {seen: true}}}]
outgoing:
  ask:
    request: {payload: {model: gpt-5-mini, messages: [{role: user, content: "&{text}"}]}}
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions}}
    answer:
      chain:
        - value-setter: {configurations: {said: "&{body.choices.0.message.content}"}}
        - value-remover: {patterns: [status, headers, body, request_id, request]}
      publisher: {prototype: file, parameters: {url: out.jsonl}}
"""
ANSWER = "{status: 200, body: {id: c, choices: [{message: {content: hello}}]}}"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs the cases of one file; gives the differences by the cases' names."""

    async def run(cases: str, name: str = "cases") -> dict[str, str]:
        (tmp_path / "connector.yaml").write_text(CONFIGURATION)
        file = tmp_path / f"{name}.test.yaml"
        file.write_text(dedent(cases))
        return {one.name: one.difference async for one in run_files([file], None)}

    return run


async def test_an_outgoing_with_recorded_answers(run: Any, tmp_path: Path) -> None:
    found = await run(f"""
        - name: good
          outgoing: ask
          input: {{text: hi}}
          upstream:
            - request: {{method: POST, path: /chat/completions, payload: {{messages: [{{role: user, content: hi}}]}}}}
              answer: {ANSWER}
          output: {{said: hello, document: {{text: hi}}}}
        - name: other output
          outgoing: ask
          input: {{text: hi}}
          upstream: [{{request: {{path: /chat/completions}}, answer: {ANSWER}}}]
          output: {{said: bye, document: {{text: hi}}}}
        - name: other request
          outgoing: ask
          input: {{text: hi}}
          upstream: [{{request: {{path: /chat/completions, payload: {{model: gpt-9}}}}, answer: {ANSWER}}}]
          output: {{}}
        - name: refused
          outgoing: ask
          inputs: [{{text: hi}}]
          upstream:
            - request: {{path: /chat/completions}}
              answer: {{status: 400, body: {{error: {{message: too long}}}}}}
          failed: too long
        - name: unasked failure
          outgoing: ask
          input: {{}}
          outputs: []
        - name: chain fails after retries without waiting
          outgoing: ask
          input: {{text: hi}}
          upstream:
            - request: {{path: /chat/completions}}
              answer: {{status: 429, headers: {{retry-after: "30"}}, body: {{}}}}
            - {{request: {{path: /chat/completions}}, answer: {ANSWER}}}
          output: {{said: hello, document: {{text: hi}}}}
    """)
    assert found["good"] == ""
    assert '-  "said": "bye"' in found["other output"]
    assert '+  "said": "hello"' in found["other output"]
    assert "not recorded" in found["other request"]
    assert '+    "model": "gpt-5-mini"' in found["other request"]
    assert "a recorded request was not made" in found["other request"]
    assert found["refused"] == ""
    assert "nothing at &{text}" in found["unasked failure"]
    assert found["chain fails after retries without waiting"] == ""
    assert not (tmp_path / "out.jsonl").exists()


async def test_an_incoming_with_recorded_pages(run: Any) -> None:
    found = await run("""
        - name: pages
          incoming: files
          upstream:
            - {request: {method: GET, path: /files}, answer: {body: {data: [{id: a}], has_more: true, last_id: a}}}
            - {request: {path: /files, query: {after: a}}, answer: {body: {data: [{id: b}], has_more: false}}}
          outputs: [{id: a, seen: true}, {id: b, seen: true}]
        - name: given
          incoming: files
          input: {id: x}
          output: {id: x, seen: true}
        - name: down
          incoming: files
          upstream: [{request: {path: /files}, answer: {status: 404, body: {error: {message: gone}}}}]
          failed: gone
    """)
    assert found == {"pages": "", "given": "", "down": ""}


async def test_cases_of_a_configurations_chain(run: Any) -> None:
    found = await run(
        """
        - {name: good, input: {text: a}, output: {text: A}}
        - {name: bad, input: {text: a}, output: {text: a}}
        """,
        "shout",
    )
    assert found["good"] == ""
    assert '-  "text": "a"' in found["bad"]


@pytest.mark.parametrize(("case", "message"), [
    ("{name: x, outgoing: ask, input: {}, outputt: 1}", "unknown key"),
    ("{name: x, outgoing: ask, output: 1}", "has input or inputs"),
    ("{name: x, outgoing: ask, input: {}}", "at least one of output"),
    ("{name: x, outgoing: nowhere, input: {}, output: 1}", "unknown outgoing 'nowhere'"),
    ("{name: x, outgoing: ask, input: {}, output: 1, upstream: [{requst: {}}]}", r"upstream\[0\]"),
])  # fmt: skip
async def test_cases_that_cannot_work_say_why(run: Any, case: str, message: str) -> None:
    import re

    assert re.search(message, (await run(f"- {case}"))["x"])


def test_files_are_found_below_folders(tmp_path: Path) -> None:
    for name in ("a.test.yaml", "deep/b.test.yaml", ".venv/c.test.yaml", "d.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[]")
    assert [path.name for path in found_files([tmp_path, tmp_path / "a.test.yaml"])] == ["a.test.yaml", "b.test.yaml"]
    with pytest.raises(ConfigurationError, match="no file or folder"):
        found_files([tmp_path / "missing"])


def test_junit_counts_and_escapes() -> None:
    tested = [
        Checked(Path("a"), "good", ""),
        Checked(Path("a"), "b<\x01", "-1\n+<2>\x00"),
        Checked(Path("c"), "d", "", 1.5),
    ]
    root = fromstring(junit(tested))
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("3", "1", "1.500")
    assert [suite.get("name") for suite in root] == ["a", "c"]
    failure = root[0][1][0]
    assert failure.get("message") == "-1"
    assert failure.text == "-1\n+<2>\ufffd"
