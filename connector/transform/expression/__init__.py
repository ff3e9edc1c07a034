"""JMESPath within a budget."""

from connector.transform.expression.jmes import compile_jmespath

__all__ = ["compile_jmespath"]
