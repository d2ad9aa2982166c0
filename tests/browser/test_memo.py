"""The memo, end to end in a browser: a call makes a task appear by itself, a person completes it, a note is written."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.conftest import Watched
from tests.browser.scene import Scene
from tests.support import wait_until


def memos(scene: Scene) -> list[dict[str, Any]]:
    """The memos of the second demo contact, newest first."""
    return scene.platform.query("SELECT * FROM memo WHERE caller = '+4930123457' ORDER BY created_at DESC")


def test_a_memo_is_reviewed_and_its_note_written(scene: Scene, window: Callable[..., Watched]) -> None:
    before = len(memos(scene))
    watched = window("reception")
    page = watched.page
    page.goto("/inbox")
    entries = page.locator("#task-list a", has_text="Benedikt Sommer")
    known = entries.count()
    scene.platform.cms("dial", "1000", "--from", "+4930123457", "--max-duration", "10")
    expect(entries).to_have_count(known + 1, timeout=20_000)  # nobody reloaded the page
    entries.last.click()
    expect(page.get_by_role("heading", name="Review memo")).to_be_visible()
    expect(page.get_by_text("Benedikt Sommer", exact=False).first).to_be_visible()
    page.click("button:has-text('Claim')")
    expect(page.get_by_text("Claimed by you")).to_be_visible()
    page.click("text=Nothing to do, file it")
    page.fill("textarea", "He only wanted to thank us for the quick appointment.")
    page.click("button:has-text('Complete')")
    expect(page.locator(".toast-line")).to_contain_text("Review memo is completed.")
    expect(entries).to_have_count(known)
    assert not watched.complaints

    def written() -> dict[str, Any] | None:
        found = memos(scene)
        return found[0] if len(found) == before + 1 and found[0]["document_file"] else None

    memo = wait_until(written, 30, 0.2, "the note")
    answer = page.request.get(f"{scene.url}/files/{memo['document_file']}")
    assert answer.headers["content-type"] == "application/pdf"
    text = PdfReader(io.BytesIO(answer.body())).pages[0].extract_text()
    assert "Benedikt Sommer" in text
    assert "thank us for the quick appointment" in text
    assert page.request.get(f"{scene.url}/inbox").ok


def test_the_recording_is_heard_in_the_task(scene: Scene, window: Callable[..., Watched]) -> None:
    watched = window("reception")
    page = watched.page
    page.goto(scene.path("/inbox/{task}"))
    page.click("button[aria-label^='Play']")
    expect(page.locator("button[aria-label^='Pause'], .player .at:not(:text('0:00'))").first).to_be_visible()
    wait_until(lambda: page.locator(".wave .off, .wave .on").first.get_attribute("d"), 5, 0.1, "the wave")
    assert not watched.complaints


def test_a_contact_added_in_the_browser_is_found_at_once(scene: Scene, window: Callable[..., Watched]) -> None:
    watched = window("reception")
    page = watched.page
    page.goto("/directory/contacts/new")
    page.fill("#f-name", "Quentin Frost")
    page.fill("#f-numbers-0-number", "030 700 1")
    page.click("text=Add number")
    page.fill("#f-numbers-1-number", "030 7002000")
    page.fill("#f-numbers-0-number", "030 7001000")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#peek h2")).to_have_text("Quentin Frost")
    expect(page.locator("#peek")).to_contain_text("+49 30 7002000")
    page.keyboard.press("Control+k")
    page.fill("#finder input", "7002000")
    page.locator(".finder-hit", has_text="Quentin Frost").click()
    expect(page.locator("#peek h2")).to_have_text("Quentin Frost")
    page.fill("input[name='f.name']", "quentin")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert "f.name=quentin" in page.url
    page.locator("#rows input[name=id]").check()
    page.click("#delete")
    page.locator("dialog.ask >> text=Delete").last.click()
    expect(page.locator(".toast-line")).to_contain_text("Quentin Frost deleted.")
    assert not watched.complaints
