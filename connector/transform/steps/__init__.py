"""The steps there are."""

from connector.transform.steps.aggregate import AGGREGATE
from connector.transform.steps.brancher import BRANCHER
from connector.transform.steps.call_http import HTTP
from connector.transform.steps.call_openai import OPENAI
from connector.transform.steps.chain import CHAIN
from connector.transform.steps.conditional import CONDITIONAL
from connector.transform.steps.data import DATA
from connector.transform.steps.expression import EXPRESSION
from connector.transform.steps.filters import FILTERS
from connector.transform.steps.group_by import GROUP_BY
from connector.transform.steps.mapping import MAPPING
from connector.transform.steps.merger import MERGER
from connector.transform.steps.node import NODE
from connector.transform.steps.patterns import PATTERNS
from connector.transform.steps.recursive_copy import RECURSIVE_COPY
from connector.transform.steps.relocate import RELOCATE
from connector.transform.steps.schema import SCHEMA
from connector.transform.steps.signals import SIGNALS
from connector.transform.steps.storages import STORAGES
from connector.transform.steps.tokens import TOKENS
from connector.transform.steps.values import VALUES

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
