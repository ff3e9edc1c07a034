"""What a request holds that is not known, and may only be newer than the catalogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connector.documents import member_path
from connector.model import JSON, Fault
from connector.request.reasons import one_of
from connector.request.shown import listed, shown
from connector.request.spelling import is_moving, is_plausible, is_plural, misspelt, nearest
from connector.suggestions import closest, did_you_mean

__all__ = ["Novelty", "unknown_choice", "unknown_field", "unknown_parameter"]


@dataclass(frozen=True, slots=True)
class Novelty(Fault):
    """A name or a value that is not known, and may only be newer than the catalogue."""

    is_field: bool = True
    misspelt: bool = False
    """Whether it is near a known one, so that it is taken for a misspelling."""


def unknown_field(
    place: str, name: str, known: Collection[str], elsewhere: Collection[str] = (), given: Collection[str] = ()
) -> Novelty:
    """Return a field that is none of the known ones.

    One that other branches of a union know is no misspelling, nor is `models` where `model` is given too.
    """
    near = misspelt(name, tuple(known)) or (() if name in elsewhere else misspelt(name, tuple(elsewhere)))
    near = tuple(one for one in near if not (one in given and is_plural(name, one)))
    allowed = f"known here: {listed(known)}" if known else "no field of that name is known here"
    hint = did_you_mean(near or closest(name, known))
    return Novelty(member_path(place, name), "unknown field", allowed, hint, misspelt=bool(near))


def unknown_parameter(name: str, known: Collection[str]) -> Novelty:
    """Return a parameter that a query does not take."""
    near = misspelt(name, tuple(known))
    allowed = f"the query takes {listed(known)}" if known else "the query takes no parameters"
    hint = did_you_mean(near or closest(name, known))
    return Novelty(f"query.{name}", "unknown parameter", allowed, hint, misspelt=bool(near))


def unknown_choice(place: str, field: str, value: JSON, choices: list[JSON], *, tells_apart: bool) -> Fault:
    """Return a value that is none of the choices: a novelty where choices grow and it is written like one of them."""
    words = (f"found {shown(value, place)}", *one_of(value, choices))
    known = list(dict.fromkeys(choice for choice in choices if isinstance(choice, str)))
    if not is_moving(field, known, tells_apart=tells_apart) or not is_plausible(value, known):
        return Fault(place, *words)
    near = nearest(value, known)
    found, allowed, hint = words
    return Novelty(place, found, allowed, did_you_mean(near) or hint, is_field=False, misspelt=bool(near))
