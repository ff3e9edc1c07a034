"""What a request asks of its model: whether the model still answers, and which parameters it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, is_object, members
from connector.model_registry import LifeCycle, Model, ModelRegistry, current_day, price_change
from connector.request.validation import Findings, Validate

__all__ = ["ModelRules"]

SENT_ANYWAY = "--validate warn (in a configuration, validate: warn) sends it as it is"


class ModelRules:
    """Checks requests against what is known of the models that they name.

    Args:
        registry: what is known.
        today: the day on which requests are made.
    """

    def __init__(self, registry: ModelRegistry, today: Callable[[], date] = current_day) -> None:
        self._registry = registry
        self._today = today
        # The same for every call of a day.
        self._find_warning = lru_cache(maxsize=256)(self._warn)

    def check(self, operation: Operation, payload: JSON, mode: Validate, findings: Findings) -> None:
        """Add what is wrong with the model of a payload, and with what it is given."""
        name = payload.get("model") if is_object(payload) else None
        model = self._registry.find(name) if isinstance(name, str) else None
        if model is None or not isinstance(name, str) or mode is Validate.OFF or operation.removed:
            return
        today = self._today()
        life_cycle = model.life_cycle(today)
        if life_cycle is LifeCycle.RETIRED:
            findings.judge(mode, [self.retired(name, model)], "payload")
        elif life_cycle is LifeCycle.RETIRES:
            findings.warnings += self._find_warning(name, today)
        if refused := list(self.refused(name, model, operation.name, payload)):
            findings.judge(mode, refused, "payload")

    def retired(self, name: str, model: Model) -> Fault:
        """Return the fault of a model that no longer answers."""
        return Fault("payload.model", f"{name} was shut down on {model.shutdown}", self._instead(model), SENT_ANYWAY)

    def retires(self, name: str, model: Model) -> Fault:
        """Return the warning of a model that soon stops."""
        return Fault("payload.model", f"{name} stops on {model.shutdown}", self._instead(model))

    def _warn(self, name: str, today: date) -> tuple[Fault, ...]:
        """Return the warning of a model that soon stops, if it does on this day."""
        model = self._registry.find(name)
        is_due = model is not None and model.life_cycle(today) is LifeCycle.RETIRES
        return (self.retires(name, model),) if model is not None and is_due else ()

    def _instead(self, model: Model) -> str:
        successor = self._registry.successor(model.name, self._today())
        if successor is None:
            return "`openai-connector models list` shows which models there are"
        prices = price_change(model, successor)
        return f"{successor.name} takes its place{f' ({prices} a million tokens)' if prices else ''}"

    def refused(self, name: str, model: Model, operation: str, payload: JSON) -> Iterator[Fault]:
        """Yield a fault for each parameter of a payload that its model refuses."""
        given = members(payload)
        for refusal in model.refusals(operation):
            if refusal.concerns(given):
                instead = f"give {refusal.instead}" if refusal.instead else "leave it out"
                reason = f": {refusal.reason}" if refusal.reason else ""
                yield Fault(f"payload.{refusal.parameter}", f"{name} refuses it", f"{instead}{reason}", SENT_ANYWAY)
