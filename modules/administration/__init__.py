"""Administration: what keeps the platform in touch with people. Sends mail, and catches it where no server is set.

Public: the operation ``administration.send_mail``; ``post_mail`` for mail that no diagram sends (passwords);
``add_mail_templates`` for modules that bring their own; ``CaughtMail`` and ``forget_mails`` for pages and retention.
"""

from modules.administration.brand import Brand, brand_of
from modules.administration.models import CaughtMail
from modules.administration.operations import forget_mails, post_mail, send_mail
from modules.administration.templates import add_mail_templates

REQUIRES: tuple[str, ...] = ("identity",)

__all__ = [
    "REQUIRES",
    "Brand",
    "CaughtMail",
    "add_mail_templates",
    "brand_of",
    "forget_mails",
    "post_mail",
    "send_mail",
]
