"""JMESPath within a budget."""

from connector.transform.expression.jmespath import compile_jmespath

__all__ = ["compile_jmespath"]
