"""The browser phone against a whole platform: a newcomer calls the company's menu, hears it, and presses a key."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, expect

from modules.identity.demo import demo_password
from tests import support
from tests.deployment import Platform


def digits_collected(platform: Platform) -> list[dict[str, Any]]:
    """What callers of the menu have pressed, by the history of its processes."""
    return platform.query("SELECT output FROM history WHERE element_id = 'offer_menu' ORDER BY id")


def test_a_newcomer_hears_the_menu_and_his_key_arrives(platform: Platform, chromium: Browser) -> None:
    context = chromium.new_context(permissions=["microphone"])
    page = context.new_page()
    before = len(digits_collected(platform))
    page.goto(f"{platform.url}/login?next=/phone")
    page.get_by_label("Mail address").fill("anna@larkspur.example")
    page.get_by_label("Password").fill(demo_password(platform.settings))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{platform.url}/phone")
    phone = page.locator("#phone")
    expect(phone).to_have_attribute("data-state", "ready", timeout=20_000)
    page.get_by_role("button", name="Call Company menu, 2000").click()
    expect(phone).to_have_attribute("data-state", "talking", timeout=20_000)

    def heard() -> bool:
        found = page.evaluate("cms.phone.statistics()")
        return found is not None and found["received"] > 100 and found["sent"] > 100 and found["level"] > 0.001

    support.wait_until(heard, 20, 0.2, "the greeting")
    page.get_by_role("button", name="Keypad").click()
    page.get_by_role("button", name="2", exact=True).click()
    rows = support.wait_until(lambda: digits_collected(platform)[before:], 15, 0.2, "the key in the history")
    assert '"2"' in str(rows[0]["output"]).replace("'", '"')
    page.get_by_role("button", name="Hang up").click()
    expect(phone).to_have_attribute("data-state", "ready")
    context.close()
