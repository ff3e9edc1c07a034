"""What is asked of a configuration: one file a rule, each from a configuration's parts to findings."""

from __future__ import annotations

from connector.config.rules.names import unused
from connector.config.rules.operations import operations
from connector.config.rules.secrets import plain_secrets
from connector.config.rules.shapes import shapes
from connector.config.rules.steps import steps
from connector.config.rules.variables import undeclared

__all__ = ["RULES", "STRICT"]

STRICT = (steps, undeclared)
"""What a configuration must fulfil to be loaded."""
RULES = (unused, operations, shapes, plain_secrets)
"""What only lint asks."""
