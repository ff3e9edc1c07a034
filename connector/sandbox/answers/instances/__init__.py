"""A value that satisfies a JSON Schema, made of the words that were said."""

from connector.sandbox.answers.instances.satisfying import Unsatisfied, instance_of

__all__ = ["Unsatisfied", "instance_of"]
