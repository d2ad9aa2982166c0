"""A browser for tests: Debian's Chromium, one window a user, and a look at everything it complains about."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.browser.scene import Scene, play
from tests.deployment import Platform

ROOT = Path(__file__).parents[2]
DESKTOP, MOBILE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Watched:
    """A window, with what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    #: statuses that the test expects of documents
    expected: set[int] = field(default_factory=lambda: {200, 302, 304})

    def listen(self) -> None:
        """Collect console errors, exceptions, failed requests and unexpected statuses."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        # what a failed request is, is judged by its status
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # a page that is left ends its own open requests
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")


@pytest.fixture(scope="session")
def scene(sqlite_platform: Platform) -> Scene:
    """A platform on which something has happened: calls, a memo, an open task, an upload."""
    sqlite_platform.wait_until_ready()
    return play(sqlite_platform)


@pytest.fixture(scope="session")
def states(chromium: Browser, scene: Scene) -> Callable[[str], Any]:
    """Return the cookies of a logged-in user, made once."""
    kept: dict[str, Any] = {}

    def state(user: str) -> Any:
        if user not in kept:
            context = chromium.new_context()
            page = context.new_page()
            page.goto(f"{scene.url}/login")
            page.fill("#email", scene.email(user))
            page.fill("#password", scene.password(user))
            page.press("#password", "Enter")
            page.wait_for_url(lambda url: "/login" not in url)
            kept[user] = context.storage_state()
            context.close()
        return kept[user]

    return state


@pytest.fixture
def window(chromium: Browser, scene: Scene, states: Callable[[str], Any]) -> Iterator[Callable[..., Watched]]:
    """Open a window for a user: ``window("reception")``, ``window("anna", MOBILE, theme="dark")``."""
    contexts: list[BrowserContext] = []

    def opened(user: str = "", viewport: Any = None, theme: str = "light") -> Watched:
        context = chromium.new_context(
            base_url=scene.url,
            viewport=viewport or DESKTOP,
            color_scheme=theme,  # type: ignore[arg-type]
            storage_state=states(user) if user else None,
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        watched = Watched(page)
        watched.listen()
        return watched

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker as a script."""
    script = ROOT / "node_modules/axe-core/axe.min.js"
    if not script.exists():
        pytest.fail("axe-core is missing: run npm ci --ignore-scripts")
    return script.read_text()


@pytest.fixture
def work_dir() -> Iterator[Path]:
    """A directory for files that the browser uploads or downloads."""
    with tempfile.TemporaryDirectory(prefix="cms-browser-") as directory:
        yield Path(directory)
