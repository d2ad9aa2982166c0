"""Pages and calls together: the token follows a caller's key, and an account made on a page counts at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.scene import Scene
from tests.calls.baresip import phone as independent_phone
from tests.faults.phone import Phone
from tests.support import wait_until


def test_the_token_moves_within_half_a_second_of_a_callers_key(scene: Scene, window: Callable[..., Watched]) -> None:
    platform = scene.platform
    caller = Phone(platform.settings)
    try:
        caller.call("2000", "+4930777001")
        rows = wait_until(
            lambda: platform.query(
                "SELECT instance_id FROM call WHERE sip_call_id = :id AND instance_id IS NOT NULL", id=caller.call_id
            ),
            5,
        )
        watched = window("reception")
        page = watched.page
        page.goto(f"/administration/instances/{rows[0]['instance_id']}")
        page.wait_for_selector("#instance[data-ready=true]")
        page.wait_for_selector("html[data-live=on]", state="attached")
        expect(page.locator("#at")).to_contain_text("Offer menu", timeout=20_000)
        pressed = time.time()
        caller.press("9")
        expect(page.locator("#at")).not_to_contain_text("Offer menu")
        drawn = float(page.evaluate("document.getElementById('instance').dataset.drawn / 1000"))
        # the key itself lasts 100 ms, and is known when it ends at the latest
        assert drawn - pressed < 0.5
        assert not watched.complaints
    finally:
        caller.put_down()


def test_an_extension_made_and_disabled_on_its_page_counts_within_a_second(
    scene: Scene, window: Callable[..., Watched], tmp_path: Path
) -> None:
    watched = window("reception")
    page = watched.page
    page.goto("/services/extensions/new")
    page.fill("#f-number", "245")
    page.fill("#f-name", "Spare room")
    password = page.input_value("#f-password")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#peek h2")).to_have_text("Spare room")
    sip_port = scene.platform.settings.sip_port
    with independent_phone(tmp_path / "first", sip_port, "245", password) as phone:
        wait_until(phone.registered, 5)
    page.reload()
    page.click("#peek button:has-text('Disable')")
    page.click("dialog.ask button.btn-danger")
    expect(page.locator("#peek")).to_contain_text("Disabled")
    done = time.monotonic()
    with independent_phone(tmp_path / "second", sip_port, "245", password) as phone:
        wait_until(phone.refused, 5)
        assert not phone.registered()
    assert time.monotonic() - done < 5
    assert not watched.complaints
