"""A JRXML file is a program. Each of these programs tries to get out, in the Java process that serves reports."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.settings import Settings
from reports import reporter
from reports.reporter import Child, Reporter
from tests import support

FRAME = """<?xml version="1.0" encoding="UTF-8"?>
<jasperReport xmlns="http://jasperreports.sourceforge.net/jasperreports" name="calls" language="{language}"
    pageWidth="595" pageHeight="842" columnWidth="555" leftMargin="20" rightMargin="20" topMargin="20" bottomMargin="20"
    whenNoDataType="AllSectionsNoDetail">
  <parameter name="armed" class="java.lang.String"/>
  <title><band height="100">{body}</band></title>
</jasperReport>
"""
FIELD = """<textField><reportElement x="0" y="0" width="500" height="60"/>
  <textFieldExpression><![CDATA[{expression}]]></textFieldExpression></textField>"""
IMAGE = """<image onErrorType="{on_error}"><reportElement x="0" y="0" width="50" height="50"/>
  <imageExpression><![CDATA[{expression}]]></imageExpression></image>"""


def program(expression: str, language: str = "java") -> str:
    return FRAME.format(language=language, body=FIELD.format(expression=expression))


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A function that runs a hostile report in one real child and returns the answer's head and body."""
    directory = tmp_path_factory.mktemp("jrxml")
    scratch = tmp_path_factory.mktemp("scratch")
    loop = asyncio.new_event_loop()
    process: list[Child] = [loop.run_until_complete(Child.start(scratch, directory, 200))]

    def run(jrxml: str | bytes, output: str = "csv", **parameters: Any) -> tuple[dict[str, Any], bytes]:
        content = jrxml.encode() if isinstance(jrxml, str) else jrxml
        (directory / "hostile.jrxml").write_bytes(content)
        line = reporter.to_line({"report": "hostile", "format": output, "data": {"rows": []}, "parameters": parameters})
        return loop.run_until_complete(process[0].ask(line, 20))

    yield run
    loop.run_until_complete(process[0].end())
    loop.close()


def test_harmless_expression_works(child: Any) -> None:
    """The fences would prove nothing if no expression worked at all."""
    head, body = child(program('"six times seven is " + 6 * 7'), "html")
    assert head["ok"], head
    assert b"six times seven is 42" in body


MARK = "/tmp/cms-report-escaped"

ESCAPES = {
    "run a program": f'Runtime.getRuntime().exec(new String[]{{"touch", "{MARK}"}}).toString()',
    "run a program by a builder": f'new ProcessBuilder("touch", "{MARK}").start().toString()',
    "read a file": 'new String(java.nio.file.Files.readAllBytes(java.nio.file.Paths.get("/etc/passwd")))',
    "read a file by a stream": 'new java.util.Scanner(new java.io.FileInputStream("/etc/passwd")).nextLine()',
    "write a file": f'java.nio.file.Files.write(java.nio.file.Paths.get("{MARK}"), new byte[1]).toString()',
    "open a socket": 'new java.net.Socket("127.0.0.1", 1).toString()',
    "read the environment": 'System.getenv("PATH")',
    "read a property": 'System.getProperty("user.home")',
    "load a class by reflection": 'Class.forName("jdk.internal.misc.Unsafe").getDeclaredMethods()[0].toString()',
    "open a field by reflection": '"" + String.class.getDeclaredField("value").trySetAccessible()',
    "see the engine's classes": '"" + net.sf.jasperreports.engine.util.JRLoader.class.getName()',
    "make a class loader": '"" + new java.net.URLClassLoader(new java.net.URL[0])',
    "have statements of its own, which takes a lambda": (
        "((java.util.function.Supplier<String>) () -> {"
        ' net.sf.jasperreports.engine.util.JRClassLoader.setProtectionDomain(null); return "free"; }).get()'
    ),
    "act in the engine's name": (
        "java.security.AccessController.doPrivileged((java.security.PrivilegedAction<String>)"
        ' () -> System.getenv("PATH"))'
    ),
}


