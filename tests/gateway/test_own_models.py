"""The gateway knows the models of the catalogue that it is given: their prices, and when they stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from tests.gateway.conftest import Start
from tests.own_catalogue import write_own_catalogue


@pytest.mark.parametrize("named", [True, False], ids=["configuration", "option"])
async def test_it_charges_and_warns_by_the_catalogue_that_is_used(
    named: bool, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = write_own_catalogue(tmp_path / "mine")
    entities: dict[str, Any] = {"entities": str(own)} if named else {}
    gateway = await start(
        {"budget": {"amount": 5, "every": "day"}}, options={"catalogue": Catalogue.open(own)}, **entities
    )
    answers = {
        model: (await gateway.chat(payload={"model": model})).json()
        for model in ("gpt-9-own", "gpt-9-gone", "gpt-6-luna")
    }
    assert answers["gpt-9-own"]["object"] == "chat.completion"
    assert answers["gpt-6-luna"]["error"]["code"] == "no_price"
    assert "bot asks for gpt-9-gone, which was shut down on 2026-01-01; gpt-9-own takes its place" in caplog.text
