"""``python -m reports.documents.press``: one document, with limits on memory, time and files, then the end.

Reads an order ``{"sources", "template", "data"}`` from stdin; writes one JSON line and the PDF to stdout.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from engine.kernel.process import die_with_parent
from reports.sandbox import TemplateRefused, render_text

ASSETS = Path(__file__).parent / "assets"
TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".css": "text/css", ".woff2": "font/woff2"}

MEGABYTE = 1_000_000
LIMITS = {
    resource.RLIMIT_AS: 1500 * MEGABYTE,
    resource.RLIMIT_CPU: 40,
    resource.RLIMIT_FSIZE: 0,  # nothing is written to files: the result leaves by the pipe
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 64,
}


class Assets(URLFetcher):
    """Fetches ``data:`` URLs and, by ``asset:name``, files that lie beside this one. Nothing else, by any way."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """Return the resource. A URL of any other kind ends the document: it is a mistake or an attack."""
        if url.startswith("data:"):
            return super().fetch(url, headers)
        name = url.removeprefix("asset:")
        path = ASSETS / name
        if url.startswith("asset:") and path.parent == ASSETS and path.suffix in TYPES and path.is_file():
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": TYPES[path.suffix]})
        raise FatalURLFetchingError(f"{url[:200]} is not available; documents may use data: and asset: URLs only")


def print_order(order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Carry out one order. Returns what to say about it, and the PDF."""
    try:
        text = render_text(order["sources"], order["template"], order["data"])
        document = HTML(string=text, base_url="nowhere:", url_fetcher=Assets()).render()
        pdf = document.write_pdf()
    except TemplateRefused as error:
        return {"refused": error.message}, b""
    except FatalURLFetchingError as error:
        return {"refused": f"The template {order['template']} cannot be used: {error}."}, b""
    except (MemoryError, RecursionError):
        return {"refused": f"The template {order['template']} needs too much memory."}, b""
    return {"pages": len(document.pages)}, pdf


def main() -> None:
    """Take the limits on, print one document, and end."""
    die_with_parent()
    order = json.load(sys.stdin.buffer)
    for limit, value in LIMITS.items():
        resource.setrlimit(limit, (value, value))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    head, pdf = print_order(order)
    out.write(json.dumps(head).encode() + b"\n" + pdf)
    out.flush()


if __name__ == "__main__":
    main()
