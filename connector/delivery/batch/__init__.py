"""Delivery by the Batch API: the same requests at half the price, each answered within a day."""

from connector.delivery.batch.accumulator import BatchAccumulator
from connector.delivery.batch.job import BatchDelivery

__all__ = ["BatchAccumulator", "BatchDelivery"]
