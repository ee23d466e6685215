"""Over a bad connection, and over a restart of the server, the page shows the true state."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser import editor, running
from tests.browser.bad_connection import BadConnection, bad_connection


def opened(chromium: Browser, url: str) -> Page:
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(url)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=60_000)
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=60_000)
    return page


def start(page: Page) -> str:
    """Presses Run; the run's id."""
    with page.expect_response(re.compile(r"/api/runs$"), timeout=60_000) as posted:
        page.locator("[data-test=run]").click()
    assert posted.value.status == 201, posted.value.text()
    made: str = posted.value.json()["id"]
    return made


def shows_the_end_of(page: Page, url: str, run: str) -> None:
    """The page comes to show what the server at `url` says of the run, which has finished."""
    done = page.locator(f'[data-test="thumb"][data-run="{run}"]')
    expect(done).to_be_attached(timeout=editor.RUN_SECONDS)
    expect(page.locator("[data-test=cancel]")).to_be_hidden(timeout=30_000)
    truth = page.request.get(f"{url}/api/runs/{run}").json()
    assert truth["status"] == "finished"
    for node, state in truth["nodes"].items():
        shown = page.locator(f'[data-node="{node}"]')
        expect(shown).to_have_attribute("data-state", state["state"], timeout=30_000)
    picture = page.locator('[data-node="7"] [data-test=result] img')
    expect(picture).to_have_count(len(truth["outputs"]))


def worsen(proxy: BadConnection) -> None:
    proxy.delay, proxy.loss, proxy.swap = 0.3, 0.2, 0.2


def test_a_slow_dropping_and_swapping_connection_ends_in_the_true_state(
    chromium: Browser, url: str
) -> None:
    with bad_connection(url) as proxy:
        page = opened(chromium, proxy.url)
        worsen(proxy)
        editor.set_number(page, "KSampler", "steps", 30)
        run = start(page)
        expect(page.locator("[data-test=cancel]")).to_be_visible(timeout=30_000)
        proxy.cut()  # and taken up again in the middle
        shows_the_end_of(page, url, run)
        again = start(page)
        shows_the_end_of(page, url, again)
        assert proxy.lost + proxy.swapped > 10, "the connection was not bad enough"
        assert proxy.sockets > 1, "the page never had to ask for what it missed"
        page.context.close()


def test_a_server_that_is_restarted_in_the_middle_of_a_run_is_found_again(
    chromium: Browser, tmp_path: Path
) -> None:
    with bad_connection("http://127.0.0.1:9") as proxy:
        with running.app(tmp_path) as first:
            proxy.target = first
            page = opened(chromium, proxy.url)
            editor.set_number(page, "KSampler", "steps", 250)
            run = start(page)
            step = editor.node(page, "KSampler").locator("[data-test=node-step]")
            expect(step).to_be_visible(timeout=editor.RUN_SECONDS)
        banner = page.locator("[data-test=banner]")
        expect(banner).to_contain_text("reconnects", timeout=15_000)
        with running.app(tmp_path) as second:
            proxy.target = second
            expect(banner).to_be_hidden(timeout=30_000)
            shows_the_end_of(page, second, run)
            page.context.close()
