"""All conditions of ours: what filters and cases ask of a document, a value or a key."""

from connector.transform.conditions.logic import KEY_CONDITIONS, LOGIC, VALUE
from connector.transform.conditions.storage import STORAGE
from connector.transform.conditions.values import COMPARISONS, MATCHES, TYPES

__all__ = ["CONDITIONS"]

CONDITIONS = (*VALUE, *KEY_CONDITIONS, *COMPARISONS, *TYPES, *MATCHES, *LOGIC, *STORAGE)
