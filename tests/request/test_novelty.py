"""A misspelling is refused with what was meant; a novelty passes with one warning."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.request import Wire
from connector.request.novelty import find_misspelt, find_nearest, is_moving, is_plausible

NAMES = ("max_tokens", "temperature", "response_format", "top_p", "n", "user", "prompt_cache_key", "max_output_tokens")
CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
RESPONSE = {"model": "m", "input": "x"}

Prepare = Callable[..., Wire]
Faults = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("maxTokens", "max_tokens"), ("max-tokens", "max_tokens"), ("MAX_TOKENS", "max_tokens"), ("maxtokens", "max_tokens"),
        ("max_token", "max_tokens"), ("temprature", "temperature"), ("tempreature", "temperature"), ("temperatrue", "temperature"),
        ("tempratrue", "temperature"), ("respnse_format", "response_format"), ("respons_fromat", "response_format"),
        ("responseFormats", "response_format"), ("m", "n"), ("nn", "n"), ("users", "user"), ("usr", "user"),
    ],
)  # fmt: skip
def test_what_is_near_a_known_name_is_a_misspelling_of_it(name: str, meant: str) -> None:
    assert find_misspelt(name, NAMES)[0] == meant


@pytest.mark.parametrize(
    "name",
    ["background_options", "prompt_cache_options", "min_output_tokens", "reasoning", "safety_identifier", "mode", "think",
     "response_style", "temperature_schedule", "x" * 500, "größe", "top_k", "topK", "top_p_2", "top_p2", "max_tokens_v2"],
)  # fmt: skip
def test_a_name_of_its_own_is_a_novelty(name: str) -> None:
    assert find_misspelt(name, NAMES) == ()


@pytest.mark.parametrize(
    ("name", "known"),
    [("speed", "seed"), ("task", "mask"), ("uri", "url"), ("page_id", "page_ip"), ("code", "mode"), ("step", "stop")],
)
def test_another_word_in_the_place_of_one_is_no_slip(name: str, known: str) -> None:
    assert find_misspelt(name, (known,)) == ()


@pytest.mark.parametrize(
    ("name", "known"), [("tasks", "task"), ("skill", "skills"), ("search_contxt", "search_context")]
)
def test_a_plural_is_a_slip(name: str, known: str) -> None:
    assert find_misspelt(name, (known,)) == (known,)


def test_words_that_begin_otherwise_are_other_words() -> None:
    assert find_misspelt("exclude_usage", ("include_usage",)) == ()
    assert find_misspelt("expires_after", ("expires_before",)) == ()


def test_another_size_or_version_is_no_misspelling_of_a_choice() -> None:
    assert find_nearest("2048x2048", ["1024x1024", "auto"]) == ()
    assert find_nearest("web_search_2027_01_01", ["web_search_2025_08_26", "web_search"]) == ()
    assert find_nearest("computer_2", ["computer"]) == ()
    assert find_nearest("web_search_v2", ["web_search"]) == ()
    assert find_nearest("slow", ["low", "high"]) == ()
    assert find_nearest("autoo", ["1024x1024", "auto"]) == ("auto",)
    assert find_nearest("1024x1024x", ["1024x1024", "auto"]) == ("1024x1024",)


@pytest.mark.parametrize("value", ["", "not a tier", "Not-Written-Alike", "__x__", "x" * 65, "über", 7, None, ["flex"]])
def test_what_is_not_written_like_a_choice_is_none(value: object) -> None:
    assert not is_plausible(value, ["auto", "flex", "priority"])


def test_which_choices_move() -> None:
    two = ("a", "b")
    moving = (
        "service_tier",
        "voice",
        "include",
        "effort",
        "size",
        "output_format",
        "search_context_size",
        "event_types",
    )
    assert all(is_moving(field, two, tells_apart=False) for field in moving)
    for field in ("role", "order", "status", "encoding_format", "truncation", "tool_choice", "operation"):
        assert not is_moving(field, two, tells_apart=True)
    assert is_moving("type", two, tells_apart=True)
    assert not is_moving("type", two, tells_apart=False)
    assert not is_moving("service_tier", ("only",), tells_apart=False)


FUNCTION = {"type": "function", "function": {"name": "f"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("operation", "payload", "fault"),
    [
        ("POST /chat/completions", {**CHAT, "temprature": 1}, "payload.temprature: unknown field"),
        ("POST /chat/completions", {**CHAT, "maxTokens": 1}, "payload.maxTokens: unknown field"),
        ("POST /chat/completions", {**CHAT, "service_tier": "felx"}, "payload.service_tier: found 'felx'"),
        ("POST /chat/completions", {**CHAT, "tools": [{**FUNCTION, "type": "functoin"}]}, "payload.tools[0].type: found 'functoin'"),
        ("POST /chat/completions", {**CHAT, "tools": [{"type": "function", "function": {"name": "f", "strct": True}}]},
         "payload.tools[0].function.strct: unknown field"),
        ("POST /chat/completions", {**CHAT, "messages": [{"role": "user", "content": [{**IMAGE, "type": "image_ulr"}]}]},
         "payload.messages[0].content[0].type: found 'image_ulr'"),
        ("POST /chat/completions", {**CHAT, "messages": [{"role": "usre", "content": "x"}]}, "payload.messages[0].role: found 'usre'"),
        ("POST /chat/completions", {**CHAT, "messages": [{"role": "wizard", "content": "x"}]}, "payload.messages[0].role: found 'wizard'"),
        ("POST /chat/completions", {**CHAT, "tool_choice": "sometimes"}, "payload.tool_choice: found 'sometimes'"),
        ("POST /responses", {**RESPONSE, "reasoning": {"efort": "low"}}, "payload.reasoning.efort: unknown field"),
        ("POST /responses", {**RESPONSE, "reasoning": {"effort": "lwo"}}, "payload.reasoning.effort: found 'lwo'"),
        ("POST /responses", {**RESPONSE, "include": ["reasoning.encrypted_contents"]}, "payload.include[0]: found"),
        ("POST /embeddings", {"model": "m", "input": "x", "encoding_format": "hex"}, "payload.encoding_format: found 'hex'"),
        ("POST /embeddings", {"model": "m", "input": "x", "dimension": 3}, "payload.dimension: unknown field"),
        ("POST /realtime/client_secrets", {"expires_after": {"anchor": "created_at", "second": 9}}, "payload.expires_after.second: unknown field"),
    ],
)  # fmt: skip
def test_misspellings_are_refused_by_default(
    operation: str, payload: dict[str, Any], fault: str, faults_of: Faults, prepare: Prepare
) -> None:
    faults = faults_of(operation, {"payload": payload})
    assert len(faults) == 1
    assert faults[0].startswith(fault)
    prepare(operation, {"payload": payload}, validate="warn")


@pytest.mark.parametrize(
    ("operation", "payload", "named"),
    [
        ("POST /responses", {**RESPONSE, "foreground_options": {"completion_window": "2h"}}, "payload.foreground_options"),
        ("POST /responses", {**RESPONSE, "reasoning": {"depth": 3}}, "payload.reasoning.depth"),
        ("POST /responses", {**RESPONSE, "service_tier": "instant"}, "payload.service_tier found 'instant'"),
        ("POST /responses", {**RESPONSE, "reasoning": {"effort": "colossal"}}, "payload.reasoning.effort found 'colossal'"),
        ("POST /responses", {**RESPONSE, "include": ["web_search_call.pages"]}, "payload.include[0] found"),
        ("POST /responses", {**RESPONSE, "tools": [{"type": "brand_new_tool", "depth": 2}]}, "payload.tools[0].type found 'brand_new_tool'"),
        ("POST /responses", {**RESPONSE, "input": [{"type": "brand_new_item"}]}, "payload.input[0].type found 'brand_new_item'"),
        ("POST /responses", {**RESPONSE, "tools": [{"type": "function", "name": "f", "patience": 1}]}, "payload.tools[0].patience"),
        ("POST /chat/completions", {**CHAT, "messages": [{"role": "user", "content": [{"type": "hologram", "hologram": {}}]}]},
         "payload.messages[0].content[0].type found 'hologram'"),
        ("POST /embeddings", {"model": "m", "input": "x", "safety_identifier": "u"}, "payload.safety_identifier"),
        ("POST /images/generations", {"prompt": "x", "quality": "ultra"}, "payload.quality found 'ultra'"),
        ("POST /images/generations", {"prompt": "x", "watermark": True}, "payload.watermark"),
    ],
)  # fmt: skip
def test_novelties_pass_with_one_warning(
    operation: str, payload: dict[str, Any], named: str, faults_of: Faults, prepare: Prepare
) -> None:
    [warning] = [one for one in prepare(operation, {"payload": payload}).warnings if "unknown" in one.found]
    assert named in warning.found
    assert "--validate strict" in warning.allowed
    assert faults_of(operation, {"payload": payload}, validate="strict")


@pytest.mark.parametrize(
    ("operation", "payload", "named"),
    [
        ("POST /chat/completions", {**CHAT, "top_k": 40}, "payload.top_k"),
        ("POST /chat/completions", {**CHAT, "min_p": 0.1}, "payload.min_p"),
        ("POST /chat/completions", {**CHAT, "repetition_penalty": 1.1}, "payload.repetition_penalty"),
        ("POST /chat/completions", {**CHAT, "speed": "fast"}, "payload.speed"),
        ("POST /chat/completions", {**CHAT, "models": ["a", "b"]}, "payload.models"),
        ("POST /responses", {**RESPONSE, "tools": [{"type": "computer_2"}]}, "payload.tools[0].type found 'computer_2'"),
        ("POST /images/generations", {"prompt": "x", "quality": "uhd"}, "payload.quality found 'uhd'"),
        ("POST /audio/speech", {"model": "m", "input": "x", "voice": "alloy", "response_format": "alac"}, "found 'alac'"),
    ],
)  # fmt: skip
def test_what_other_servers_and_later_releases_take_passes_with_one_warning(
    operation: str, payload: dict[str, Any], named: str, prepare: Prepare
) -> None:
    [warning] = [one for one in prepare(operation, {"payload": payload}).warnings if "unknown" in one.found]
    assert named in warning.found


def test_a_plural_without_its_singular_is_a_misspelling(faults_of: Faults) -> None:
    [fault] = faults_of(
        "POST /embeddings", {"payload": {"models": "m", "model": "m", "inputs": "x", "input": "x", "users": "u"}}
    )
    assert fault.startswith("payload.users: unknown field")


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ({"type": "output_text"}, "text: missing"),
        ({"type": "output_text", "text": 7}, "text: found the number 7"),
        ({"type": "output_text", "text": "x", "annotations": {}}, "annotations: found an object"),
        ({"type": "refusal", "refusal": None}, "refusal: found null"),
    ],
)
def test_a_part_is_judged_by_the_branch_that_knows_its_tag(part: dict[str, Any], wrong: str, faults_of: Faults) -> None:
    said = {"type": "message", "role": "assistant", "content": [part]}
    [fault] = faults_of("POST /responses", {"payload": {**RESPONSE, "input": [said]}})
    assert fault.startswith(f"payload.input[0].content[0].{wrong}")


def test_queries_follow_the_same_rule(prepare: Prepare, faults_of: Faults) -> None:
    assert len(faults_of("GET /files", {"query": {"limt": 1}})) == 1
    [warning] = prepare("GET /files", {"query": {"created_after": 1}}).warnings
    assert warning.found == "an unknown field: query.created_after"
    assert len(faults_of("GET /files", {"query": {"created_after": 1}}, validate="strict")) == 1
    assert len(faults_of("GET /files", {"query": {"order": "random"}})) == 1


def test_a_refusal_names_the_way_out(prepare: Prepare, faults_of: Faults) -> None:
    misspelt_name, misspelt_choice = {**CHAT, "temprature": 1}, {**CHAT, "service_tier": "felx"}
    for payload, setting in ((misspelt_name, "known"), (misspelt_choice, "warn")):
        [fault] = faults_of("POST /chat/completions", {"payload": payload})
        assert f"--validate {setting} (in a configuration, validate: {setting}) sends it as it is" in fault
        assert prepare("POST /chat/completions", {"payload": payload}, validate=setting).warnings
    [fault] = faults_of("POST /chat/completions", {"payload": {**CHAT, "novel_field": 1}}, validate="strict")
    assert "--validate spelling" in fault


def test_a_field_of_another_branch_is_no_misspelling(prepare: Prepare) -> None:
    tool = {"type": "function", "name": "f", "vector_store_ids": ["vs_1"]}
    [warning] = prepare("POST /responses", {"payload": {**RESPONSE, "tools": [tool]}}).warnings
    assert "payload.tools[0].vector_store_ids" in warning.found


def test_an_object_of_which_nothing_is_declared_is_the_callers_own(prepare: Prepare) -> None:
    call = {"type": "tool_search_call", "call_id": "c", "arguments": {"queries": ["weather"]}}
    assert prepare("POST /responses", {"payload": {"model": "m", "input": [call]}}, validate="strict").warnings == ()
