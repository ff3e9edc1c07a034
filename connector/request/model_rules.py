"""What a request asks of its model: whether the model still answers, and which parameters it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from time import monotonic

from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, is_object, members
from connector.model_registry import LifeCycle, Model, ModelRegistry, Refusal, current_day, price_change
from connector.request.display import join_names, show_value
from connector.request.validation import Findings, Validate

__all__ = ["ModelRules"]

DAY_SECONDS = 1.0
"""How long a day that was read is taken for the present one."""
SENT_ANYWAY = "--validate warn (in a configuration, validate: warn) sends it as it is"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is known of a model at an operation on a day."""

    retired: Fault | None
    warnings: tuple[Fault, ...]
    refusals: tuple[Refusal, ...]


class ModelRules:
    """Checks requests against what is known of the models that they name.

    Args:
        registry: what is known.
        today: the day on which requests are made.
    """

    def __init__(self, registry: ModelRegistry, today: Callable[[], date] = current_day) -> None:
        self._registry = registry
        self._today = today
        self._day = date.min
        self._day_expires = 0.0
        self._find_verdict = lru_cache(maxsize=256)(self._judge)

    def check(self, operation: Operation, payload: JSON, mode: Validate, findings: Findings) -> None:
        """Add what is wrong with the model of a payload, and with what it is given."""
        name = payload.get("model") if is_object(payload) else None
        if not isinstance(name, str) or mode is Validate.OFF or operation.removed:
            return
        verdict = self._find_verdict(name, operation.name, self._find_day())
        if verdict is None:
            return
        if verdict.retired is not None:
            findings.judge(mode, [verdict.retired], "payload")
        findings.warnings += verdict.warnings
        if refused := list(_iter_refused(name, verdict.refusals, members(payload))):
            findings.judge(mode, refused, "payload")

    def _find_day(self) -> date:
        if monotonic() >= self._day_expires:
            self._day, self._day_expires = self._today(), monotonic() + DAY_SECONDS
        return self._day

    def _judge(self, name: str, operation: str, today: date) -> _Verdict | None:
        """Return what there is to say of a model at an operation; None when that is nothing."""
        model = self._registry.find(name)
        if model is None:
            return None
        life_cycle, refusals = model.life_cycle(today), tuple(model.refusals(operation))
        retired = self.retired(name, model) if life_cycle is LifeCycle.RETIRED else None
        warnings = (self.retires(name, model),) if life_cycle is LifeCycle.RETIRES else ()
        return _Verdict(retired, warnings, refusals) if retired or warnings or refusals else None

    def retired(self, name: str, model: Model) -> Fault:
        """Return the fault of a model that no longer answers."""
        return Fault("payload.model", f"{name} was shut down on {model.shutdown}", self._instead(model), SENT_ANYWAY)

    def retires(self, name: str, model: Model) -> Fault:
        """Return the warning of a model that soon stops."""
        return Fault("payload.model", f"{name} stops on {model.shutdown}", self._instead(model))

    def _instead(self, model: Model) -> str:
        successor = self._registry.successor(model.name, self._find_day())
        if successor is None:
            return "`openai-connector models list` shows which models there are"
        prices = price_change(model, successor)
        return f"{successor.name} takes its place{f' ({prices} a million tokens)' if prices else ''}"

    def refused(self, name: str, model: Model, operation: str, payload: JSON) -> Iterator[Fault]:
        """Return a fault for each parameter of a payload that its model refuses."""
        return _iter_refused(name, model.refusals(operation), members(payload))


def _iter_refused(name: str, refusals: Iterable[Refusal], given: Mapping[str, JSON]) -> Iterator[Fault]:
    for refusal in refusals:
        if refusal.concerns(given):
            reason = f": {refusal.reason}" if refusal.reason else ""
            found, allowed = "it", f"give {refusal.instead}" if refusal.instead else "leave it out"
            if refusal.takes:
                found = show_value(refusal.value_in(given), refusal.parameter)
                allowed = f"allowed: {join_names([str(each) for each in refusal.takes])}"
            yield Fault(f"payload.{refusal.parameter}", f"{name} refuses {found}", f"{allowed}{reason}", SENT_ANYWAY)
