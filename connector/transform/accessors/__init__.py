"""The accessors there are: how a step says which parts of a document it is about."""

from connector.transform.accessors.key import KEY
from connector.transform.accessors.pattern import PATTERN
from connector.transform.accessors.structure import STRUCTURE

__all__ = ["ACCESSORS"]

ACCESSORS = (KEY, PATTERN, STRUCTURE)
