"""Subgraphs in a real browser: make one, run it, go inside, change it, come out, unpack, undo."""

import re

from playwright.sync_api import Page, expect

from tests.browser import editor

INSIDE = ("Prompt", "Negative prompt", "KSampler")


def choose(page: Page, *titles: str) -> None:
    """Selects the nodes with these titles."""
    for number, title in enumerate(titles):
        name = editor.node(page, title).locator(".node-name")
        name.click(modifiers=["Shift"] if number else [])


def pack(page: Page, name: str, *titles: str) -> None:
    """Makes one node of the nodes, and names it."""
    choose(page, *titles)
    page.keyboard.press("Control+Shift+e")
    field = page.locator(".node-name-field")
    expect(field).to_be_focused()
    field.fill(name)
    page.keyboard.press("Enter")


def menu_of(page: Page, title: str) -> list[str]:
    """The commands in the context menu of the node with this title."""
    editor.node(page, title).locator(".node-name").click(button="right")
    entries = page.locator("[role=menuitem]")
    expect(entries.first).to_be_visible()
    found: list[str] = entries.evaluate_all("all => all.map(one => one.dataset.command)")
    page.keyboard.press("Escape")
    expect(entries).to_have_count(0)
    return found


def states(page: Page) -> list[str | None]:
    return page.locator("[data-node]").evaluate_all("all => all.map(one => one.dataset.state)")


def test_nodes_become_one_that_runs_is_entered_changed_left_and_unpacked(page: Page) -> None:
    before = editor.workflow(page)
    nodes = page.locator("[data-node]")
    editor.run(page)
    first = editor.picture(page, "Save Image")

    pack(page, "Draw", *INSIDE)
    expect(nodes).to_have_count(5)
    outer = editor.node(page, "Draw")
    latent = outer.locator('[data-socket$=":latent:out"]')
    expect(latent).to_have_attribute("aria-label", re.compile("output: Latent, Starter"))
    expect(page.locator("[data-node][data-problem]")).to_have_count(0)

    # A menu has only what can be done: nothing is opened or unpacked that is no subgraph.
    only_of_subgraphs = {"enter", "unpack", "keep-subgraph"}
    assert only_of_subgraphs <= set(menu_of(page, "Draw"))
    assert not only_of_subgraphs & set(menu_of(page, "Save Image"))

    # What was computed before it was packed is known: only saving is done anew.
    editor.run(page)
    assert (editor.picture(page, "Save Image") == first).all()

    outer.locator("[data-enter]").click()
    crumbs = page.locator("[data-test=breadcrumbs]")
    expect(crumbs).to_contain_text("Draw")
    expect(nodes).to_have_count(5)
    expect(page.locator('[data-interface="inputs"]')).to_be_visible()
    page.wait_for_timeout(300)  # ms; what is open is kept within 100
    page.reload()  # the level that is open is open again
    expect(crumbs).to_contain_text("Draw", timeout=30_000)
    expect(page.locator('[data-interface="inputs"]')).to_be_visible()
    expect(editor.node(page, "KSampler")).to_have_attribute("data-state", "cached", timeout=15_000)
    editor.type_prompt(page, "Prompt", "a small green ring")
    sampler = editor.node(page, "KSampler")
    sampler.locator('[data-widget="steps"]').hover()
    sampler.locator('[data-expose="steps"]').click()
    page.keyboard.press("Escape")
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Escape")
    expect(crumbs).to_be_hidden()
    expect(outer.locator('[data-widget="steps"]')).to_be_visible()

    editor.run(page)
    expect(outer).to_have_attribute("data-state", "finished")
    assert not (editor.picture(page, "Save Image") == first).all()

    saved = editor.workflow(page)
    assert saved["subgraphs"]["part"]["widgets"] == {"steps": {"node": "5", "name": "steps"}}
    page.keyboard.press("Control+z")  # the widget that was shown
    page.keyboard.press("Control+z")  # the prompt
    choose(page, "Draw")
    outer.click(button="right", position={"x": 60, "y": 10})
    page.locator('[data-command="unpack"]').click()
    expect(nodes).to_have_count(7)
    assert editor.workflow(page)["nodes"] == before["nodes"]
    page.keyboard.press("Control+z")
    expect(nodes).to_have_count(5)


def test_a_subgraph_is_kept_in_the_library_and_placed_in_another_workflow(page: Page) -> None:
    pack(page, "Draw", *INSIDE)
    choose(page, "Draw")
    editor.node(page, "Draw").click(button="right", position={"x": 60, "y": 10})
    page.locator('[data-command="keep-subgraph"]').click()
    dialog = page.locator("[data-test=dialog]")
    expect(dialog.locator("input")).to_have_value("Draw")
    dialog.locator("input").fill("Draw it")
    page.keyboard.press("Enter")
    expect(page.locator("[data-test=notice]")).to_contain_text("Draw it")
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Alt+n")
    expect(page.locator("[data-node]")).to_have_count(0)
    editor.add_node(page, "Draw it")
    placed = editor.node(page, "Draw")
    expect(placed).to_be_visible()
    expect(placed.locator('[data-problem="missing_input"]')).to_have_count(3)
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-test=breadcrumbs]")).to_contain_text("Draw")
    expect(editor.node(page, "KSampler")).to_be_visible()

    # A wire to "New input" makes a socket of the interface, and one undo takes it away.
    sockets = page.locator('[data-interface="inputs"] [data-socket]')
    expect(sockets).to_have_count(4)
    new, steps = sockets.last, editor.socket(page, "KSampler", "steps", "in")
    editor.drag_wire(page, new, steps)
    expect(sockets).to_have_count(5)
    page.keyboard.press("Control+z")
    expect(sockets).to_have_count(4)

    # What is wrong inside is told outside, too, and the list of problems leads inside.
    editor.node(page, "Prompt").locator(".node-name").click()
    page.keyboard.press("Delete")
    crumbs = page.locator("[data-test=breadcrumbs]")
    crumbs.locator("button").first.click()
    expect(crumbs).to_be_hidden()
    expect(placed).to_contain_text("'Positive' of Draw / KSampler is not connected")
    page.locator("[data-test=panel-problems]").click()
    page.locator(".problem-place").filter(has_text="KSampler").click()
    expect(crumbs).to_be_visible()
    expect(editor.node(page, "KSampler")).to_have_attribute("data-problem", "error")