@pytest.mark.parametrize("attempt", ESCAPES)
def test_expression_stays_inside(child: Any, attempt: str) -> None:
    head, body = child(program(ESCAPES[attempt]), "html")
    assert not head["ok"], body
    assert head["code"] == "report.failed"
    assert any(word in head["message"] for word in ("access denied", "not visible", "AccessControl", "Errors were")), (
        head
    )
    assert not Path(MARK).exists()
    assert child(program('"still here"'), "html")[0]["ok"]


@pytest.mark.parametrize("language", ["groovy", "javascript", "bsh"])
def test_scripting_languages_get_nowhere(child: Any, language: str) -> None:
    escape = f'java.lang.Runtime.getRuntime().exec("touch {MARK}").toString()'
    head, body = child(program(escape, language), "html")
    assert not head["ok"], body
    assert not Path(MARK).exists()


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes who comes."""
    visits: list[str] = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", support.free_ports(1)[0]), Note)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", visits
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("on_error", ["Error", "Blank", "Icon"])
def test_pictures_are_not_fetched(child: Any, on_error: str) -> None:
    with listening() as (url, visits):
        for output in ("pdf", "html", "xlsx"):
            child(
                FRAME.format(language="java", body=IMAGE.format(on_error=on_error, expression=f'"{url}/x.png"')), output
            )
    assert visits == []


def test_pictures_are_not_read_from_disk(child: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(bytes.fromhex("89504e470d0a1a0a") + b"the secret picture")
    for expression in (f'"{secret}"', f'"file://{secret}"'):
        head, body = child(
            FRAME.format(language="java", body=IMAGE.format(on_error="Error", expression=expression)), "html"
        )
        assert not head["ok"], body


def test_entities_are_not_read(child: Any) -> None:
    text = '<staticText><reportElement x="0" y="0" width="500" height="60"/><text>before &e; after</text></staticText>'
    declaration, rest = FRAME.format(language="java", body=text).split("\n", 1)
    for entity in ('SYSTEM "file:///etc/passwd"', '"expanded"'):
        head, body = child(f"{declaration}\n<!DOCTYPE r [<!ENTITY e {entity}>]>\n{rest}", "html")
        assert b"root:" not in body
        assert not head["ok"] or b"before" in body


def test_serialised_report_is_refused(child: Any) -> None:
    head, _ = child(bytes.fromhex("aced0005") + b"sr\x00\x04evil")
    assert not head["ok"]


def test_endless_report_is_stopped_and_the_next_is_served(data_dir: Path, tmp_path: Path) -> None:
    """An expression that spins, and one that eats the heap: the child is replaced, others get their report."""
    spin = (
        '"spin".equals($P{armed})'
        ' ? "" + java.math.BigInteger.ONE.shiftLeft(20000000).add(java.math.BigInteger.ONE).isProbablePrime(50)'
        ' : "eat".equals($P{armed}) ? "" + new long[1 << 27].length : "calm"'
    )
    (tmp_path / "calls.jrxml").write_text(program(spin))
    settings = Settings(data_dir=data_dir)

    async def scenario() -> list[dict[str, Any]]:
        server = Reporter(settings, reports=tmp_path, render_s=2)
        task = asyncio.create_task(server.run())
        try:
            return [(await _ask(server, armed))[0] for armed in ("calm", "spin", "calm", "eat", "calm")]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    calm, spun, calm_again, eaten, calm_at_last = asyncio.run(scenario())
    assert calm["ok"]
    assert spun["code"] == "report.timeout"
    assert calm_again["ok"]
    assert eaten["code"] == "report.lost"
    assert calm_at_last["ok"]


async def _ask(server: Reporter, armed: str) -> tuple[dict[str, Any], bytes]:
    reader = asyncio.StreamReader()
    parameters = {"armed": armed}
    reader.feed_data(reporter.to_line({"report": "calls", "format": "html", "data": {}, "parameters": parameters}))
    reader.feed_eof()
    return await server.answer_one(reader)
