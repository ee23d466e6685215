"""Everything is a few letters away, and nodes enter and leave their wires."""

from playwright.sync_api import Page, expect

from tests.browser import editor
from tests.browser.test_canvas import drag, middle_of, point_on_wire


def test_the_palette_finds_commands_nodes_and_workflows(page: Page) -> None:
    palette = page.locator("[data-test=palette]")
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()  # its code comes with the first time
    page.keyboard.type("ksmpl")
    expect(palette.locator('[aria-selected="true"]')).to_contain_text("KSampler")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)

    page.keyboard.press("Control+k")
    page.keyboard.type("add a note")
    page.keyboard.press("Enter")
    page.keyboard.type("look here")
    page.keyboard.press("Escape")
    expect(page.locator("[data-note]")).to_contain_text("look here")

    page.keyboard.press("Control+f")
    page.keyboard.type("red circle")  # in the prompt's text
    page.keyboard.press("Enter")
    expect(editor.node(page, "Prompt")).to_have_attribute("data-selected", "true")

    page.locator("[data-test=menu]").click()
    expect(palette.locator(".pick-group").first).to_be_visible()
    page.keyboard.type("minimap")
    page.keyboard.press("Enter")
    expect(page.locator(".minimap")).to_be_visible()
    page.locator("[data-test=canvas]").click(button="right", position={"x": 30, "y": 450})
    page.keyboard.type("minimap")  # letters in a context menu search all commands
    page.keyboard.press("Enter")
    expect(page.locator(".minimap")).to_have_count(0)
    switch = page.locator(".bottom-bar [data-command=minimap]")
    switch.click()
    expect(page.locator(".minimap")).to_be_visible()
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()

    # What is chosen is aligned by the buttons of its menu.
    editor.node(page, "Prompt").locator(".node-name").click()
    editor.node(page, "Empty Latent").locator(".node-name").click(modifiers=["Shift"])
    editor.node(page, "KSampler").locator(".node-name").click(modifiers=["Shift"])
    editor.node(page, "KSampler").locator(".node-name").click(button="right")
    page.locator('.menu-row [data-command="align-bottom"]').hover()
    page.locator('.menu-row [data-command="align-left"]').click()
    places = editor.workflow(page)["layout"]["nodes"]
    chosen = [editor.node_id(page, title) for title in ("Prompt", "Empty Latent", "KSampler")]
    assert len({places[node]["x"] for node in chosen}) == 1


def test_a_node_is_put_on_a_wire_exchanged_and_taken_out_again(page: Page) -> None:
    editor.show_everything(page)
    decode, sampler = editor.node_id(page, "VAE Decode"), editor.node_id(page, "KSampler")
    before = editor.workflow(page)["nodes"]
    page.mouse.click(*point_on_wire(page, f"{decode}:latent"), button="right")
    page.locator('[role=menuitem][data-command="insert"]').click()
    menu = page.locator("[data-test=node-menu]")
    menu.locator("input").fill("flip")
    expect(menu.locator(".pick")).to_have_count(1)  # what gives no latent is not offered
    page.keyboard.press("Enter")
    flip = editor.node_id(page, "Latent Flip")
    nodes = editor.workflow(page)["nodes"]
    assert nodes[flip]["inputs"]["latent"] == {"node": sampler, "output": "latent"}
    assert nodes[decode]["inputs"]["latent"] == {"node": flip, "output": "latent"}

    editor.node(page, "Latent Flip").locator(".node-title").click(button="right")
    page.locator('[role=menuitem][data-command="replace"]').click()
    menu.locator("input").fill("latent rotate")
    expect(menu.locator(".pick").first).to_contain_text("keeps 2 wires")
    page.keyboard.press("Enter")
    expect(editor.node(page, "Latent Rotate")).to_be_visible()
    rotate = editor.node_id(page, "Latent Rotate")
    nodes = editor.workflow(page)["nodes"]
    assert nodes[decode]["inputs"]["latent"] == {"node": rotate, "output": "latent"}

    editor.node(page, "Latent Rotate").locator(".node-title").click()
    page.keyboard.press("Shift+Delete")
    expect(editor.node(page, "Latent Rotate")).to_have_count(0)
    assert editor.workflow(page)["nodes"] == before

    page.keyboard.press("Control+Shift+l")
    expect(page.locator("[data-node]")).to_have_count(7)
    places = editor.workflow(page)["layout"]["nodes"]
    assert places[sampler]["x"] < places[decode]["x"]

    # A node without wires that is dragged onto a wire joins it.
    editor.add_node(page, "Latent Flip")
    editor.show_everything(page)
    target = point_on_wire(page, f"{decode}:latent")
    title = editor.node(page, "Latent Flip").locator(".node-name")
    drag(page, middle_of(editor.node(page, "Latent Flip").locator(".node-title")), target)
    expect(title).to_be_visible()
    flip = editor.node_id(page, "Latent Flip")
    expect(page.locator(f'[data-wire="{flip}:latent"]')).to_be_attached(timeout=10_000)
    page.keyboard.press("Control+z")
    expect(page.locator(f'[data-wire="{flip}:latent"]')).to_have_count(0)

    editor.node(page, "VAE Decode").locator(".node-title").click()
    page.keyboard.press("Control+[")
    expect(page.locator('[data-node][data-selected="true"]')).to_have_count(6)
