from __future__ import annotations

import pytest

from connector import Client, ConfigurationError
from connector.http.configuration import normalise


@pytest.mark.parametrize("name", ["base_uri", "baseUri", "base_url", "baseUrl"])
@pytest.mark.parametrize("prototype", ["openai", "openai-compatible", "http"])
async def test_an_address_may_be_called_by_any_of_its_names(prototype: str, name: str) -> None:
    async with Client(prototype, environ={}, **{name: "https://example.com/v1"}) as client:
        assert client.base_uri == "https://example.com/v1"


async def test_azure_s_endpoint_is_its_address() -> None:
    async with Client("azure-openai", environ={}, base_uri="https://example.com", api_key="k") as client:
        assert client.base_uri == "https://example.com/openai/v1"


def test_tries_in_all_are_retries_after_the_first() -> None:
    assert normalise({"retry": {"attempts": 3, "delay": 1}}, ()) == {"retry": {"max_retries": 2, "delay": 1}}
    assert normalise({"retry": "often"}, ()) == {"retry": "often"}


async def test_no_tries_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"retry\.max_retries"):
        Client("openai", environ={}, retry={"attempts": 0})
