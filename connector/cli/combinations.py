"""Options that do not go together: each is honoured, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

from typer.models import OptionInfo

from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.cli.call import CallOptions
    from connector.cli.options import OutputOptions

__all__ = ["check_call", "check_connection", "check_entity", "check_output", "given"]

REQUEST = ("--path", "--query", "--payload", "--request", "--file", "--set")
APART: tuple[tuple[str, Collection[str], str], ...] = (
    ("--from", REQUEST, "each line holds its own request"),
    ("--from", ("--to",), "each line has an answer of its own, which is printed"),
    ("--stream", ("--to",), "events are printed as they come"),
    ("--all", ("--to",), "entities are printed as they are read"),
    ("--all", ("--stream",), "a list is read page after page"),
)
"""An option, those that it makes meaningless, and why."""
NEEDS = (
    ("--limit", "--all", "only a list that is read to its end has one"),
    ("--concurrency", "--from", "a single call has none"),
)


def given(options: object) -> dict[str, Any]:
    """The options that were given, by their first long name, with their values."""
    kinds = get_type_hints(type(options), include_extras=True)
    found: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]  # every set of options is a dataclass
        value = getattr(options, field.name)
        marks = getattr(kinds[field.name], "__metadata__", ())
        option = next((mark for mark in marks if isinstance(mark, OptionInfo)), None)
        if option is not None and value != field.default:
            found[_long(option)] = value
    return found


def check_output(options: OutputOptions) -> None:
    """Refuses ways of showing a request where none is shown."""
    if options.notation not in (None, "json", "curl"):
        raise ConfigurationError(f"--as {options.notation!r}: json or curl")
    if options.notation is not None and not options.dry_run:
        raise ConfigurationError("--as says how a request is shown: give --dry-run with it, or use `explain`")
    if options.notation == "curl" and options.select is not None:
        raise ConfigurationError("--select picks from JSON: leave out --as curl or --select")


def check_call(options: CallOptions) -> None:
    """Refuses options of one kind of call that another kind would not look at."""
    check_output(options)
    options.logs.check(dry_run=options.dry_run)
    told = given(options)
    for option, others, why in APART:
        both = [other for other in others if other in told]
        if option in told and both:
            raise ConfigurationError(f"{_named(option, options)} and {both[0]} do not go together: {why}")
    for option, needed, why in NEEDS:
        if option in told and needed not in told:
            raise ConfigurationError(f"{option} goes with {needed}: {why}")


def check_connection(options: CallOptions, section: str, allowed: Collection[str]) -> None:
    """Refuses what a connection that was named would not look at: its request stands in its configuration."""
    ignored = [option for option in given(options) if option not in allowed and option not in options.decided]
    if ignored:
        kind = "an incoming" if section == "incoming" else "an outgoing"
        raise ConfigurationError(
            f"{options.entity!r} is {kind} connection, whose request stands in its configuration: "
            f"{', '.join(ignored)} cannot be given with it; {', '.join(sorted(allowed))} can"
        )


def check_entity(options: CallOptions, others: Collection[str]) -> None:
    """Refuses what only a configured connection looks at."""
    ignored = [option for option in given(options) if option in others]
    if ignored:
        raise ConfigurationError(
            f"{ignored[0]} goes with a configured connection, and {options.entity!r} is none that takes it"
        )


def _named(option: str, options: CallOptions) -> str:
    """The option, or the command that stands for it."""
    decided: Mapping[str, str] = options.decided
    return f"`{decided[option]}`" if option in decided else option


def _long(option: OptionInfo) -> str:
    names = (str(name) for name in (option.default, *(option.param_decls or ())))
    return next(name for name in names if name.startswith("--"))
