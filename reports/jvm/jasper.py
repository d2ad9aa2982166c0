"""Compile, fill and export reports with Jasper's own interfaces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jpype
from jpype import JClass

#: the page around a report; phones shrink it to its width
HTML_HEADER = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=635">
<title>{title}</title>
</head>
<body style="margin:0;padding:0 0 24px;background:#fff;color:#1a202c">
<main style="width:595px;margin:0 auto">
"""
HTML_FOOTER = "</main>\n</body>\n</html>\n"

DATA_SOURCE = "net.sf.jasperreports.engine.JRDataSource"


class UnknownParameter(Exception):
    """The report declares no such parameter, or not of that type."""


class Jasper:
    """The reports of one directory. A report is compiled on first use and again when its file has changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._compiled: dict[str, tuple[int, Any]] = {}

    def render(self, name: str, output: str, data: dict[str, Any], parameters: dict[str, Any]) -> bytes:
        """Fill report ``name`` and return it in a format.

        ``data["rows"]`` feeds the detail band; any other list feeds the parameter of its name, which the report
        declares as a ``JRDataSource`` and hands to a chart or a table.
        """
        report = self._report(name)
        values = self._parameters(report, parameters, data)
        values.put("REPORT_LOCALE", JClass("java.util.Locale").forLanguageTag(str(parameters.get("locale", "en"))))
        values.put("IS_IGNORE_PAGINATION", JClass("java.lang.Boolean")(output != "pdf"))
        source = _source(data.get("rows", []))
        filled = JClass("net.sf.jasperreports.engine.JasperFillManager").fillReport(report, values, source)
        return _EXPORTS[output](filled)

    def _report(self, name: str) -> Any:
        path = self.directory / f"{name}.jrxml"
        changed = path.stat().st_mtime_ns
        known = self._compiled.get(name)
        if known and known[0] == changed:
            return known[1]
        stream = JClass("java.io.ByteArrayInputStream")(path.read_bytes())
        # compileReport reads XML only; the loader that also accepts serialised reports is never called
        report = JClass("net.sf.jasperreports.engine.JasperCompileManager").compileReport(stream)
        self._compiled[name] = (changed, report)
        return report

    @staticmethod
    def _parameters(report: Any, given: dict[str, Any], data: dict[str, Any]) -> Any:
        declared = {
            str(item.getName()): str(item.getValueClassName())
            for item in report.getParameters()
            if not item.isSystemDefined()
        }
        values = JClass("java.util.HashMap")()
        for name in [name for name, type_name in declared.items() if type_name == DATA_SOURCE]:
            values.put(name, _source(data.get(name, [])))
            del declared[name]
        for name, value in given.items():
            if name == "locale":
                continue
            if name not in declared:
                raise UnknownParameter(f"{name}: the report has {', '.join(sorted(declared))}")
            values.put(name, _java(name, declared[name], value))
        return values


def _source(rows: list[dict[str, Any]]) -> Any:
    stream = JClass("java.io.ByteArrayInputStream")(json.dumps({"rows": rows}).encode())
    source = JClass("net.sf.jasperreports.engine.data.JsonDataSource")(stream, "rows")
    source.setDatePattern("yyyy-MM-dd'T'HH:mm:ss")
    source.setNumberPattern("0.######")
    source.setTimeZone("UTC")
    return source


def _java(name: str, type_name: str, value: Any) -> Any:
    """Return ``value`` as an object of the declared Java class; jpype alone would choose by the Python type."""
    match type_name:
        case _ if value is None:
            return None
        case "java.lang.String":
            return JClass("java.lang.String")(str(value))
        case "java.lang.Integer" | "java.lang.Long" | "java.lang.Double" | "java.lang.Boolean":
            return JClass(type_name)(value)
        case "java.math.BigDecimal":
            return JClass("java.math.BigDecimal")(str(value))
        case "java.util.Date":
            # Jasper formats in UTC; a naive time is the local time that the reader is to see
            instant = datetime.fromisoformat(value).replace(tzinfo=UTC)
            return JClass("java.util.Date")(int(instant.timestamp() * 1000))
    raise UnknownParameter(f"{name}: parameters of {type_name} are not supported")


def _exporter(class_name: str, filled: Any, output: Any) -> Any:
    exporter = JClass(class_name)()
    exporter.setExporterInput(JClass("net.sf.jasperreports.export.SimpleExporterInput")(filled))
    exporter.setExporterOutput(output)
    return exporter


def _pdf(filled: Any) -> bytes:
    return bytes(JClass("net.sf.jasperreports.engine.JasperExportManager").exportReportToPdf(filled))


def _xlsx(filled: Any) -> bytes:
    stream = JClass("java.io.ByteArrayOutputStream")()
    output = JClass("net.sf.jasperreports.export.SimpleOutputStreamExporterOutput")(stream)
    _exporter("net.sf.jasperreports.engine.export.ooxml.JRXlsxExporter", filled, output).exportReport()
    return bytes(stream.toByteArray())


def _csv(filled: Any) -> bytes:
    """Only elements with a column name are written: one header line and the rows, nothing of the layout."""
    writer = JClass("java.io.StringWriter")()
    output = JClass("net.sf.jasperreports.export.SimpleWriterExporterOutput")(writer)
    _exporter("net.sf.jasperreports.engine.export.JRCsvMetadataExporter", filled, output).exportReport()
    # the mark tells spreadsheets that the text is UTF-8
    return b"\xef\xbb\xbf" + str(writer.toString()).encode()


def _html(filled: Any) -> bytes:
    writer = JClass("java.io.StringWriter")()
    output = JClass("net.sf.jasperreports.export.SimpleHtmlExporterOutput")(writer)
    exporter = _exporter("net.sf.jasperreports.engine.export.HtmlExporter", filled, output)
    frame = JClass("net.sf.jasperreports.export.SimpleHtmlExporterConfiguration")()
    frame.setHtmlHeader(HTML_HEADER.format(title=str(filled.getName()).replace("_", " ").capitalize()))
    frame.setHtmlFooter(HTML_FOOTER)
    exporter.setConfiguration(frame)
    exporter.exportReport()
    return str(writer.toString()).encode()


_EXPORTS = {"pdf": _pdf, "xlsx": _xlsx, "csv": _csv, "html": _html}


def resident_mb() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000


def collect_garbage() -> None:
    """Give memory back that the warm-up needed."""
    JClass("java.lang.System").gc()


JavaError = jpype.JException
