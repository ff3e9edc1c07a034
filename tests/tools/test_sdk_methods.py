"""Where a method's parameters go is read from its source: a resource of our own, no SDK."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from tools.sdk.methods import Method, methods_of

SOURCE = """
class Things:
    def make(self, kind):
        raise NotImplementedError

    def make(self, thing_id, *, name, after, key, betas):
        extra_headers = {"OpenAI-Beta": "things=v1", **strip_not_given({"Idempotency-Key": key})}
        return self._post(
            path_template("/things/{thing_id}", thing_id=thing_id),
            body=maybe_transform({"name": name}, thing_make_params.ThingMakeParams),
            options=make_request_options(
                query=maybe_transform({"after": after}, thing_make_params.ThingMakeParams),
                security={"admin_api_key_auth": True},
            ),
            cast_to=Thing,
        )

    def send(self, *, file) -> Thing:
        body = deepcopy({"file": file})
        return self._post("/files", body=maybe_transform(body, thing_make_params.ThingSendParams), files=files)

    def search(self):
        return self._get_api_list("/search", method="post", page=Page)

    def unrelated(self):
        return self._client
"""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, Method]:
    path = tmp_path / "things_resource.py"
    path.write_text(SOURCE.replace("-> Thing", "-> int"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "things_resource", raising=False)
    module = __import__("things_resource")
    module.thing_make_params = types.SimpleNamespace(ThingMakeParams="make type", ThingSendParams="send type")
    return {m.name: m for m in methods_of("things", module.Things)}


def test_only_methods_that_make_a_call_count(found: dict[str, Method]) -> None:
    assert sorted(found) == ["things.make", "things.search", "things.send"]


def test_the_last_overload_says_where_each_parameter_goes(found: dict[str, Method]) -> None:
    made = found["things.make"]
    assert made.operation == "POST /things/{thing_id}"
    assert made.path_names == ["thing_id"]
    assert (made.query, made.query_types) == ({"after": "after"}, ("make type",))
    assert (made.payload, made.payload_types) == (("name",), ("make type",))
    assert made.headers == {"Idempotency-Key": "key"}
    assert (made.beta, made.admin, made.multipart) == ("things=v1", True, False)


def test_a_form_whose_payload_was_made_ready_before_the_call(found: dict[str, Method]) -> None:
    sent = found["things.send"]
    assert (sent.payload, sent.payload_types, sent.multipart) == (("file",), ("send type",), True)


def test_a_list_may_be_asked_for_by_post(found: dict[str, Method]) -> None:
    assert found["things.search"].operation == "POST /search"
    assert found["things.search"].payload is None
