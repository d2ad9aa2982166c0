"""The instance page: tokens move while it is open, history can be replayed, incidents are retried from it."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.process.conftest import Site

Visit = Callable[..., Page]


def url(instance_id: str, query: str = "") -> str:
    return f"/administration/instances/{instance_id}{query}"


def ready(page: Page) -> Page:
    """Wait until the diagram is drawn and news arrive."""
    page.wait_for_selector("#instance[data-ready=true]")
    page.wait_for_selector("html[data-live=on]", state="attached")
    return page


def test_the_token_moves_within_half_a_second_of_the_key(site: Site, visit: Visit) -> None:
    instance_id = site.start(failures=0)
    site.wait(instance_id, "waiting", "wait_key")
    page = ready(visit(url(instance_id)))
    times = []
    for round_ in range(1, 9):
        pressed = site.press(instance_id, "7")
        expect(page.locator("#at")).to_contain_text(f"step {3 + 3 * round_} of {3 + 3 * round_}")
        times.append(page.evaluate("document.getElementById('instance').dataset.drawn / 1000") - pressed)
    print("key to drawing, seconds:", [round(value, 3) for value in times])
    assert max(times) < 0.5, times
    assert statistics.median(times) < 0.3, times
    site.press(instance_id, "1")
    expect(page.locator("#status")).to_have_text("Completed")
    expect(page.locator("#at")).to_contain_text("Completed")
    expect(page.locator("#live")).to_be_hidden()


def test_an_incident_is_retried_from_the_page_until_the_instance_completes(site: Site, visit: Visit) -> None:
    instance_id = site.start(failures=2)
    site.wait(instance_id, "waiting", "wait_key")
    page = ready(visit(url(instance_id)))
    site.press(instance_id, "1")
    expect(page.locator("#status")).to_have_text("Incident")
    expect(page.locator(".token.incident")).to_be_visible()
    page.click("#tab-incidents")
    expect(page.locator("#p-incidents")).to_contain_text("the directory did not answer (attempt 1)")
    page.click("#p-incidents button:has-text('Retry')")
    ready(page)
    expect(page.locator("#p-incidents")).to_contain_text("the directory did not answer (attempt 2)")
    page.click("#act-retry")
    expect(page.locator("#status")).to_have_text("Completed")
    shown = site.wait(instance_id, "completed")
    assert shown["data"]["practice"] == "Canal Street"
    assert [incident["resolution"] for incident in shown["incidents"]] == ["retried", "retried"]
    page.click("#tab-incidents")
    expect(page.locator("#p-incidents .st.completed")).to_have_count(2)


def test_history_is_replayed_and_secrets_stay_masked(site: Site, visit: Visit) -> None:
    instance_id = site.start(failures=0, order="A-17")
    site.wait(instance_id, "waiting", "wait_key")
    site.press(instance_id, "7")
    site.press(instance_id, "2")
    site.wait(instance_id, "completed")
    page = visit(url(instance_id, "?tab=data"))
    page.wait_for_selector("#instance[data-ready=true]")
    assert "4711" not in page.content()
    expect(page.locator("#p-data")).to_contain_text("•••• masked")
    expect(page.locator("#p-data")).to_contain_text('"Harbour Lane"')
    for flow in ("f_ok", "f_again", "f_back", "f_end"):
        expect(page.locator(f"[data-element-id={flow}]")).to_have_class("djs-element djs-connection visited")
    page.click("#prev")
    page.click("#prev")
    expect(page.locator("#at")).to_contain_text("Look up practice")
    expect(page.locator(".token")).to_have_text("here")
    expect(page.locator("#p-data")).not_to_contain_text("Harbour Lane")
    expect(page.locator("[data-element-id=f_end]")).to_have_class("djs-element djs-connection")
    page.locator("#time").fill("2")
    expect(page.locator("#at")).to_contain_text("Draw a PIN · step 2")
    expect(page.locator("[data-element-id=f_2]")).to_have_class("djs-element djs-connection")
    page.click("#now button, #now")
    expect(page.locator("#at")).to_contain_text("Completed")
    page.click("#tab-history")
    expect(page.locator("#p-history li")).to_have_count(10)


def test_an_instance_is_cancelled_after_a_question(site: Site, visit: Visit) -> None:
    instance_id = site.start(failures=0)
    site.wait(instance_id, "waiting", "wait_key")
    page = ready(visit(url(instance_id)))
    page.click("#act-cancel")
    page.click("text=Cancel the instance")
    expect(page.locator("#status")).to_have_text("Cancelled")
    expect(page.locator("#actions button")).to_have_count(0)
    assert site.wait(instance_id, "cancelled")["tokens"] == []
