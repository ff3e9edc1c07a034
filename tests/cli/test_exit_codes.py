from __future__ import annotations

import pytest

from connector.cli.exit_codes import ExitCode, of_error, of_outcome, worst
from connector.errors import ConfigurationError
from connector.model import CallFailed, Fault, Outcome, State


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome(State.DONE), 0),
        (Outcome(State.REFUSED), 1),
        (Outcome(State.NOT_SENT, faults=(Fault("a", "b", "c"),)), 2),
        (Outcome(State.UNKNOWN), 3),
        (Outcome(State.NOT_SENT), 4),
    ],
)
def test_an_outcome_s_exit_code(outcome: Outcome, code: int) -> None:
    assert of_outcome(outcome) == code
    assert of_error(CallFailed(outcome)) == code


def test_what_the_caller_did_wrong_is_2() -> None:
    assert of_error(ConfigurationError("no such option")) == ExitCode.INVALID


def test_the_worst_is_what_needs_a_person_most() -> None:
    assert worst([]) == ExitCode.DONE
    assert worst([ExitCode.DONE, ExitCode.INVALID, ExitCode.NETWORK]) == ExitCode.NETWORK
    assert worst([ExitCode.UNKNOWN, ExitCode.REFUSED]) == ExitCode.UNKNOWN
