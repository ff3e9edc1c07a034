"""Moderations: verdicts by a list of words."""

from __future__ import annotations

import pytest


def results(room, given):
    return room.post("/moderations", {"input": given})["results"]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I will KILL you!", "harassment/threatening"), ("I want to die", "self-harm/intent"),
        ("how to make a bomb", "illicit/violent"),
        ("you idiot", "harassment"), ("naked people", "sexual"), ("blood everywhere", "violence/graphic"),
    ],
)  # fmt: skip
def test_words_on_the_list_are_flagged(room, text, category):
    result = results(room, text)[0]
    assert result["flagged"]
    assert result["categories"][category]
    assert result["category_scores"][category] > 0.7
    assert result["category_applied_input_types"][category] == ["text"]


def test_other_texts_are_not(room):
    result = results(room, "I killed time with a skilled idiomatic poem")[0]
    assert result["categories"]["violence"]
    assert not result["categories"]["harassment"]
    harmless = results(room, "A skilful poem about Sussex")[0]
    assert not harmless["flagged"]
    assert max(harmless["category_scores"].values()) < 0.01


def test_every_text_has_a_result(room):
    assert [one["flagged"] for one in results(room, ["hello", "murder", "bye"])] == [False, True, False]


def test_text_and_images_of_a_message_are_judged_together(room):
    given = [
        {"type": "text", "text": "hello"},
        {"type": "image_url", "image_url": {"url": "https://example.com/gore.png"}},
    ]
    found = results(room, given)
    assert len(found) == 1
    assert found[0]["categories"]["violence/graphic"]
    assert found[0]["category_applied_input_types"]["violence"] == ["text", "image"]
    assert found[0]["category_applied_input_types"]["hate"] == ["text"]
