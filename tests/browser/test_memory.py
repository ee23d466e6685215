"""A person sees which models are loaded, and lets go of one or of all."""

from playwright.sync_api import Page, expect

from tests.browser import editor


def test_what_a_run_loaded_is_shown_and_freed(page: Page) -> None:
    editor.run(page)
    page.locator("[data-test=worker]").click()
    panel = page.locator("[data-test=memory]")
    rows = panel.locator("[data-loaded]")
    expect(rows).to_have_count(3)
    for part, title in (("model", "Diffusion model"), ("vae", "VAE"), ("clip_l", "Text encoder")):
        row = panel.locator(f'[data-loaded="{part}"]')
        expect(row).to_contain_text(title)
        expect(row).to_contain_text("MB")
    expect(panel.locator("[data-test=memory-sum]")).to_contain_text("GB on CPU")

    panel.locator('[data-loaded="vae"] button').click()
    expect(rows).to_have_count(2)
    expect(page.locator("[data-test=notice]").last).to_contain_text("Freed")

    canvas = page.locator("[data-test=canvas]")
    canvas.click(button="right", position={"x": 30, "y": 450})
    page.locator('[role=menuitem][data-command="free-memory"]').click()
    expect(panel).to_contain_text("No model is loaded")
    expect(panel.locator("[data-test=free-all]")).to_be_disabled()
    assert page.request.get(page.url + "api/memory").json()["models"] == []

    page.keyboard.press("Shift+M")
    expect(panel).to_be_hidden()


def test_a_worker_is_kept_from_other_runs_and_started_anew(page: Page) -> None:
    page.locator("[data-test=worker]").click()
    worker = page.locator("[data-worker-row]")
    state = worker.locator("[data-test=worker-state]")
    expect(state).to_have_text("ready", timeout=editor.RUN_SECONDS)
    worker.get_by_role("button", name="take no other run").click()
    expect(state).to_have_text("ready, takes no other run")
    worker.get_by_role("button", name="take runs again").click()
    expect(state).to_have_text("ready")
    with page.expect_response(lambda answer: answer.url.endswith("/restart")) as done:
        worker.get_by_role("button", name="anew").click()
    assert done.value.ok
    expect(state).to_have_text("ready", timeout=editor.RUN_SECONDS)
