"""Start the Java machine with everything that reports do not need taken away.

A JRXML file is a program: its expressions are compiled to Java classes. Four fences stand around them:
``jdk.serialFilter=!*`` (no object is ever deserialised, so a prepared ``.jasper`` file is refused), the class
filter (scripting languages see no classes), the policy beside this file (no network, no files outside fonts and
libraries, for Jasper itself) and a protection domain without permissions for the reports' own classes.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import jpype

HERE = Path(__file__).parent

#: JAR files that come with pyreportjasper and serve databases, tests and servers that reports never reach
_UNUSED = (
    "ant-",
    "byte-buddy",
    "cdt-java",
    "commons-dbcp",
    "commons-vfs",
    "grizzly",
    "groovy-2.4",
    "hibernate",
    "jandex",
    "javacup",
    "junit",
    "mondrian",
    "net.tascalate",
    "olap4j",
    "testng",
    "tyrus",
    "update4j",
)


def libraries() -> Path:
    """Return the directory of the JAR files in the pyreportjasper package, without importing the package."""
    spec = importlib.util.find_spec("pyreportjasper")
    if spec is None or spec.origin is None:
        raise RuntimeError("pyreportjasper is not installed")
    return Path(spec.origin).parent / "libs"


def start(scratch: Path, memory_mb: int) -> None:
    """Start the JVM of this process; ``scratch`` is the only directory it may write to, and where it stands."""
    lib = libraries()
    os.chdir(scratch)  # Jasper first looks for resources in the working directory
    jars = [str(jar) for jar in sorted(lib.glob("*.jar")) if not jar.name.startswith(_UNUSED)]
    jpype.startJVM(
        f"-Xmx{memory_mb}m",
        "-Xms32m",
        "-Xmn16m",
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:ReservedCodeCacheSize=40m",
        "-XX:MinHeapFreeRatio=10",
        "-XX:MaxHeapFreeRatio=25",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Duser.timezone=UTC",
        "-Duser.language=en",
        "-Dfile.encoding=UTF-8",
        "-Dlog4j2.disable.jmx=true",
        "-Dlog4j2.formatMsgNoLookups=true",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        f"-Djava.io.tmpdir={scratch}",
        "-Djdk.io.permissionsUseCanonicalPath=true",
        f"-Dcms.libraries={lib}",
        f"-Dcms.fences={HERE}",
        # after 15 calls Java would replace reflection by generated classes, which the class filter hides from reports
        f"-Dsun.reflect.inflationThreshold={2**31 - 1}",
        "-Djdk.serialFilter=!*",
        "-Djava.security.manager",
        f"-Djava.security.policy=={HERE / 'report.policy'}",
        f"-Djava.security.properties={HERE / 'report.security'}",
        classpath=jars,
        convertStrings=True,
    )
    _disarm_reports()


def _disarm_reports() -> None:
    """Give the classes of reports a protection domain without permissions, and set Jasper's own limits."""
    certificates: Any = jpype.JArray(jpype.JClass("java.security.cert.Certificate"))(0)
    nowhere = jpype.JClass("java.security.CodeSource")(None, certificates)
    powerless = jpype.JClass("java.security.ProtectionDomain")(nowhere, jpype.JClass("java.security.Permissions")())
    jpype.JClass("net.sf.jasperreports.engine.util.JRClassLoader").setProtectionDomain(powerless)
    context = jpype.JClass("net.sf.jasperreports.engine.DefaultJasperReportsContext").getInstance()
    for name, value in {
        "net.sf.jasperreports.report.class.filter.enabled": "true",
        "net.sf.jasperreports.governor.max.pages.enabled": "true",
        "net.sf.jasperreports.governor.max.pages": "2000",
        "net.sf.jasperreports.default.font.name": "DejaVu Sans",
        "net.sf.jasperreports.default.pdf.embedded": "true",
        "net.sf.jasperreports.export.html.embed.image": "true",
        "net.sf.jasperreports.export.pdf.metadata.creator": "CMS",
    }.items():
        context.setProperty(name, value)
