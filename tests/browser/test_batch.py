"""A person lets values vary, sees what that will be, and watches the grid fill with pictures."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser import editor


def pick_widget(page: Page, axis: Locator, name: str) -> None:
    axis.locator("[data-test=axis-widget]").click()
    page.get_by_role("combobox", name="Search values").fill(name)
    page.keyboard.press("Enter")
    expect(axis.locator("[data-test=axis-widget]")).to_contain_text(name)


def test_values_vary_as_a_grid_that_fills_with_pictures(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    sampler = editor.node(page, "KSampler").locator('[data-widget="sampler"]')
    sampler.click(button="right")
    page.locator('[data-command="vary"]').click()
    dialog, axes = page.locator("[data-test=batch]"), page.locator("[data-test=batch-axis]")
    expect(axes).to_have_count(1)
    before = axes.locator('[aria-pressed="true"]')
    before.click()  # what the workflow has is chosen: here it is not wanted
    expect(page.locator("[data-test=axis-trouble]")).to_have_text(
        "Give Sampler at least one value."
    )
    for name in ("euler", "heun"):
        axes.locator(f'[data-choice="{name}"]').click()

    page.locator("[data-test=batch-add]").click()
    pick_widget(page, axes.nth(1), "Steps")
    axes.nth(1).locator("[data-test=axis-values]").fill("0, 2")
    trouble = axes.nth(1).locator("[data-test=axis-trouble]")
    expect(trouble).to_contain_text("must be at least 1")
    expect(page.locator("[data-test=batch-queue]")).to_be_disabled()
    lines = {"name": "steps.txt", "mimeType": "text/plain", "buffer": b"1\n2\n"}
    axes.nth(1).locator("[data-test=axis-local]").set_input_files(files=[lines])
    count = page.locator("[data-test=batch-count]")
    expect(count).to_have_text("4 runs (2 × 2)")
    axes.nth(1).locator("[data-test=axis-together]").check()
    expect(count).to_have_text("2 runs")
    axes.nth(1).locator("[data-test=axis-together]").uncheck()
    page.locator("[data-test=batch-add]").click()
    pick_widget(page, axes.nth(2), "Text")
    axes.nth(2).locator("[data-test=axis-kind]").select_option("wildcards")
    axes.nth(2).locator("[data-test=axis-text]").fill("a {red|blue} disc on a white background")
    axes.nth(2).locator("[data-test=axis-count]").fill("2")
    axes.nth(2).locator("[data-test=axis-seed]").fill("1")  # draws both, not one of them twice
    expect(count).to_have_text("8 runs (2 × 2 × 2)")
    axes.nth(2).locator("[data-test=axis-kind]").select_option("lines")
    upload = axes.nth(2).locator("[data-test=axis-upload]")
    upload.set_input_files(files=[{**lines, "name": "photo.txt", "buffer": b"\xff\xd8\xff"}])
    expect(axes.nth(2)).to_contain_text("photo.txt is no UTF-8 text")
    discs = b"a red disc on a white background\na blue disc on a white background\n"
    upload.set_input_files(files=[{**lines, "name": "discs.txt", "buffer": discs}])
    expect(axes.nth(2).locator("[data-test=axis-file]")).to_have_value(re.compile("discs"))
    expect(count).to_have_text("8 runs (2 × 2 × 2)")
    page.locator("[data-test=batch-name]").fill("Samplers")
    page.locator("[data-test=batch-queue]").click()
    expect(dialog).to_be_hidden()

    grid = page.locator("[data-test=grid]")
    expect(grid.locator("thead th")).to_have_count(3)
    expect(grid.locator('tbody th[scope="row"]')).to_have_text(["1", "2"])
    expect(grid.locator("[data-test=grid-count]")).to_have_text(
        "8 of 8", timeout=editor.RUN_SECONDS
    )
    cells = grid.locator('[data-test=grid-cell][data-state="finished"]')
    expect(cells).to_have_count(4)
    first = cells.first.get_attribute("title") or ""
    grid.locator("[data-test=grid-axis]").select_option(index=1)
    expect(cells.first).not_to_have_attribute("title", first)
    for kind, form in (("png", "image/png"), ("html", "text/html")):
        link = grid.locator(f"[data-test=grid-{kind}]").get_attribute("href") or ""
        answer = page.request.get(page.url.rstrip("/") + link)
        assert answer.ok, link
        assert form in answer.headers["content-type"]

    cells.first.click()
    viewer = page.locator("[data-test=viewer]")
    expect(viewer.locator("[data-test=viewer-count]")).to_contain_text("of 8")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    page.keyboard.press("Escape")
    expect(grid).to_be_hidden()
    page.locator("[data-test=panel-queue]").click()
    batch = page.locator("[data-test=queue-batch]", has_text="Samplers")
    expect(batch).to_contain_text("8 done")
    batch.locator("[data-test=queue-grid]").click()
    expect(grid).to_be_visible()


def test_the_dialog_opens_by_a_key_and_keeps_the_focus_inside(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    page.keyboard.press("Shift+B")
    dialog = page.locator("[data-test=batch]")
    expect(dialog.locator("[data-test=axis-kind]")).to_have_value("seeds")
    expect(page.locator("[data-test=batch-count]")).to_have_text("4 runs")
    page.locator("[data-test=batch-add]").click()  # more of the same node, not its checkpoint
    expect(page.locator("[data-test=batch-axis]").nth(1)).to_contain_text("KSampler · Steps")
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate("Boolean(document.activeElement.closest('[data-test=batch]'))")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
