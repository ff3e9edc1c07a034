"""The conditions there are: what filters and cases ask of a document, a value or a key."""

from connector.transform.conditions.compare import COMPARISONS
from connector.transform.conditions.keys import KEY_CONDITIONS
from connector.transform.conditions.logic import LOGIC
from connector.transform.conditions.matches import MATCHES
from connector.transform.conditions.storage import STORAGE
from connector.transform.conditions.types import TYPES
from connector.transform.conditions.value import VALUE

__all__ = ["CONDITIONS"]

CONDITIONS = (*VALUE, *KEY_CONDITIONS, *COMPARISONS, *TYPES, *MATCHES, *LOGIC, *STORAGE)
