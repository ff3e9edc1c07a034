"""Graders: what a sample is worth by each rule."""

from __future__ import annotations

import pytest

from connector.sandbox.resources.graders.graders import InvalidFormula, evaluate_formula
from connector.sandbox.resources.graders.prompts import UnknownVariable, fill_messages, fill_template
from connector.sandbox.resources.graders.similarity import measure_similarity

MEASURES = ("fuzzy_match", "cosine", "bleu", "gleu", "meteor", *(f"rouge_{n}" for n in range(1, 6)), "rouge_l")


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_is_1_for_the_same_0_for_nothing_and_falls_between(measure) -> None:
    same = "the quick brown fox jumps over it"
    assert measure_similarity(measure, same, same) == pytest.approx(1)
    assert measure_similarity(measure, "zzz", "mmm nnn bbb vvv") == pytest.approx(0)
    near = measure_similarity(measure, "the quick brown fox jumps over them", same)
    assert 0 < near < 1
    assert near > measure_similarity(measure, "a quick dog", same)
    assert measure_similarity(measure, "", "") == 1
    assert measure_similarity(measure, "", same) == 0


@pytest.mark.parametrize(
    ("formula", "value"),
    [("a", 0.5), ("0.3 * a + 0.7 * b", 0.85), ("max(a, b) - min(a, b)", 0.5), ("-a / (b + 1)", -0.25), ("sqrt(4)", 2)],
)
def test_a_formula_is_arithmetic(formula, value) -> None:
    assert evaluate_formula(formula, {"a": 0.5, "b": 1.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "formula",
    ["c", "a.__class__", "__import__('os')", "a ** 9", "a / 0", "[a]", "", "a if a else b", "exp(1000)", "1 +" * 400,
     "(" * 300 + "a" + ")" * 300, "min(x=1)"],
)  # fmt: skip
def test_a_formula_is_nothing_else(formula) -> None:
    with pytest.raises(InvalidFormula):
        evaluate_formula(formula, {"a": 0.5, "b": 1.0})


def test_templates_reach_into_what_there_is() -> None:
    names = {"item": {"a": [{"b": "deep"}], "n": 3}, "sample": {"output_text": "said"}}
    assert fill_template("{{item.a[0].b}} {{ sample.output_text }} {{item.n}}", names) == "deep said 3"
    assert fill_messages([{"role": "user", "content": {"type": "input_text", "text": "{{item.n}}"}}], names) == [
        {"role": "user", "content": "3"}
    ]
    with pytest.raises(UnknownVariable, match=r"item\.none"):
        fill_template("{{item.none}}", names)


async def graded(room, grader, sample: str = "fuzzy wuzzy", item: dict | None = None):
    return await room.client.fine_tuning.alpha.graders.run(grader=grader, model_sample=sample, item=item or {})


async def test_a_grader_is_tried_out(room) -> None:
    check = {"type": "string_check", "name": "c", "input": "{{sample.output_text}}", "operation": "ilike"}
    assert (await graded(room, {**check, "reference": "WUZZY"})).reward == 1
    assert (await graded(room, {**check, "reference": "{{item.word}}"}, item={"word": "none"})).reward == 0
    lost = await graded(room, {**check, "reference": "{{item.word}}"})
    assert lost.metadata.errors.invalid_variable_error
    assert not lost.metadata.errors.other_error
    alike = {"type": "text_similarity", "name": "t", "input": "{{sample.output_text}}", "reference": "fuzzy"}
    assert 0 < (await graded(room, {**alike, "evaluation_metric": "fuzzy_match"})).reward < 1
    said = {
        "type": "string_check",
        "name": "j",
        "input": "{{sample.output_json.a}}",
        "operation": "eq",
        "reference": "1",
    }
    assert (await graded(room, said, '{"a": 1}')).reward == 1


async def test_a_grader_of_several(room) -> None:
    check = {
        "type": "string_check",
        "name": "c",
        "input": "{{sample.output_text}}",
        "operation": "eq",
        "reference": "a",
    }
    several = {"type": "multi", "name": "m", "graders": check, "calculate_output": "0.5 * c + 0.25"}
    answer = await graded(room, several, "a")
    assert (answer.reward, answer.sub_rewards) == (0.75, {"c": 1.0})
    assert (await graded(room, {**several, "calculate_output": "c +"}, "a")).metadata.errors.formula_parse_error


async def test_a_model_that_judges(room) -> None:
    judge = {
        "type": "score_model", "name": "s", "model": "gpt-4.1", "range": [2, 3],
        "input": [{"role": "user", "content": "How good is {{sample.output_text}}?"}],
    }  # fmt: skip
    answer = await graded(room, judge)
    assert 2 <= answer.reward <= 3
    assert answer.metadata.sampled_model_name == "gpt-4.1"
    assert answer.api_model_grader_token_usage_per_model["gpt-4.1"]["total_tokens"] == answer.metadata.token_usage > 0
    assert (await room.client.fine_tuning.alpha.graders.validate(grader=judge)).grader.name == "s"
