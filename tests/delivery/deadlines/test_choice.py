"""The rule by which a task takes its transport, and moves up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.delivery.deadlines.choice import Rest, Transport, choose, must_move_up
from connector.delivery.deadlines.durations import Durations, Observation

NOW = 1_800_000_000.0
LENGTHS = st.floats(0.5, 100_000.0)
SEEN = st.lists(st.builds(Observation, LENGTHS, st.floats(NOW - 5e6, NOW), st.booleans()), max_size=30)
RESTS = st.builds(Rest, st.floats(0, 20_000), st.floats(0, 20_000))


@st.composite
def transports(draw: st.DrawFn) -> list[Transport]:
    """Standard calls, and others at random."""
    made = [Transport("standard", 1.0, Durations(draw(SEEN), NOW, [5.0, 10.0, 60.0]))]
    for name in draw(st.lists(st.sampled_from(["batch", "window-8h", "window-2h", "priority"]), unique=True)):
        price = {"batch": 0.5, "window-8h": 0.6, "window-2h": 0.7, "priority": 2.0}[name]
        settles = None if name == "priority" else Durations(draw(SEEN), NOW, [5.0, 600.0])
        made.append(Transport(name, price, Durations(draw(SEEN), NOW, [1.0, 3_600.0]), settles))
    return made


@given(transports(), st.floats(0, 200_000), st.floats(0, 200_000), RESTS)
def test_more_time_never_takes_a_dearer_transport(ways: list[Transport], left: float, more: float, rest: Rest) -> None:
    one, other = choose(ways, left, rest), choose(ways, left + more, rest)
    if not one.late:
        assert not other.late
        assert other.transport.price <= one.transport.price


@given(transports(), st.floats(0, 200_000), RESTS)
def test_moving_up_is_still_in_time_for_all_that_is_begun(ways: list[Transport], left: float, rest: Rest) -> None:
    found = choose(ways, left, rest)
    fast = min((one for one in ways if one.settles is None), key=lambda one: (one.takes.quantile(0.99), one.price))
    if found.transport.settles is not None:
        assert found.transport.settles.quantile(0.99) + fast.takes.quantile(0.99) + rest.seconds <= left
        assert must_move_up(found.transport, fast, found.needs, rest)
        if left > found.needs * 1.001:
            assert not must_move_up(found.transport, fast, left, rest)
    elif not found.late:
        assert found.transport.takes.quantile(0.99) <= left
    else:
        assert found.transport is fast


@given(SEEN, st.floats(0, 1), st.floats(0, 1), LENGTHS)
def test_quantiles_grow(seen: list[Observation], share: float, other: float, after: float) -> None:
    takes = Durations(seen, NOW, [10.0, 20.0])
    low, high = sorted((share, other))
    assert takes.quantile(low) <= takes.quantile(high)
    assert takes.quantile(share, after) >= min(after, takes.quantile(share, after))
    assert 0 <= takes.share_within(after) <= 1


@given(st.lists(LENGTHS, min_size=1, max_size=30))
def test_what_is_under_way_makes_a_transport_no_faster(lengths: list[float]) -> None:
    ended = [Observation(seconds, NOW) for seconds in lengths]
    lasting = Observation(max(lengths) + 1, NOW, ended=False)
    known, warned = Durations(ended, NOW), Durations([*ended, lasting], NOW)
    assert all(warned.quantile(share) >= known.quantile(share) for share in (0.1, 0.5, 0.9, 0.99))
    assert math.isinf(warned.quantile(1.0))


def test_it_is_the_estimate_of_kaplan_and_meier() -> None:
    """Freireich's 21 patients, as in textbooks: the shares that last longer than 6, 7, 10, 13, 16, 22 and 23 weeks."""
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    lasting = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    seen = [Observation(n, NOW) for n in ended] + [Observation(n, NOW, ended=False) for n in lasting]
    takes = Durations(seen, NOW)
    known = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {week: round(1 - takes.share_within(week), 3) for week in known} == known
    assert takes.quantile(0.5) == 23
    assert math.isinf(takes.quantile(0.9))


def test_what_was_long_ago_counts_less() -> None:
    old = [Observation(36_000.0, NOW - 60 * 86_400)] * 20
    new = [Observation(3_600.0, NOW)] * 20
    assert Durations([*old, *new], NOW).quantile(0.9) == 3_600.0
    assert Durations([*old, *new], NOW - 60 * 86_400).quantile(0.9) == 36_000.0


@pytest.mark.parametrize(
    ("left", "name", "late"), [(86_400.0, "batch", False), (3_000.0, "standard", False), (1.0, "standard", True)]
)
def test_the_words(left: float, name: str, late: bool) -> None:
    standard = Transport("standard", 1.0, Durations([Observation(4.0, NOW)] * 9, NOW))
    batch = Transport(
        "batch", 0.5, Durations([Observation(7_200.0, NOW)] * 9, NOW), Durations([Observation(600.0, NOW)], NOW)
    )
    found = choose([standard, batch], left, Rest(queue=60.0, outage=3_600.0))
    assert (found.transport.name, found.late) == (name, late)
    assert found.reason.startswith(f"{name}: 95 % take {'2.0 h' if name == 'batch' else '4 s'} here, needed in ")
    assert ("moves up when 71 min are left" in found.reason) == (name == "batch")
    assert ("the soonest" in found.reason) == late
