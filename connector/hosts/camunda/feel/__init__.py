"""The part of FEEL that result and error expressions are written in; everything else is refused where it stands."""

from __future__ import annotations

from connector.hosts.camunda.feel.parser import Expression, parse_expression
from connector.hosts.camunda.feel.tokens import FeelFault

__all__ = ["Expression", "FeelFault", "parse_expression"]
