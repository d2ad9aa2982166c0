"""Reports and documents: Jasper behind the reporter process, and WeasyPrint documents from templates.

``render`` turns JSON data that the caller selected into one of the shipped reports; ``reports.documents`` has the
operation ``reports.write_document``. The reporter is a process of its own because the Java machine must not fork and
because a report is a program: see ``reports.jvm.machine`` for its fences.
"""

from reports.catalogue import FORMATS, REPORTS, ShippedReport, find_report
from reports.client import Health, probe, render

__all__ = ["FORMATS", "REPORTS", "Health", "ShippedReport", "find_report", "probe", "render"]
