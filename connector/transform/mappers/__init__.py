"""The mappers there are: each makes one value of another. Null stays null unless a mapper says otherwise."""

from connector.transform.mappers.casts import CASTS
from connector.transform.mappers.chunks import CHUNKS
from connector.transform.mappers.dates import DATES
from connector.transform.mappers.dictionary import DICTIONARY
from connector.transform.mappers.encoding import ENCODING
from connector.transform.mappers.jsontext import JSON_TEXT
from connector.transform.mappers.lists import LISTS
from connector.transform.mappers.members import MEMBERS
from connector.transform.mappers.numbers import NUMBERS
from connector.transform.mappers.replace import REPLACE
from connector.transform.mappers.shape import SHAPE
from connector.transform.mappers.strictness import STRICTNESS
from connector.transform.mappers.strings import STRINGS

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
