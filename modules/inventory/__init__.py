"""The inventory: numbers (DIDs and internal ones) and which application answers them.

Public: ``PhoneNumber``; ``add_number``, ``release_number``, ``bind``, ``find_dialled``.
"""

from modules.inventory.models import PhoneNumber
from modules.inventory.numbers import add_number, bind, change_number, find_dialled, release_number

REQUIRES: tuple[str, ...] = ("modules.identity",)

__all__ = ["REQUIRES", "PhoneNumber", "add_number", "bind", "change_number", "find_dialled", "release_number"]
