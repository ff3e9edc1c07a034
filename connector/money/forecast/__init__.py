"""What a route will cost and how long it will take, before anything is sent."""

from connector.money.forecast.forecast import Counter, forecast_route
from connector.money.forecast.report import Basis, Forecast, WayForecast
from connector.money.forecast.total import Interval

__all__ = ["Basis", "Counter", "Forecast", "Interval", "WayForecast", "forecast_route"]
