"""Shares of tokens' budgets: told of once in a period each, in the log and to whomever the budget names."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from connector.config.models.measures import Budget
from connector.errors import ConfigurationError
from connector.gateway.budget_file import BudgetFile
from connector.gateway.limits import Quota, Spending
from connector.gateway.shared_memory import SharedMemory
from connector.gateway.shared_quota import SharedQuota

PRICES = {"gpt-5*": {"input": 1.0, "cached_input": 0.5, "output": 10.0}}
COST = (600 * 1.0 + 400 * 0.5 + 100 * 10.0) / 1_000_000
SCRIPT = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"


def watched(clock, told: list[float], spending: Spending) -> Quota:
    def warn(share: float, _: Spending) -> None:
        told.append(share)

    budget = Budget(tokens=100, every="day", warn_at=(0.8, 0.5))
    now = {"clock": lambda: clock.seconds, "now": lambda: clock.date}
    quota = Quota("bot", budget=budget, spending=spending, **now)
    quota.warn = warn
    return quota


async def test_each_share_is_told_of_once_in_a_period_over_restarts(clock, tmp_path: Path) -> None:
    told: list[float] = []
    file = BudgetFile(tmp_path / "spent.json")
    quota = watched(clock, told, file.read(["bot"])["bot"])
    for tokens in (40, 15, 5):
        quota.charge(tokens, 0.0)
    assert told == [0.5]
    await file.close()
    again = BudgetFile(tmp_path / "spent.json")
    quota = watched(clock, told, again.read(["bot"])["bot"])
    quota.charge(30, 0.0)
    quota.charge(30, 0.0)
    assert told == [0.5, 0.8]
    clock.move(86_400)
    quota.charge(90, 0.0)
    assert told == [0.5, 0.8, 0.5, 0.8]


async def test_the_log_and_a_program_are_told(start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = tmp_path / "told"
    budget = {"amount": 2 * COST, "every": "day", "warn_at": [0.4, 0.9],
              "warn": {"command": [sys.executable, "-c", SCRIPT, str(told)]}}  # fmt: skip
    gateway = await start({"budget": budget}, prices=PRICES)
    with caplog.at_level(logging.WARNING):
        assert (await gateway.chat()).status_code == 200
        await gateway.listening.warnings.close()
    assert "token 'bot' has used 40% of its budget of this day: 1,100 tokens, 0.00 USD" in caplog.text
    (said,) = (json.loads(line) for line in told.read_text().splitlines())
    assert (said["token"], said["share"], said["spent"]["tokens"]) == ("bot", 0.4, 1100)
    assert said["budget"] == {"amount": 2 * COST, "tokens": None}


async def test_a_webhook_is_told_through_a_client(start, upstream) -> None:
    budget = {"tokens": 20_000, "every": "day", "warn_at": [0.05], "warn": {"client": "pager", "path": "/hook"}}
    pager = {"prototype": "http", "parameters": {"base_uri": upstream.url}}
    gateway = await start({"budget": budget}, clients={"pager": pager})
    assert (await gateway.chat(payload={"max_completion_tokens": 10})).status_code == 200
    await gateway.listening.warnings.close()
    (said,) = (json.loads(one.body) for one in upstream.seen if one.target == "/hook")
    assert (said["token"], said["share"], said["spent"]["tokens"]) == ("bot", 0.05, 1100)


async def test_the_client_of_a_warning_must_be_there(start) -> None:
    budget = {"tokens": 10, "every": "day", "warn_at": [0.5], "warn": {"client": "pagr"}}
    with pytest.raises(ConfigurationError, match="pagr"):
        await start({"budget": budget})


def test_workers_of_one_gateway_tell_of_a_share_once(clock) -> None:
    told: list[float] = []
    memory = SharedMemory(4096, workers=2)
    now = {"clock": lambda: clock.seconds, "now": lambda: clock.date}
    quota = SharedQuota(memory, "bot", budget=Budget(tokens=100, every="day", warn_at=(0.5,)), **now)
    quota.warn = lambda share, _: told.append(share)
    memory.worker = 1
    quota.charge(60, 0.0)
    memory.worker = 2
    quota.charge(10, 0.0)
    assert (told, quota.shared.warned, quota.shared.held_tokens) == ([0.5], 0.5, 0)
