"""All steps of ours, by the family that they belong to."""

from connector.transform.steps.calls import HTTP, OPENAI
from connector.transform.steps.control import CHAIN, CONDITIONAL, DATA, MERGER, NODE
from connector.transform.steps.expression import EXPRESSION
from connector.transform.steps.filters import FILTERS
from connector.transform.steps.groups import AGGREGATE, BRANCHER, GROUP_BY
from connector.transform.steps.mapping import MAPPING
from connector.transform.steps.moves import PATTERNS, RELOCATE
from connector.transform.steps.schema import SCHEMA
from connector.transform.steps.signals import SIGNALS
from connector.transform.steps.storage import STORAGES
from connector.transform.steps.tokens import TOKENS
from connector.transform.steps.values import RECURSIVE_COPY, VALUES

__all__ = ["STEPS"]

STEPS = (
    CHAIN,
    DATA,
    NODE,
    BRANCHER,
    CONDITIONAL,
    *VALUES,
    *FILTERS,
    *PATTERNS,
    *RELOCATE,
    *MAPPING,
    GROUP_BY,
    RECURSIVE_COPY,
    MERGER,
    HTTP,
    OPENAI,
    *STORAGES,
    *SIGNALS,
    EXPRESSION,
    SCHEMA,
    AGGREGATE,
    TOKENS,
)
