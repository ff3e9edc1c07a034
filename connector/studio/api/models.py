"""Models: those of the registry, and those that the account has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from connector.errors import ConnectorError
from connector.model import members
from connector.model_registry import Model, ModelRegistry, current_day, load_registry
from connector.model_registry.description import describe_model
from connector.pipeline import Runtime
from connector.studio.access import Context, Viewer
from connector.studio.context import StudioContext
from connector.studio.schemas.models import AccountModels, ModelDetail, ModelList, ModelRow
from connector.subscriber import Subscriber

__all__ = ["router"]

router = APIRouter(tags=["models"])
FRESH = 300.0
"""Seconds for which the account's list is not asked for again."""
SECONDS = 10.0
"""A list of models that takes longer is gone without."""
OPENAI = ("openai", "openai-compatible", "azure-openai")
ClientName = Annotated[str | None, Query(max_length=200, description="The client to ask; by default the first one.")]


@router.get("/models", summary="List the models")
async def list_models(context: Context, _: Viewer, client: ClientName = None) -> ModelList:
    """Return every model of the registry and of the account, with life cycle and prices."""
    account, names = await _ask_account(context, client)
    registry, day, mentioned = _registry(context), current_day(), context.mentioned_models()
    known = {model.name: model for model in registry}
    found = [_row(name, registry.find(name), registry, day, names, mentioned) for name in sorted(names or ())]
    found += [
        _row(name, model, registry, day, names, mentioned) for name, model in known.items() if name not in (names or ())
    ]
    return ModelList(items=found, account=account, as_of=registry.as_of)


@router.get("/models/{id}", summary="Read a model")
async def read_model(id: str, context: Context, _: Viewer, client: ClientName = None) -> ModelDetail:  # noqa: A002  the path's word
    """Return all that is known of a model: life cycle, limits, prices of every tier, and what it refuses."""
    names = (await _ask_account(context, client))[1]
    registry, day, mentioned = _registry(context), current_day(), context.mentioned_models()
    model = registry.find(id)
    if model is None and id not in (names or ()):
        registry.require(id)  # raises UnknownName, with suggestions
    row = _row(id, model, registry, day, names, mentioned)
    described = {} if model is None else describe_model(model, registry, day)
    return ModelDetail(**row.model_dump(), described=described)


async def _ask_account(context: StudioContext, client: str | None) -> tuple[AccountModels, frozenset[str] | None]:
    """Return what the account's list says; None for the names when it could not be asked."""
    clients = context.configuration.clients
    if client is not None:
        context.configuration.find("clients", client)
    name = client or next((one for one, entry in clients.items() if entry.prototype in OPENAI), None)
    if name is None:
        return AccountModels(client=None, asked=False, why="the configuration declares no client of the API"), None
    known = context.account_models.get(name)
    if known is None or context.monotonic() - known[0] > FRESH:
        known = context.account_models[name] = (context.monotonic(), *await _list(context, name))
    _, names, why = known
    return AccountModels(client=name, asked=names is not None, why=why), names


async def _list(context: StudioContext, name: str) -> tuple[frozenset[str] | None, str]:
    quick = {"retry": {"max_retries": 0}, "timeouts": {"total": SECONDS}}
    try:
        async with Runtime(context.configuration, parameters=quick) as runtime:
            read = Subscriber(runtime.client(name), "models", "list").read()
            return frozenset([str(members(each).get("id")) async for each in read]), ""
    except ConnectorError as error:
        return None, context.redactor(str(error))


def _row(
    name: str,
    model: Model | None,
    registry: ModelRegistry,
    day: date,
    names: Collection[str] | None,
    mentioned: Collection[str],
) -> ModelRow:
    prices = model.price_list(day=day) if model is not None else None
    successor = registry.successor(model.name, day) if model is not None else None
    rates: Mapping[str, float] = prices.rates if prices is not None else {}
    return ModelRow(
        id=name,
        kind=model.kind if model is not None else None,
        life_cycle=model.life_cycle(day).value if model is not None else None,
        shutdown=model.shutdown if model is not None else None,
        successor=successor.name if successor is not None else (model.successor or None) if model is not None else None,
        input=rates.get("input"),
        output=rates.get("output"),
        available=None if names is None else name in names,
        used=name in mentioned,
    )


def _registry(context: StudioContext) -> ModelRegistry:
    return load_registry(context.configuration.catalogue_folder)
