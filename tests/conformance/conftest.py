"""The small engine of ``tests.engine``."""

from tests.engine.conftest import engine

__all__ = ["engine"]
