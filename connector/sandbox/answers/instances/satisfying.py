"""Tries at a value until one passes the schema; what cannot be found is said, never passed off."""

from __future__ import annotations

import jsonschema_rs

from connector.model import JSON
from connector.sandbox.answers.dice import Dice
from connector.sandbox.answers.instances.making import Maker, TooMuch
from connector.sandbox.answers.instances.words import Words

__all__ = ["Unsatisfied", "instance_of"]

TRIES = 24


class Unsatisfied(ValueError):
    """A schema for which no value was found."""


def instance_of(schema: JSON, said: str, seed: str) -> JSON:
    """A value that the schema accepts; the same for the same seed and words."""
    try:
        validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=_nothing)
    except (ValueError, RecursionError) as error:
        # jsonschema_rs names what is wrong on the first line and the whole schema below it.
        raise Unsatisfied(f"not a valid JSON Schema: {str(error).splitlines()[0]}") from error
    words = Words(said)
    for turn in range(TRIES):
        # Every other try leaves out what may be left out: that is what recursion and tight bounds need.
        maker = Maker(schema, Dice(f"{seed}/{turn}/{said}"), words, sparse=turn % 2 == 1)
        try:
            made = maker.value(schema)
        except TooMuch:
            continue
        if validator.is_valid(made):
            return made
    raise Unsatisfied(f"no value was found in {TRIES} tries; the sandbox makes simple ones")


def _nothing(address: str) -> JSON:
    raise ValueError(f"{address[:200]} is not looked up; a schema refers to its own parts only")
