"""`models`: what is known of models, which of them retire, and the facts brought up to date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Exit, Option

from connector.cli.arguments import parse_day
from connector.cli.command import group
from connector.cli.options import Config, Entities, Json, catalogue_folder, configuration_at, find_models
from connector.cli.output import print_document, print_line, print_table, print_text, say, wants_json
from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object

if TYPE_CHECKING:
    from connector.model_registry import Model, ModelRegistry, PriceList
    from connector.model_registry.mentions import Mention
    from connector.model_registry.update import Update

__all__ = ["models"]

models = group("What is known of models: list, show, check, update.")


Today = Annotated[
    date | None, Option("--today", metavar="DATE", parser=parse_day, help="Look as on this day; today unless given.")
]
Within = Annotated[int, Option("--within", metavar="DAYS", min=0, help="List models that retire within these days.")]


@models.command("list")
def list_models(
    kind: Annotated[str | None, Option("--kind", metavar="KIND", help="Only this kind, such as text or image.")] = None,
    retired: Annotated[bool, Option("--all", help="Retired models too.")] = False,
    today: Today = None,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """List the models: kind, the day on which they stop, and prices a million tokens."""
    from connector.model_registry import LifeCycle
    from connector.model_registry.description import describe_model

    registry, day = find_models(folder, config), today or _today()
    chosen = [
        model
        for model in registry
        if (kind is None or model.kind == kind) and (retired or model.life_cycle(day) is not LifeCycle.RETIRED)
    ]
    if wants_json(json):
        for model in chosen:
            print_line(describe_model(model, registry, day))
    else:
        head = ("model", "kind", "until", "in", "out")
        print_table(head, (_row(model, day) for model in chosen))
    if not chosen:
        kinds = ", ".join(sorted({model.kind for model in registry}))
        say(f"nothing matches; kinds are {kinds}; --all lists retired models too")


@models.command("show")
def show_model(
    name: Annotated[str, Argument(metavar="MODEL", help="A model, a snapshot of one, or a fine-tuned one.")],
    today: Today = None,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """Show one model: life cycle, limits, prices of every tier, and what it refuses."""
    from connector.model_registry.description import describe_model

    registry = find_models(folder, config)
    document = describe_model(registry.require(name), registry, today or _today())
    if wants_json(json):
        print_document(document)
    else:
        print_text("\n".join(_lines(document)))


@models.command("check")
def check_models(
    places: Annotated[
        list[Path] | None, Argument(metavar="PATH", help="Files and folders; this one unless given.")
    ] = None,
    within: Within = 90,
    apply: Annotated[bool, Option("--apply", help="Write successors in the place of what retires.")] = False,
    diff: Annotated[bool, Option("--diff", help="Show what --apply would write.")] = False,
    defaults: Annotated[bool, Option("--defaults", help="The default model of each role too.")] = False,
    accept: Annotated[
        list[str] | None, Option("--accept", metavar="MODEL", help="A model that may retire all the same.")
    ] = None,
    today: Today = None,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """Say which models in your files retire, and when; exit 1 when there are any."""
    from connector.model_registry.mentions import find_mentions, text_files

    registry, day = find_models(folder, config), today or _today()
    mentions = (each for path in text_files(places or [Path()]) for each in find_mentions(path, registry, day, within))
    found = [each for each in mentions if each.name not in (accept or ())]
    late = _late_defaults(registry, day, within) if defaults else []
    for line in late:
        say(line)
    if apply or diff:
        _replace(found, write=apply)
    elif wants_json(json):
        for each in found:
            print_line(each.as_document())
    elif found:
        head = ("where", "model", "until", "successor", "price")
        print_table(head, (_mention(each) for each in found))
    if not found and not late:
        say(f"no model retires within {within} days, as far as is known on {registry.as_of}")
    raise Exit(1 if late or (found and not apply) else 0)


@models.command("update")
def update_models(
    prices: Annotated[
        str | None, Option("--prices", metavar="SOURCE", help="genai-prices: a version, wheel or folder.")
    ] = None,
    sdk: Annotated[
        str | None, Option("--sdk", metavar="SOURCE", help="The official SDK: a version, wheel or folder.")
    ] = None,
    client: Annotated[
        str | None, Option("--client", metavar="NAME", help="Ask this client's account when its models stop.")
    ] = None,
    into: Annotated[Path | None, Option("--into", metavar="FOLDER", help="The catalogue that is written.")] = None,
    check: Annotated[
        bool, Option("--check", help="Show the difference, write nothing; exit 1 when there is any.")
    ] = False,
    today: Today = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """Bring the facts about models up to date, and show what is different."""
    from connector.declarations import folder as declared
    from connector.model_registry.update import rebuild
    from connector.model_registry.wheels import wheel_of

    source = catalogue_folder(folder, config)
    if client is not None:
        if prices or sdk:
            raise BadParameter("an account is asked by itself: leave out --prices and --sdk")
        update = _account_update(config, client, source or declared("entities"), today or _today())
    else:
        with wheel_of("openai", sdk or "latest") as of_sdk, wheel_of("genai-prices", prices or "latest") as of_prices:
            update = rebuild(of_sdk, of_prices, source or declared("entities"))
    _tell(update)
    if not check and update.changes:
        _write(update, into or source or Path("entities"))
    raise Exit(1 if check and update.changes else 0)


def _today() -> date:
    from connector.model_registry import current_day

    return current_day()


def _row(model: Model, day: date) -> tuple[str, ...]:
    prices = model.price_list(day=day)
    until = model.shutdown.isoformat() if model.shutdown else ""
    return (model.name, model.kind, until, *(_rates(prices) if prices is not None else ("", "")))


def _rates(prices: PriceList) -> tuple[str, str]:
    for unit, words in (("audio_hours", "an hour"), ("characters", "a million characters")):
        if unit in prices.rates:
            return f"{prices.rates[unit]:g} {words}", ""
    first, second = (f"{prices.rates[unit]:g}" if unit in prices.rates else "" for unit in ("input", "output"))
    return (first, second) if prices.rates else ("free", "")


def _lines(document: Mapping[str, JSON]) -> list[str]:
    """One fact a line; lists and objects as lines of their own."""
    lines: list[str] = []
    for key, value in document.items():
        words = key.replace("_", " ")
        if value in (None, "", [], {}):
            continue
        if is_object(value):
            lines += [f"{words}:", *(f"  {name}: {_shown(inner)}" for name, inner in value.items())]
        elif is_list(value):
            lines += [f"{words}:", *(f"  {_shown(each)}" for each in value)]
        else:
            lines.append(f"{words}: {value}")
    return lines


def _shown(value: JSON) -> str:
    if is_object(value):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items() if inner not in (None, ""))
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _late_defaults(registry: ModelRegistry, day: date, within: int) -> list[str]:
    """The default models that retire too soon, unless that is accepted with a reason."""
    from connector.model_registry import LifeCycle

    return [
        f"the default model for {role}, {name}, stops on {model.shutdown}; choose another in models/overlay.yaml"
        for role, name in registry.roles.items()
        if role not in registry.accepted
        and (model := registry.require(name)).life_cycle(day, within) is not LifeCycle.ACTIVE
    ]


def _mention(found: Mention) -> tuple[str, ...]:
    from connector.model_registry import price_change

    until = found.model.shutdown.isoformat() if found.model.shutdown else ""
    successor = found.successor.name if found.successor else ""
    prices = price_change(found.model, found.successor) if found.successor else ""
    return (f"{found.path}:{found.line}", found.name, until, successor, prices)


def _replace(found: list[Mention], *, write: bool) -> None:
    from connector.aio.atomic_file import write_atomically
    from connector.model_registry.mentions import replace_mentions

    left = [each for each in found if each.successor is None]
    for path in dict.fromkeys(each.path for each in found):
        text, diff = replace_mentions(path, [each for each in found if each.path == path])
        if diff:
            print_text(diff.rstrip("\n"))
        if diff and write:
            write_atomically(path, text.encode())
    for each in left:
        say(f"{each.path}:{each.line}: {each.name} has no successor that is known; choose one by hand")


def _account_update(config: Path | None, name: str, entities: Path, day: date) -> Update:
    import asyncio

    from connector.model_registry.update import account_shutdowns, with_shutdowns

    answer = asyncio.run(_models_of(config, name))
    return with_shutdowns(entities, account_shutdowns(answer), day)


async def _models_of(config: Path | None, name: str) -> JSON:
    from connector.config import load
    from connector.config.models import ClientEntry
    from connector.subscriber import Subscriber

    entry = load(configuration_at(config)).find("clients", name)
    if not isinstance(entry, ClientEntry):
        raise ConfigurationError(f"{name!r} is no client")
    async with entry.client() as client:
        return {"data": [each async for each in Subscriber(client, "models", "list").read()]}


def _tell(update: Update) -> None:
    for line in update.changes:
        print_text(line)
    for note in update.notes:
        say(f"not taken over: {note}")
    if not update.changes:
        say("nothing is different")


def _write(update: Update, into: Path) -> None:
    from connector.aio.atomic_file import write_atomically

    for name, data in update.files().items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    say(f"{into}: written")
