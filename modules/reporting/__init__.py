"""Reports for analysts: what each shows, selected for the tenant, and the page and command that make them.

Public: ``OFFERS``, ``find_offer``; ``make_report`` and what it returns.
"""

from modules.reporting.making import OFFERS, MadeReport, Offer, find_offer, make_report

REQUIRES: tuple[str, ...] = ("modules.administration", "modules.identity")

__all__ = ["OFFERS", "REQUIRES", "MadeReport", "Offer", "find_offer", "make_report"]
