"""Routes by the Batch API: the same requests at half the price, each answered within a day."""

from connector.delivery.batch.filling import Filling
from connector.delivery.batch.shipping import Shipping

__all__ = ["Filling", "Shipping"]
