"""Transformers: documents changed by chains of declared steps. What must call or keep does so through a Context."""

from connector.transform.chain import Chain, compile_chain
from connector.transform.context import Context, Scope, Storage, TraceEntry
from connector.transform.declaration import Accessor, Condition, Field, Mapper, Step
from connector.transform.errors import ChainFault, Failed, InvalidChain, Skipped, Unfit
from connector.transform.registry import describe, names, registry
from connector.transform.template import Origin, Template, compile_template

__all__ = [
    "Accessor",
    "Chain",
    "ChainFault",
    "Condition",
    "Context",
    "Failed",
    "Field",
    "InvalidChain",
    "Mapper",
    "Origin",
    "Scope",
    "Skipped",
    "Step",
    "Storage",
    "Template",
    "TraceEntry",
    "Unfit",
    "compile_chain",
    "compile_template",
    "describe",
    "names",
    "registry",
]
