"""Routes as in tests of delivery."""

from tests.delivery.conftest import bench

__all__ = ["bench"]
