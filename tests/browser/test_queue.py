"""A person sees what runs and waits, and orders, pauses, cancels and repeats it, in every tab."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import editor


@pytest.fixture
def paused(page: Page) -> Iterator[Page]:
    """The editor with its queue panel open and the queue paused, left as it was."""
    page.keyboard.press("Shift+Q")
    page.locator("[data-test=queue-pause]").click()
    expect(page.locator("[data-test=queue-paused]")).to_contain_text("Paused. Nothing is begun.")
    yield page
    page.request.post(page.url + "api/queue/cancel", data={})
    page.request.post(page.url + "api/queue/pause", data={"pause": "no"})


def rows(page: Page) -> Locator:
    return page.locator("[data-test=queue-waiting]")


def order(page: Page) -> list[str | None]:
    return [row.get_attribute("data-run") for row in rows(page).all()]


def queue_runs(page: Page, count: int) -> list[str | None]:
    """Queues runs with the Run button; their ids in the line's order."""
    for _ in range(count):
        page.locator("[data-test=run]").click()
    expect(rows(page)).to_have_count(count)
    return order(page)


def test_waiting_runs_are_reordered_by_pointer_and_keys_and_another_tab_agrees(
    paused: Page,
) -> None:
    first, second, third = queue_runs(paused, 3)
    other = paused.context.new_page()
    other.goto(paused.url)
    other.locator("[data-test=panel-queue]").click()
    expect(other.locator("[data-test=queue-paused]")).to_be_visible()
    expect(rows(other)).to_have_count(3)

    def is_order(*wanted: str | None) -> None:
        for page in (paused, other):
            for place, run in enumerate(wanted):
                expect(rows(page).nth(place)).to_have_attribute("data-run", run or "")

    is_order(first, second, third)
    rows(paused).nth(2).drag_to(rows(paused).nth(0))
    is_order(third, first, second)
    rows(paused).nth(0).focus()
    paused.keyboard.press("Alt+ArrowDown")
    is_order(first, third, second)
    expect(rows(paused).nth(1)).to_be_focused()
    paused.keyboard.press("Alt+ArrowUp")
    is_order(third, first, second)
    rows(paused).nth(2).hover()
    rows(paused).nth(2).locator("[data-test=queue-front]").click()
    is_order(second, third, first)

    rows(other).nth(1).hover()
    rows(other).nth(1).get_by_title("Cancel this run").click()
    expect(rows(paused)).to_have_count(2)
    is_order(second, first)
    other.locator("[data-test=queue-cancel-all]").click()
    other.locator("[data-test=confirm]").click()
    expect(rows(paused)).to_have_count(0)
    other.close()


def test_a_paused_queue_runs_once_it_may_go_on(paused: Page) -> None:
    (run,) = queue_runs(paused, 1)
    expect(paused.locator("[data-test=run-status]")).to_have_text("The queue is paused")
    paused.locator("[data-test=queue-go-on]").click()
    expect(paused.locator("[data-test=queue-paused]")).to_be_hidden()
    paused.locator("[data-test=panel-gallery]").click()
    done = paused.locator(f'[data-test="thumb"][data-run="{run}"]')
    expect(done).to_be_attached(timeout=editor.RUN_SECONDS)


def run_of(page: Page, run: str | None) -> dict[str, Any]:
    found: dict[str, Any] = page.request.get(f"{page.url}api/runs/{run}").json()
    return found


def test_a_waiting_run_is_edited_duplicated_and_given_a_priority(paused: Page) -> None:
    first, second = queue_runs(paused, 2)
    rows(paused).nth(1).focus()
    paused.keyboard.press("Enter")
    paused.locator("[data-test=queue-priority]").select_option("High")
    expect(rows(paused).nth(0)).to_have_attribute("data-run", second or "")
    paused.locator("[data-test=queue-edit]").click()
    sheet = paused.locator("[data-test=run-values]")
    sheet.locator("textarea").first.fill("a large green disc on a white background")
    sheet.locator("[data-test=values-done]").click()
    expect(sheet).to_be_hidden()
    values = run_of(paused, second)["values"]
    assert [*values.values()] == [{"text": "a large green disc on a white background"}]
    paused.locator("[data-test=queue-duplicate]").click()
    expect(rows(paused)).to_have_count(3)
    copy = run_of(paused, order(paused)[1])  # its priority is high, too
    assert copy["copy_of"] == second
    assert copy["values"] == values
    assert run_of(paused, first)["values"] == {}


def test_what_failed_says_why_and_where_and_is_run_again(page: Page) -> None:
    editor.set_number(page, "KSampler", "steps", 2)
    save = editor.node(page, "Save Image")
    save.locator('[data-widget="file_name"]').fill("../out")
    page.keyboard.press("Enter")
    page.locator("[data-test=panel-queue]").click()
    page.locator("[data-test=run]").click()
    failed = page.locator("[data-test=queue-failed]")
    expect(failed).to_contain_text("leads out of the output folder", timeout=editor.RUN_SECONDS)
    failed.locator("[data-test=queue-node]", has_text="Save Image").click()
    expect(save).to_have_attribute("data-selected", "true")
    failed.locator("[data-test=queue-retry-edited]").click()
    sheet = page.locator("[data-test=run-values]")
    sheet.locator('[data-widget="file_name"]').fill("out")
    sheet.locator("[data-test=values-done]").click()
    expect(failed).to_have_count(0)
    page.locator("[data-test=panel-gallery]").click()
    newest = page.request.get(f"{page.url}api/runs?limit=1").json()["runs"][0]
    done = page.locator(f'[data-test="thumb"][data-run="{newest["id"]}"]')
    expect(done).to_be_attached(timeout=editor.RUN_SECONDS)
