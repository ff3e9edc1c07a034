"""Verdicts on calls without a known end: never a wrong one, whatever is late, near a border or somebody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.money.ledger.groups import Call, Group, Reported
from connector.money.ledger.verdicts import Decision, Terms, Verdict, decide
from tools.simulate.ledger import Day, judge, live, report

LUNA = Group("completions", "gpt-6-luna", "proj_a", "key_a")
START = 1_795_000_020
TERMS = Terms(read_at=START + 86_400, lateness=3600, border=2, alone=True)
SHARED = Terms(read_at=START + 86_400, lateness=3600, border=2)
BILLED, NOT_BILLED, CANNOT_TELL = Verdict


def call(name: str, at: float = 20, *, lasts: float = 5, tokens: int | None = None, billed: bool = False) -> Call:
    return Call(name=name, group=LUNA, earliest=START + at, latest=START + at + lasts, tokens=tokens, billed=billed)


def minute(number: int, requests: int, tokens: int = 0, group: Group = LUNA) -> Reported:
    return Reported(group=group, start=START + 60 * number, requests=requests, tokens=tokens)


def verdicts(calls: Sequence[Call], reported: Sequence[Reported], terms: Terms = TERMS) -> dict[str, Verdict]:
    return {name: decision.verdict for name, decision in decide(calls, reported, terms).items()}


def test_as_many_requests_as_calls_are_all_billed_and_none_are_none() -> None:
    calls = [call("known", tokens=10, billed=True), call("a"), call("b")]
    assert verdicts(calls, [minute(0, 3, 90)]) == {"a": BILLED, "b": BILLED}
    assert verdicts(calls, [minute(0, 1, 10)]) == {"a": NOT_BILLED, "b": NOT_BILLED}
    assert verdicts(calls, [minute(0, 2, 50)]) == {"a": CANNOT_TELL, "b": CANNOT_TELL}


def test_tokens_tell_calls_apart_where_only_one_choice_fits() -> None:
    calls = [call("a", tokens=100), call("b", tokens=250), call("c", tokens=150)]
    assert verdicts(calls, [minute(0, 1, 250)]) == {"a": NOT_BILLED, "b": BILLED, "c": NOT_BILLED}
    assert verdicts(calls, [minute(0, 2, 250)], SHARED) == {"a": BILLED, "b": NOT_BILLED, "c": BILLED}
    twins = [call("a", tokens=100), call("b", tokens=100), call("c", tokens=30)]
    assert verdicts(twins, [minute(0, 2, 130)]) == {"a": CANNOT_TELL, "b": CANNOT_TELL, "c": BILLED}


def test_without_anybodys_word_a_count_proves_no_bill() -> None:
    assert verdicts([call("a")], [minute(0, 1, 100)], SHARED) == {"a": CANNOT_TELL}
    assert verdicts([call("a")], [], SHARED) == {"a": NOT_BILLED}


def test_traffic_of_others_on_the_key_takes_back_what_was_said_of_it() -> None:
    calls = [call("a", tokens=100), call("none", 300)]
    elsewhere = minute(20, 1, 7, Group("embeddings", "text-embedding-3-small", "proj_a", "key_a"))
    assert verdicts(calls, [minute(0, 1, 100)]) == {"a": BILLED, "none": NOT_BILLED}
    assert verdicts(calls, [minute(0, 1, 100), elsewhere]) == {"a": CANNOT_TELL, "none": NOT_BILLED}
    more = [minute(0, 2, 300)]
    assert verdicts(calls, more) == {"a": CANNOT_TELL, "none": NOT_BILLED}
    another = minute(20, 1, 7, Group("completions", "gpt-6-luna", "proj_a", "key_b"))
    assert verdicts(calls, [minute(0, 1, 100), another])["a"] is BILLED
    # Too few tokens for it are left: whatever was billed, it was not this one.
    assert verdicts(calls, [minute(0, 1, 99)])["a"] is NOT_BILLED


def test_what_may_still_come_is_waited_for() -> None:
    early = Terms(read_at=START + 3000, lateness=3600, border=2, alone=True)
    for rows in ([], [minute(0, 1)]):
        decision = decide([call("a")], rows, early)["a"]
        assert (decision.verdict, decision.reason) == (
            CANNOT_TELL, "its minutes may not be reported whole yet; ask again later",
        )  # fmt: skip


def test_a_call_near_the_border_may_be_in_either_minute() -> None:
    near = call("a", 57, lasts=1)
    far = call("a", 50, lasts=1)
    known = call("known", 100, lasts=1, tokens=5, billed=True)
    assert verdicts([near, known], [minute(1, 2, 9)]) == {"a": BILLED}
    assert verdicts([far, known], [minute(1, 2, 9)]) == {"a": NOT_BILLED}


def test_reports_that_lack_known_calls_prove_nothing() -> None:
    decision = decide([call("known", billed=True, tokens=5), call("a", 300)], [], TERMS)["a"]
    assert decision == Decision(CANNOT_TELL, "the reports lack calls that are known to be billed")


MOMENTS = st.floats(0, 400)
MADE = st.tuples(MOMENTS, st.floats(0, 40), st.floats(0, 1), st.integers(1, 6), st.sampled_from(("known", "yes", "no")))


def bill(made: Sequence[tuple[float, float, float, int, str]], *, tells: bool) -> tuple[list[Call], list[Reported]]:
    """Return the journal and the bill of what was made; each is noted somewhere within, by a clock that is off."""
    calls, rows = [], []
    for number, (at, lasts, where, tokens, end) in enumerate(made):
        seen = tokens if tells or end == "known" else None
        calls.append(call(str(number), at, lasts=lasts, tokens=seen, billed=end == "known"))
        if end != "no":
            noted = at - 2 + where * (lasts + 4)
            rows.append(minute(int(noted // 60), 1, tokens))
    return calls, rows


def find_wrong(made: Sequence[tuple[float, float, float, int, str]], found: Mapping[str, Decision]) -> list[str]:
    right = {"yes": BILLED, "no": NOT_BILLED}
    return [name for name, one in found.items()
            if one.verdict is not CANNOT_TELL and one.verdict is not right[made[int(name)][4]]]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(MADE, max_size=12), st.booleans())
def test_no_verdict_is_wrong_where_nobody_else_calls(
    made: list[tuple[float, float, float, int, str]], tells: bool
) -> None:
    calls, rows = bill(made, tells=tells)
    found = decide(calls, rows, TERMS)
    assert set(found) == {one.name for one in calls if not one.billed}
    assert find_wrong(made, found) == []


@settings(max_examples=300)
@given(st.lists(MADE, max_size=12), st.lists(st.tuples(st.integers(-1, 8), st.integers(1, 6)), max_size=12))
def test_no_verdict_is_wrong_where_others_call_as_they_like(
    made: list[tuple[float, float, float, int, str]], others: list[tuple[int, int]]
) -> None:
    calls, rows = bill(made, tells=False)
    found = decide(calls, [*rows, *(minute(number, 1, tokens) for number, tokens in others)], SHARED)
    assert find_wrong(made, found) == []
    assert BILLED not in [one.verdict for one in found.values()]


def test_too_many_choices_are_not_looked_at() -> None:
    calls = [call(str(n), tokens=1000 + n * n * 37) for n in range(60)]
    assert set(verdicts(calls, [minute(0, 30, 2_000_000)]).values()) == {CANNOT_TELL}


def test_days_come_out_right() -> None:
    days = [live(seed) for seed in range(9_000, 9_040)]
    assert judge(days) == []
    assert "0 wrong verdicts" in next(iter(report(days)))
    assert judge([Day(5, alone=True, right=1, wrong=1)]) == ["wrong verdicts with seed 5: 1"]
    assert judge([Day(5, alone=True, right=1, undecided=1)])[0].startswith("cannot tell of 50.0%")
