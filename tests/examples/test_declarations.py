"""The examples' configurations are clean, and each of their connections can be explained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.config.lint import lint
from connector.pipeline import Runtime, explain_incoming, explain_outgoing, kinds, load_configuration
from tests.examples.conftest import EXAMPLES, KEYS

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/connector.yaml"))
TICKET = {"id": "T-1", "subject": "Lamp", "text": "It arrived broken."}
PRODUCT = {"sku": "L-1", "name": "lamp", "material": "brass", "colour": "green", "price": "79"}
FILE = {"file": "handbook/delivery.md", "name": "delivery.md", "stem": "delivery"}
HANDBOOK = {"id": "vs_1", "status": "completed"}
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "ask-documents": {
        "make-store": {"name": "handbook"},
        "upload-file": FILE,
        "add-to-store": {"file_id": "file-1", "handbook": HANDBOOK},
        "answer": {"id": "Q-1", "question": "When?", "handbook": HANDBOOK},
    },
    "clean-files": {"delete": {"id": "file-1", "filename": "a.txt", "bytes": 1}},
    "fine-tune-from-csv": {
        "line": {"prompt": "Do you deliver?", "completion": "Yes."},
        "upload-file": {"file": "examples.csv", "name": "examples.csv"},
        "train": {"file_id": "file-1"},
    },
    "moderation-queue": {"check": {"id": 1, "thread": "lamps", "text": "Lovely!"}},
    "nightly-costs": {
        "costs": {"date": "2026-01-01", "project": None, "line_item": "input", "amount": 1.5, "currency": "usd"},
        "usage": {"start": "2026-01-01", "model": "m", "num_model_requests": 1, "input_tokens": 2, "output_tokens": 3},
    },
    "product-copy": {"write": PRODUCT, "draw": PRODUCT},
    "route-by-decision": {
        "sort": {"id": 1, "text": "Please repair it."},
        "reply": {"label": "repair", "letter": {"id": 1, "text": "Please repair it."}},
        "hand-over": {"label": "refund", "letter": {"id": 2, "text": "Money back!"}},
    },
    "ticket-triage": {"classify": TICKET, "moderate": TICKET, "embed": TICKET},
    "transcribe-folder": {"transcribe": {"file": "recordings/memo.wav", "name": "memo.wav", "stem": "memo"}},
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.open()


@pytest.mark.parametrize("name", NAMES)
def test_lint_finds_nothing(name: str, catalogue: Catalogue) -> None:
    source = EXAMPLES / name / "connector.yaml"
    assert [str(found) for found in lint(source, environ=KEYS, kinds=kinds(), catalogue=catalogue)] == []


@pytest.mark.parametrize("name", NAMES)
async def test_every_connection_is_explained_without_a_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES / name)
    nowhere = {**KEYS, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    configuration = load_configuration(Path("connector.yaml"), nowhere)
    assert set(DOCUMENTS[name]) == set(configuration.outgoing)
    async with Runtime(configuration) as runtime:
        for incoming in configuration.incoming:
            assert await explain_incoming(runtime, incoming), incoming
        for outgoing, document in DOCUMENTS[name].items():
            assert await explain_outgoing(runtime, outgoing, document), outgoing
