"""What goes wrong on purpose: by rate, or by the rules of a script."""

from __future__ import annotations

from connector.sandbox.faults.fault import KINDS, Fault
from connector.sandbox.faults.plan import FaultPlan
from connector.sandbox.faults.rules import Rule, rules_of

__all__ = ["KINDS", "Fault", "FaultPlan", "Rule", "rules_of"]
