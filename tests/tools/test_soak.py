"""A soak of some seconds says what it found; what grows and what does not is told apart."""

from __future__ import annotations

import pytest

from tools.soak.__main__ import main, report
from tools.soak.trend import KINDS, Sample, find_trends

TIMES = [float(second) for second in range(60)]


def sampled(memory: list[float], database: list[float] | None = None) -> list[Sample]:
    return [
        Sample(seconds=second, memory=used, descriptors=20.0, threads=4.0, database=kept)
        for second, used, kept in zip(TIMES, memory, database or [1.0] * len(TIMES), strict=True)
    ]


def flat(samples: list[Sample]) -> dict[str, bool]:
    return {trend.kind.name.partition(",")[0]: trend.is_flat for trend in find_trends(samples)}


def test_what_rises_while_it_gets_warm_is_flat() -> None:
    warm = [50.0 + min(second, 25.0) for second in TIMES]
    assert flat(sampled(warm)) == dict.fromkeys(KINDS, True)


def test_what_sways_is_flat() -> None:
    assert all(flat(sampled([70.0 + second % 5 for second in TIMES])).values())


def test_what_goes_on_rising_is_not_flat_and_nothing_else_is_blamed() -> None:
    leaking = [70.0 + second for second in TIMES]
    assert flat(sampled(leaking)) == {**dict.fromkeys(KINDS, True), "memory": False}
    kept = [1.0 + second / 6 for second in TIMES]
    assert flat(sampled([70.0] * len(TIMES), kept)) == {**dict.fromkeys(KINDS, True), "database": False}


def test_the_report_has_a_line_for_each_and_says_which_rises() -> None:
    trends = {"run": list(find_trends(sampled([70.0 + second for second in TIMES])))}
    lines = report(trends, {"200": 1234, "503": 2}, 60)
    assert len(lines) == 2 + len(KINDS) + 1
    assert [line.endswith("| NO   |") for line in lines[2:-1]] == [True, False, False, False]
    assert lines[-1].endswith("The gateway answered: 1,234 of 200, 2 of 503.")


@pytest.mark.long
def test_a_soak_of_some_seconds_watches_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--seconds", "5"])
    said = capsys.readouterr().out
    for name in ("run", "gateway", "sandbox"):
        for kind in KINDS.values():
            assert f"| {name:8} | {kind.name:13} |" in said
    assert " of 200" in said, "the gateway answers"
    assert said.endswith("all three were there to the end\n")
