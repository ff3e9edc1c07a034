"""What each example does, against the sandbox: its effects, its files, and that a second run repeats nothing."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections import Counter
from typing import Any

import pytest

from connector.sandbox.script import Script
from tests.examples.conftest import Make

DAY = 86_400


def ended(end: Any) -> dict[str, dict[str, int]]:
    assert not end.left
    assert not end.unread
    return {route: dict(states) for route, states in end.ended.items()}


async def test_ticket_triage(example: Make) -> None:
    at = await example("ticket-triage")
    tickets = at.folder / "tickets.jsonl"
    all_tickets = tickets.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(all_tickets) == 1000
    tickets.write_text("".join(all_tickets[:120]), encoding="utf-8")
    found = ended(await at.run())
    assert {found[route]["finished"] for route in ("triage", "moderation", "vectors")} == {120}

    triaged = at.lines("triaged.jsonl")
    assert {line["id"] for line in triaged} == {f"T-{number:04}" for number in range(1, 121)}
    assert all(1 <= line["urgency"] <= 5 and line["summary"] for line in triaged)
    assert [len(one["payload"]["input"]) for one in at.asked("embeddings create")] == [100, 20]
    vectors = at.lines("vectors.jsonl")
    assert len({line["id"] for line in vectors}) == 120
    assert all(math.isclose(math.hypot(*line["vector"]), 1, rel_tol=1e-3) for line in vectors)
    assert {line["id"] for line in at.lines("moderated.jsonl")} == {line["id"] for line in triaged}

    before = len(at.sandbox.requests)
    tickets.write_text("".join(all_tickets[:125]), encoding="utf-8")
    assert ended(await at.run())["triage"] == {"finished": 5}
    assert len(at.sandbox.requests) == before + 5 + 5 + 1


async def test_product_copy_with_images(example: Make) -> None:
    at = await example("product-copy")
    assert ended(await at.run()) == {"texts": {"finished": 6}, "pictures": {"finished": 6}}
    copy = at.lines("copy.jsonl")
    assert {line["sku"] for line in copy} == {"L-01", "S-02", "K-03", "C-04", "M-05", "B-06"}
    assert all(line["english"] and line["german"] and line["title"] for line in copy)
    pictures = sorted((at.folder / "out" / "images").iterdir())
    assert [picture.stem for picture in pictures] == sorted(line["sku"] for line in copy)
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert ended(await at.run()) == {}
    assert len(at.sandbox.requests) == 12


async def test_questions_wait_until_the_documents_are_searchable(example: Make) -> None:
    at = await example("ask-documents")
    found = ended(await at.run())
    assert found == {
        "store": {"finished": 1}, "upload": {"finished": 3}, "index": {"finished": 3}, "ask": {"finished": 3},
    }  # fmt: skip
    made = [one["operation"] for one in at.sandbox.requests if one["method"] == "POST"]
    assert (
        made
        == ["vector stores create", *["files create"] * 3, *["vector store files create"] * 3]
        + ["responses create"] * 3
    )
    answers = {line["id"]: line["text"] for line in at.lines("answers.jsonl")}
    assert "30 days" in answers["Q-1"]
    assert "abroad up to nine" in answers["Q-2"]
    assert "Batteries" in answers["Q-3"]
    assert ended(await at.run()) == {}


async def test_transcription_of_a_folder(example: Make) -> None:
    at = await example("transcribe-folder")
    assert ended(await at.run()) == {"transcripts": {"finished": 3}}
    assert {path.name for path in (at.folder / "out").iterdir()} == {"call-1.txt", "call-2.txt", "memo.txt"}
    assert "memo" in (at.folder / "out" / "memo.txt").read_text(encoding="utf-8")
    changed = at.folder / "recordings" / "memo.wav"
    later = time.time() + 60
    os.utime(changed, (later, later))
    assert ended(await at.run()) == {"transcripts": {"finished": 1}}
    assert len(at.asked("audio transcriptions create")) == 4


async def test_moderation_queue(example: Make) -> None:
    at = await example("moderation-queue")
    assert ended(await at.run()) == {"moderation": {"finished": 6}}
    assert sorted(line["comment"]["id"] for line in at.lines("published.jsonl")) == [1, 3, 4, 6]
    assert sorted(line["comment"]["id"] for line in at.lines("review.jsonl")) == [2, 5]
    sent = [one["payload"]["input"] for one in at.asked("moderations create")]
    lamps = ["What a lovely lamp!", "I will kill you for that lamp.", "Mine broke after a week."]
    assert [text for text in sent if text in lamps] == lamps


async def test_a_comment_that_could_not_be_checked_is_not_published(example: Make) -> None:
    at = await example("moderation-queue")
    at.sandbox.faults.replace([], [{"operation": "moderations create", "nth": 1, "fault": 400}])
    assert ended(await at.run()) == {"moderation": {"finished": 5, "failed": 1}}
    review = at.lines("review.jsonl")
    assert any("400" in line.get("reason", "") and line["comment"]["text"] for line in review)
    assert len(review) + len(at.lines("published.jsonl")) == 6


async def test_letters_go_where_their_decision_says(example: Make) -> None:
    at = await example("route-by-decision")
    found = ended(await at.run())
    assert found == {"sort": {"finished": 6}, "repairs": {"finished": 2}, "departments": {"finished": 4}}
    assert [line["id"] for line in at.lines("replies.jsonl")] == [1, 4]
    went = {name: [line["letter"]["id"] for line in at.lines(f"{name}.jsonl")] for name in ("refund", "invoice")}
    assert went == {"refund": [2, 5], "invoice": [3]}
    (unsure,) = at.lines("person.jsonl")
    assert (unsure["letter"]["id"], unsure["confidence"] < 0.2) == (6, True)
    asked = [one["payload"] for one in at.asked("chat completions create")]
    assert len(asked) == 8
    assert {one.get("prompt_cache_key") for one in asked if "response_format" in one} == {"departments"}
    assert ended(await at.run()) == {}


async def test_a_refusal_fails_the_task_of_the_decision_alone(example: Make) -> None:
    at = await example("route-by-decision")
    rule = {"when": "contains(payload.messages[-1].content, 'kettle')", "answer": {"refusal": "I will not."}}
    at.sandbox.backend.script = Script.parse({"answers": [rule]})
    end = await at.run()
    assert ended(end)["sort"] == {"finished": 5, "failed": 1}
    database = sqlite3.connect(at.folder / "connector.db")
    (reasons,) = zip(*database.execute("SELECT reason FROM tasks WHERE reason <> ''").fetchall(), strict=True)
    assert [reason for reason in reasons if "the model refused: I will not." not in reason] == []


async def test_nightly_costs(example: Make) -> None:
    at = await example("nightly-costs")
    at.environ["COSTS_SINCE"] = str(int(time.time()) - 4 * DAY)
    database = sqlite3.connect(at.folder / "costs.db")
    try:
        database.executescript((at.folder / "tables.sql").read_text(encoding="utf-8"))
        assert ended(await at.run()) == {"costs": {"finished": 20}, "usage": {"finished": 10}}
        rows = set(database.execute("SELECT * FROM costs"))
        again = ended(await at.run())
        assert 0 < again["costs"]["finished"] < 20
        assert set(database.execute("SELECT * FROM costs")) == rows
        assert database.execute("SELECT count(*) FROM usage WHERE requests >= 0").fetchone() == (10,)
    finally:
        database.close()


async def test_cleaning_old_files(example: Make) -> None:
    at = await example("clean-files")
    ages = {"batch": (40, 20), "user_data": (40, 20, 3)}
    async with at.client() as client:
        for purpose, days in ages.items():
            for age in days:
                at.clock.behind = age * DAY
                payload = {"purpose": purpose, "file": {"$content": "YQ==", "filename": f"{purpose}-{age}.jsonl"}}
                (await client.send(client.prepare("files create", {"payload": payload}))).require()
        at.clock.behind = 0
        assert ended(await at.run()) == {"batches": {"finished": 1}, "uploads": {"finished": 2}}
        left = (await client.send(client.prepare("files list"))).require()["data"]
    assert {file["filename"] for file in left} == {"batch-20.jsonl", "user_data-3.jsonl"}
    deleted = Counter(line["name"] for line in at.lines("deleted.jsonl"))
    assert deleted == {"batch-40.jsonl": 1, "user_data-40.jsonl": 1, "user_data-20.jsonl": 1}


async def test_fine_tuning_from_csv(example: Make) -> None:
    at = await example("fine-tune-from-csv")
    assert ended(await at.run()) == {"lines": {"finished": 12}, "upload": {"finished": 1}, "train": {"finished": 1}}
    [upload], [job] = at.asked("files create"), at.asked("fine-tuning jobs create")
    assert upload["payload"]["purpose"] == "fine-tune"
    assert upload["payload"]["file"]["bytes"] == at.size("training.jsonl")
    assert job["payload"]["training_file"] in upload["effects"]
    assert [len(line["messages"]) for line in at.lines("training.jsonl")] == [3] * 12
    [told] = at.lines("jobs.jsonl")
    assert told["job"] in job["effects"]
    assert ended(await at.run()) == {}


@pytest.mark.parametrize("name", ["ask-documents", "fine-tune-from-csv"])
async def test_an_answer_that_is_lost_makes_nothing_twice(example: Make, name: str) -> None:
    """What a listing shows is found there, and not made again."""
    at = await example(name)
    at.sandbox.faults.replace([], [{"operation": "files create", "nth": 1, "fault": "drop-after"}])
    found = ended(await at.run())
    assert {state for states in found.values() for state in states} == {"finished"}
    async with at.client() as client:
        files = (await client.send(client.prepare("files list"))).require()["data"]
    ours = [file for file in files if file["purpose"] != "fine-tune-results"]  # a job that is done has written its own
    assert len(ours) == found["upload"]["finished"]
