"""Every page in both themes and widths: no accessibility violation, no complaint of the browser, a picture of each.

Pictures go to ``docs/screenshots`` when ``CMS_SCREENSHOTS`` is set; they change with every run, so they are not
written by the way.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import DESKTOP, MOBILE, ROOT, Watched
from tests.browser.pages import PAGES, Page
from tests.browser.scene import Scene

PICTURES = ROOT / "docs/screenshots"
WEAR = """theme => {
  const root = document.documentElement;
  root.dataset.bsTheme = theme;
  root.style.colorScheme = theme;
  dispatchEvent(new Event("cms-theme"));
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def prepare(watched: Watched, page: Page, scene: Scene, mobile: bool) -> None:
    """Open the page and bring it into its state."""
    window = watched.page
    watched.expected |= {page.status}
    window.goto(scene.path(page.path), wait_until="load")
    window.wait_for_selector(page.ready)
    for verb, *rest in (*page.steps, *(page.mobile_steps if mobile else ())):
        match verb:
            case "click":
                window.click(rest[0])
            case "fill":
                window.fill(rest[0], rest[1])
            case "press":
                window.keyboard.press(rest[0])
            case "upload":
                window.set_input_files(rest[0], {"name": rest[1], "mimeType": "text/csv", "buffer": rest[2].encode()})
            case "wait":
                window.wait_for_selector(rest[0])
    window.evaluate("document.fonts.ready")
    window.wait_for_selector(".htmx-request, .htmx-settling", state="detached")


def violations(watched: Watched, axe: str, page: Page) -> list[str]:
    """Return what axe finds against the A and AA rules."""
    watched.page.evaluate(axe)
    found: dict[str, Any] = watched.page.evaluate(
        "tags => axe.run({ exclude: ['.bjs-powered-by'] }, { runOnly: tags, resultTypes: ['violations'] })", RULES
    )
    return [
        f"{item['id']}: {item['help']}: {'; '.join(node['html'][:160] for node in item['nodes'][:3])}"
        for item in found["violations"]
        if item["id"] not in page.except_rules
    ]


def keep(watched: Watched, name: str) -> None:
    """Keep the picture, unless it is blank."""
    shot = Image.open(io.BytesIO(watched.page.screenshot(animations="disabled")))
    assert shot.convert("L").getextrema()[0] != shot.convert("L").getextrema()[1], f"{name} is a blank picture"
    if os.environ.get("CMS_SCREENSHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        few_colours(shot.convert("RGB")).save(PICTURES / f"{name}.png", optimize=True)


def few_colours(picture: Image.Image) -> Image.Image:
    """Return the picture with 256 colours: the frequent ones exact, because pages are flat, the others near enough."""
    counted = sorted(picture.getcolors(1 << 24) or [], reverse=True)[:160]
    cover = picture.quantize(96, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*chain.from_iterable(colour for _, colour in counted), *cover[: 96 * 3]])  # type: ignore[misc]
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Page, scene: Scene, window: Callable[..., Watched], axe: str) -> None:
    wrong: list[str] = []
    for width, viewport in (("desktop", DESKTOP), ("mobile", MOBILE)):
        watched = window(page.user, viewport)
        prepare(watched, page, scene, width == "mobile")
        for theme in ("light", "dark"):
            watched.page.evaluate(
                WEAR,
                theme,
            )
            watched.page.wait_for_timeout(120)  # charts are drawn anew
            label = f"{page.name}-{width}-{theme}"
            wrong += [f"{label}: {text}" for text in violations(watched, axe, page)]
            too_wide = watched.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if too_wide > 0:
                wrong.append(f"{label}: wider than the window by {too_wide} pixels")
            keep(watched, label)
        wrong += [f"{page.name}-{width}: {text}" for text in watched.complaints]
        watched.page.context.close()
    assert not wrong, "\n".join(wrong)
