"""Facts of the `genai-prices` package: names, context windows and prices, read from its wheel as data.

The package's data is a Python file of constructor calls. It is parsed and never imported or run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.model_registry.rates import PER

__all__ = ["PriceFacts", "read_price_facts"]

DATA = "genai_prices/data.py"
PROVIDER = "openai"
UNITS: Mapping[str, str] = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cached_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cached_image",
    "output_image_mtok": "output_image",
    "input_mchars": "characters",
    "audio_hours": "audio_hours",
    "web_searches_kcount": "web_searches",
    "storage_searches_kcount": "file_searches",
}
SAME_AS = frozenset({"input_audio_hours"})
"""Units that repeat another one."""
DATED = re.compile(r"^\^?(?P<base>.+?)-\\d\{4\}-\\d\{2\}-\\d\{2\}\$?$")
TIERS: Mapping[tuple[str, str], str] = {
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("processing", "batch"): "batch",
}
STANDARD = (("service_tier", "default"), ("service_tier", "fast"))
"""Conditions that say nothing more: the standard rates, and another name of the priority tier."""
Node = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What one release of the package says."""

    version: str
    models: Mapping[str, Mapping[str, JSON]]
    unread: list[str] = field(default_factory=list[str])
    """What was found and has no counterpart here."""


def read_price_facts(source: Path) -> PriceFacts:
    """Read the facts from a wheel, or from a folder that one was unpacked into."""
    text, version = _text_of(source)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{source}: {DATA} is not Python that can be read: {error}") from error
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    provider = next((_value(call) for call in calls if _is_provider(call)), None)
    if not is_object(provider):
        raise ConfigurationError(f"{source}: {DATA} has no provider {PROVIDER!r}")
    unread: list[str] = []
    found = {str(each["id"]): _facts(each, unread) for each in _objects(provider.get("models")) if "id" in each}
    if not found:
        raise ConfigurationError(f"{source}: {DATA} has no models of {PROVIDER!r}")
    return PriceFacts(version, found, unread)


