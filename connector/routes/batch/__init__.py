"""Routes by the Batch API: the same requests at half the price, each answered within a day."""

from connector.routes.batch.filling import Filling
from connector.routes.batch.shipping import Shipping

__all__ = ["Filling", "Shipping"]
