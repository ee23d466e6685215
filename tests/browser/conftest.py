"""One app and one browser for all browser tests; a fresh page, and so a fresh editor, for each.

Package scope: Playwright holds an event loop, which must be gone before other packages run theirs.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import running
from tests.helpers.embeddings import embedding_of, of_another_model

TESTS = Path(__file__).parent
NODES = 7  # of the default workflow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium the browser tests are skipped, in words; CI demands them."""
    here = [item for item in items if TESTS in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.browser)
    if running.chromium() is None and not os.environ.get("LATENT_LOOM_REQUIRE_BROWSER"):
        for item in here:
            item.add_marker(pytest.mark.skip(reason=running.HOW_TO_GET_CHROMIUM))


@pytest.fixture(scope="package")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    more = tmp_path_factory.mktemp("more") / "models"
    embedding_of("red circle", more / "embeddings" / "red-ring.safetensors")
    of_another_model(more / "embeddings" / "badhands.safetensors")
    with running.app(tmp_path_factory.mktemp("app"), "--models", str(more)) as address:
        yield address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with running.browser() as started:
        yield started


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """The editor, opened anew on the default workflow. An error of the page fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script("localStorage.setItem('latent-loom.tour', 'seen')")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(url)
    # Only nodes in view are drawn, so all of them are there for good once the view has settled.
    expect(opened.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(opened.locator("[data-node]")).to_have_count(NODES, timeout=30_000)
    yield opened
    context.close()
    assert not errors, f"the page raised errors: {errors}"
