"""The types of the errors of activities, by which workflows and retry policies know them."""

from __future__ import annotations

__all__ = ["CONFLICT", "FAILED", "INVALID", "NOT_DONE", "SKIPPED", "TOO_LARGE", "UNKNOWN"]

UNKNOWN = "CallUnknown"
"""The type of the error of a call that may have taken effect; Temporal does not repeat it."""
FAILED = "CallFailed"
"""Of a call that was refused, or that is wrong; not repeated."""
SKIPPED = "CallSkipped"
"""Of a call of which a person said that it is not to be made; not repeated."""
INVALID = "CallInvalid"
"""Of an activity that was given what it cannot take; not repeated."""
CONFLICT = "CallConflict"
"""Of a key that was used for another call; not repeated."""
TOO_LARGE = "AnswerTooLarge"
"""Of a call that is done, and whose answer no workflow can take; not repeated."""
NOT_DONE = "CallNotDone"
"""Of a call that was not sent, or has to wait; repeated."""
