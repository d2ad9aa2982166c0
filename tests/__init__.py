"""Tests mirror the rooms; what several of them use is in ``tests.support`` and ``tests/conftest.py``."""
