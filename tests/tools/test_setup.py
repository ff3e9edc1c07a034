"""`make setup` says what it does while it does it."""

from __future__ import annotations

import sys

from tools.setup import installed, steps

SAID = ["Collecting a==1 (from -r lock)\n", "  Downloading a.whl\n", "Requirement already satisfied: b==2\n",
        "Collecting c==3\n", "Installing collected packages: a, c\n", "Successfully installed a-1 c-3\n"]  # fmt: skip


def test_each_step_is_told():
    told = [step.strip() for step in steps(SAID, 3, every=1)]
    assert told == ["setup: fetched 1 of 3", "setup: fetched 2 of 3", "setup: fetched 3 of 3", "setup: unpacking"]
    assert [step.strip() for step in steps(SAID, 3, every=3)] == ["setup: fetched 3 of 3", "setup: unpacking"]


def test_a_failure_is_shown_with_what_pip_said(capsys):
    program = "import sys; print('Collecting a'); print('ERROR: no such hash'); sys.exit(3)"
    assert installed([sys.executable, "-c", program], 1) == 3
    assert "ERROR: no such hash" in capsys.readouterr().out
