"""What is asked of a configuration: one file a rule, each from a configuration's parts to findings."""

from __future__ import annotations

from connector.config.rules.circles import circles
from connector.config.rules.deletions import deletions
from connector.config.rules.engines import engines
from connector.config.rules.names import unused
from connector.config.rules.operations import operations
from connector.config.rules.secrets import plain_secrets
from connector.config.rules.serving import allowed, listener, tokens
from connector.config.rules.shapes import shapes
from connector.config.rules.spending import unpriced
from connector.config.rules.steps import steps
from connector.config.rules.templates import templates
from connector.config.rules.transports import idle, transports
from connector.config.rules.variables import undeclared

__all__ = ["RULES", "STRICT"]

STRICT = (steps, undeclared, engines, templates, circles, transports, unpriced, tokens, listener)
"""What a configuration must fulfil to be loaded."""
RULES = (unused, operations, shapes, plain_secrets, transports, allowed, idle, deletions)
"""What only lint asks."""
