"""The PBX portal: applications that answer numbers, and extensions with their SIP accounts.

Public: ``Application``, ``Extension``; ``create_application``, ``templates``, ``bind_number``, ``numbers_of_process``;
``create_extension``, ``extension_of``; ``TenantApplications``, which tells the media room who answers a number.
"""

from modules.portals.pbx.applications import bind_number, create_application, numbers_of_process, templates
from modules.portals.pbx.extensions import create_extension, extension_of
from modules.portals.pbx.models import Application, Extension
from modules.portals.pbx.resolver import TenantApplications

REQUIRES: tuple[str, ...] = ("modules.identity", "modules.inventory")

__all__ = [
    "REQUIRES",
    "Application",
    "Extension",
    "TenantApplications",
    "bind_number",
    "create_application",
    "create_extension",
    "extension_of",
    "numbers_of_process",
    "templates",
]
