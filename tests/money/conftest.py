"""Routes as in tests of delivery, and a database of PostgreSQL's."""

from tests.delivery.conftest import bench
from tests.engine.conftest import postgres

__all__ = ["bench", "postgres"]
