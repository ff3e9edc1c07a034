"""All mappers of ours: each makes one value of another. Null stays null unless a mapper says otherwise."""

from connector.transform.mappers.casts import CASTS
from connector.transform.mappers.dates import DATES
from connector.transform.mappers.encoding import ENCODING, JSON_TEXT
from connector.transform.mappers.lists import LISTS, MEMBERS
from connector.transform.mappers.numbers import NUMBERS
from connector.transform.mappers.strict_schema import STRICTNESS
from connector.transform.mappers.text import CHUNKS, REPLACE, STRINGS
from connector.transform.mappers.values import DICTIONARY, SHAPE

__all__ = ["MAPPERS"]

MAPPERS = (
    *DICTIONARY,
    *CASTS,
    *REPLACE,
    *STRINGS,
    *SHAPE,
    *DATES,
    *LISTS,
    *MEMBERS,
    *JSON_TEXT,
    *NUMBERS,
    *ENCODING,
    *CHUNKS,
    *STRICTNESS,
)
