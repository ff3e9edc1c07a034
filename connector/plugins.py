"""The types that authors of plug-ins import.

A plug-in is a distribution that names its kinds under the entry point groups of `GROUPS`. A name that is already taken,
an entry point that cannot be loaded and one of another type are refused with the names of the distributions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.http.parameters import Common as ClientParameters
from connector.http.parameters import Secret, environment
from connector.http.parameters import Section as Parameters
from connector.http.prototypes import Endpoint, FixedEndpoint
from connector.http.prototypes import Prototype as ClientPrototype
from connector.model import Effect, JSONInput, Outcome, State
from connector.model import JSONValue as JSON  # noqa: N814  a type alias
from connector.publishers import Context as PublisherContext
from connector.publishers import DocumentWriter, ImmediateWriter
from connector.publishers import Prototype as PublisherPrototype
from connector.request.wire import Wire
from connector.subscribers import Bookmark, DocumentReader, UnreadableDocument
from connector.subscribers import Context as SubscriberContext
from connector.subscribers import Prototype as SubscriberPrototype
from connector.transform import (
    Accessor,
    Condition,
    Mapper,
    Scope,
    Skipped,
    Step,
    Template,
    Unfit,
    compile_template,
    fields,
)
from connector.transform import Field as StepField

__all__ = [
    "GROUPS",
    "JSON",
    "Accessor",
    "Bookmark",
    "ClientParameters",
    "ClientPrototype",
    "Condition",
    "DocumentReader",
    "DocumentWriter",
    "Effect",
    "Endpoint",
    "FixedEndpoint",
    "ImmediateWriter",
    "JSONInput",
    "Mapper",
    "Outcome",
    "Parameters",
    "PublisherContext",
    "PublisherPrototype",
    "Scope",
    "Secret",
    "Skipped",
    "State",
    "Step",
    "StepField",
    "SubscriberContext",
    "SubscriberPrototype",
    "Template",
    "Unfit",
    "UnreadableDocument",
    "Wire",
    "compile_template",
    "environment",
    "fields",
]

GROUPS: Mapping[str, type] = MappingProxyType(
    {
        "openai_connector.clients": ClientPrototype,
        "openai_connector.subscribers": SubscriberPrototype,
        "openai_connector.publishers": PublisherPrototype,
        "openai_connector.steps": Step,
        "openai_connector.mappers": Mapper,
        "openai_connector.conditions": Condition,
        "openai_connector.accessors": Accessor,
    }
)
"""The entry point groups, each with the type of what its entry points name."""
