"""Where a method's parameters go is read from its source: a resource of our own, no SDK."""

from __future__ import annotations

import pytest

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.methods import Method, methods, methods_of
from connector.catalogue.importer.sdk.modules import Package
from connector.catalogue.importer.sdk.type_values import Named

SOURCE = """
from ..types import thing_make_params

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

    def odd(self):
        return self._get(somewhere())
"""
CLIENT = """
from ._compat import cached_property
from .resources.things import Things

class OpenAI(Base):
    @cached_property
    def things(self) -> Things:
        return Things(self)

    @cached_property
    def odd(self) -> Elsewhere:
        return Elsewhere(self)

    @cached_property
    def with_raw_response(self) -> Raw: ...
"""
FILES = {
    "openai/__init__.py": "",
    "openai/_client.py": CLIENT,
    "openai/resources/__init__.py": "",
    "openai/resources/things.py": SOURCE,
    "openai/types/__init__.py": "",
    "openai/types/thing_make_params.py": "class ThingMakeParams: ...\nclass ThingSendParams: ...\n",
}
MAKE, SEND = (Named("openai.types.thing_make_params", name) for name in ("ThingMakeParams", "ThingSendParams"))


@pytest.fixture
def found() -> dict[str, Method]:
    things = methods_of(Annotations(Package(FILES)), "things", Named("openai.resources.things", "Things"), [])
    return {m.name: m for m in things}


def test_what_cannot_be_read_is_noted_and_left_out() -> None:
    notes: list[str] = []
    read = [method.name for method in methods(Annotations(Package(FILES)), notes)]
    assert read == ["things.make", "things.send", "things.search"]
    assert notes == ["odd: no resource that can be read", "things.odd: the path of its call cannot be read"]


def test_only_methods_that_make_a_call_count(found: dict[str, Method]) -> None:
    assert sorted(found) == ["things.make", "things.search", "things.send"]


def test_the_last_overload_says_where_each_parameter_goes(found: dict[str, Method]) -> None:
    made = found["things.make"]
    assert made.operation == "POST /things/{thing_id}"
    assert made.path_names == ["thing_id"]
    assert (made.query, made.query_types) == ({"after": "after"}, (MAKE,))
    assert (made.payload, made.payload_types) == (("name",), (MAKE,))
    assert made.headers == {"Idempotency-Key": "key"}
    assert (made.beta, made.admin, made.multipart) == ("things=v1", True, False)


def test_a_form_whose_payload_was_made_ready_before_the_call(found: dict[str, Method]) -> None:
    sent = found["things.send"]
    assert (sent.payload, sent.payload_types, sent.multipart) == (("file",), (SEND,), True)


def test_a_list_may_be_asked_for_by_post(found: dict[str, Method]) -> None:
    assert found["things.search"].operation == "POST /search"
    assert found["things.search"].payload is None
