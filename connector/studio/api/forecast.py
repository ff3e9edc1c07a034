"""Forecasts: what a route will cost, before it runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from connector.money.forecast import Forecast, Interval, forecast_route
from connector.pipeline import Runtime
from connector.studio.access import Context, Operator
from connector.studio.schemas.forecast import Likely, RouteForecast, WayForecast

__all__ = ["router"]

router = APIRouter(tags=["money"])
Sample = Annotated[int, Query(ge=1, le=1_000, description="How many documents are looked at.")]


@router.get("/routes/{name}/forecast", summary="Foretell what a route costs")
async def foretell_route(name: str, context: Context, _: Operator, sample: Sample = 200) -> RouteForecast:
    """Return what a route will cost and how long it will take, if it runs now.

    Its incoming connection is read from where it stands, and nothing moves on; requests are made and measured, and not
    sent.
    """
    context.configuration.find("routes", name)
    async with Runtime(context.configuration) as runtime:
        return _show(await forecast_route(runtime, context.store, name, sample=sample))


def _show(found: Forecast) -> RouteForecast:
    return RouteForecast.model_validate(
        {
            **{name: getattr(found, name) for name in ("route", "currency", "certainty", "complete")},
            "documents": {name: round(number) for name, number in found.documents.items()},
            "requests": {model: round(number) for model, number in found.requests.items()},
            "input": _likely(found.input),
            "output": _likely(found.output),
            "ways": [
                WayForecast(
                    way=way.way,
                    chosen=way.chosen,
                    money=None if way.money is None else _likely(way.money),
                    seconds=_likely(way.seconds),
                )
                for way in found.ways
            ],
            **{name: getattr(found.basis, name) for name in ("history", "sample")},
            **{name: list(getattr(found.basis, name)) for name in ("counting", "assumed", "left_out")},
        }
    )


def _likely(interval: Interval) -> Likely:
    return Likely(p50=round(interval.p50, 9), p95=round(interval.p95, 9))