def _text_of(source: Path) -> tuple[str, str]:
    try:
        if source.is_dir():
            names = [path.name for path in source.glob("genai_prices-*.dist-info")]
            return (source / DATA).read_text(encoding="utf-8"), _version(names)
        with ZipFile(source) as wheel:
            return wheel.read(DATA).decode("utf-8"), _version(wheel.namelist())
    except (OSError, KeyError, BadZipFile, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{source}: no wheel or folder of genai-prices: {error}") from error


def _version(names: Iterable[str]) -> str:
    found = (re.match(r"genai_prices-([^/]+?)\.dist-info", name) for name in names)
    return next((each.group(1) for each in found if each), "unknown")


def _is_provider(node: ast.Call) -> bool:
    if _callee(node) != "Provider":
        return False
    return any(word.arg == "id" and getattr(word.value, "value", None) == PROVIDER for word in node.keywords)


def _callee(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _value(node: ast.expr) -> JSON:
    """A constructor call as an object that names its class, a date as text, a number as a number."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as plain):
            return plain
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {str(_value(key)): _value(value) for key, value in pairs if key is not None}
        case ast.Call(args=arguments) if _callee(node) == "Decimal":
            return float(str(_value(arguments[0])))
        case ast.Call(args=arguments) if _callee(node) == "date":
            year, month, day = (_value(each) for each in arguments)
            return f"{year:04d}-{month:02d}-{day:02d}"
        case ast.Call(keywords=words):
            return {"is": _callee(node), **{str(word.arg): _value(word.value) for word in words if word.arg}}
        case _:
            return None


def _objects(value: JSON) -> Iterator[Node]:
    for each in value if is_list(value) else ():
        if is_object(each):
            yield each


def _facts(found: Node, unread: list[str]) -> dict[str, JSON]:
    name = str(found["id"])
    facts: dict[str, JSON] = {}
    aliases = sorted({alias for alias in _aliases(found.get("match"), name, unread) if alias not in (name, "")})
    if aliases:
        facts["aliases"] = list(aliases)
    if found.get("context_window"):
        facts["context"] = found["context_window"]
    prices = [_price_list(each, name, unread) for each in _periods(found.get("prices"))]
    if any(set(each) - {"since"} for each in prices):
        facts["prices"] = list(prices)
        tiers = dict(_tiers(found, prices[-1], name, unread))
        if tiers:
            facts["tiers"] = tiers
    elif found.get("prices") == {"is": "ModelPrice"}:
        facts["free"] = True
    return facts


def _aliases(match: JSON, name: str, unread: list[str]) -> Iterator[str]:
    if not is_object(match):
        return
    match match.get("is"):
        case "ClauseOr":
            for each in _objects(match.get("or_")):
                yield from _aliases(each, name, unread)
        case "ClauseEquals":
            yield str(match["equals"])
        case "ClauseStartsWith":
            yield f"{match['starts_with']}*"
        case "ClauseRegex":
            dated = DATED.match(str(match["regex"]))
            if dated is None:
                unread.append(f"{name}: names like {match['regex']}")
            else:
                yield dated.group("base").replace("\\", "")
        case other:
            unread.append(f"{name}: names by {other}")


def _periods(prices: JSON) -> Iterator[tuple[str, Node]]:
    """Each set of prices with the date from which it holds."""
    if is_object(prices):
        yield "", prices
    for each in _objects(prices):
        inner = each.get("prices")
        if is_object(inner):
            yield _since(each), inner


def _price_list(period: tuple[str, Node], name: str, unread: list[str]) -> dict[str, JSON]:
    since, prices = period
    rates: dict[str, JSON] = {}
    above: dict[str, JSON] = {}
    for unit, price in prices.items():
        if unit == "is" or unit in SAME_AS or price is None:
            continue
        if unit not in UNITS:
            unread.append(f"{name}: prices by {unit}")
        elif is_object(price):
            rates[UNITS[unit]] = price["base"]
            tiers = list(_objects(price.get("tiers")))
            if len(tiers) > 1 or (above and tiers and above["tokens"] != tiers[0]["start"]):
                unread.append(f"{name}: more than one step of {unit}")
            for tier in tiers[:1]:
                above["tokens"] = tier["start"]
                above[UNITS[unit]] = tier["price"]
        else:
            rates[UNITS[unit]] = price
    ordered = {unit: rates[unit] for unit in PER if unit in rates}
    return {**({"since": since} if since else {}), **ordered, **({"above": above} if above else {})}


def _tiers(found: Node, standard: Node, name: str, unread: list[str]) -> Iterator[tuple[str, JSON]]:
    for each in _objects(found.get("price_variants")):
        prices, condition = each.get("prices"), _condition(each.get("when"))
        if condition in TIERS and is_object(prices):
            yield TIERS[condition], _tier(_price_list(("", prices), name, unread), standard, _since(each))
        elif condition not in STANDARD:
            unread.append(f"{name}: prices when {' is '.join(condition)}")


def _condition(when: JSON) -> tuple[str, str]:
    if not is_object(when) or len(when) != 1:
        return "", ""
    return next((key, str(value)) for key, value in when.items())


def _since(period: Node) -> str:
    constraint = period.get("constraint")
    return str(constraint.get("start_date", "")) if is_object(constraint) else ""


def _tier(own: Node, standard: Node, since: str) -> JSON:
    """A tier as a factor when all its rates are the standard ones times the same number, else as rates."""
    factors = {
        round(float(str(rate)) / float(str(standard[unit])), 6)
        for unit, rate in own.items()
        if unit != "above" and standard.get(unit)
    }
    dated = {"since": since} if since else {}
    same_units = {unit for unit in standard if unit in PER and PER[unit] > 1000} == set(own) - {"above"}
    if len(factors) == 1 and same_units:
        return {**dated, "factor": factors.pop()}
    return {**dated, **own}
