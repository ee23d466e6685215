"""Dots on wires, groups, notes and pins: as the hand makes them, and as the file keeps them."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import editor


def middle_of(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def point_on_wire(page: Page, wire: str) -> tuple[float, float]:
    """The middle of a wire on the page."""
    x, y = page.locator(f'path.wire[data-wire="{wire}"]').evaluate(
        """path => {
          const at = path.getPointAtLength(path.getTotalLength() / 2);
          const there = new DOMPoint(at.x, at.y).matrixTransform(path.getScreenCTM());
          return [there.x, there.y];
        }"""
    )
    return x, y


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 8, start[1] + 8, steps=3)
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def test_a_wire_is_bent_and_branched_through_dots(page: Page) -> None:
    editor.show_everything(page)
    decode, sampler = editor.node_id(page, "VAE Decode"), editor.node_id(page, "KSampler")
    page.mouse.dblclick(*point_on_wire(page, f"{decode}:latent"))
    dot = page.locator("[data-dot]")
    expect(dot).to_have_count(1)
    before = middle_of(dot)
    drag(page, before, (before[0], before[1] - 80))
    assert middle_of(dot)[1] < before[1] - 40, "the dot did not follow the hand"

    editor.add_node(page, "Latent Flip")
    editor.show_everything(page)
    x, y = middle_of(dot)
    end = middle_of(editor.socket(page, "Latent Flip", "latent", "in"))
    drag(page, (x + 12, y), end)
    flip = editor.node_id(page, "Latent Flip")
    expect(page.locator(f'[data-wire="{flip}:latent"]')).to_be_attached()
    saved = editor.workflow(page)
    via = {node: saved["layout"]["wires"][node]["latent"]["via"] for node in (decode, flip)}
    assert len(set(via.values())) == 1, "the new wire does not pass through the dot"
    assert saved["nodes"][flip]["inputs"]["latent"] == {"node": sampler, "output": "latent"}
    expect(page.locator("[data-node][data-problem]")).to_have_count(0, timeout=15_000)

    page.keyboard.press("Control+z")
    expect(page.locator(f'[data-wire="{flip}:latent"]')).to_have_count(0)
    dot.click()
    page.keyboard.press("Delete")
    expect(dot).to_have_count(0)
    expect(page.locator(f'[data-wire="{decode}:latent"]')).to_be_attached()


def test_a_group_moves_mutes_and_fits_what_is_in_it(page: Page) -> None:
    editor.show_everything(page)
    editor.node(page, "VAE Decode").locator(".node-title").click()
    editor.node(page, "Save Image").locator(".node-title").click(modifiers=["Shift"])
    page.keyboard.press("Control+g")
    page.keyboard.type("Output")
    page.keyboard.press("Enter")
    group = page.locator("[data-group]")
    title = group.locator(".group-name")
    expect(title).to_have_text("Output")

    before = middle_of(editor.node(page, "Save Image"))
    x, y = middle_of(title)
    drag(page, (x, y), (x, y + 64))
    assert middle_of(editor.node(page, "Save Image"))[1] == pytest.approx(before[1] + 64, abs=12)
    page.keyboard.press("Control+z")
    assert middle_of(editor.node(page, "Save Image"))[1] == pytest.approx(before[1], abs=1)

    title.click()
    group.locator('[data-group-tool="mute"]').click()
    for name in ("VAE Decode", "Save Image"):
        expect(editor.node(page, name)).to_have_attribute("data-mode", "mute")
    expect(editor.node(page, "KSampler")).to_have_attribute("data-mode", "run")
    group.locator('[data-group-tool="mute"]').click()
    group.locator('[data-colour="green"]').click()
    group.locator('[data-group-tool="pin"]').click()
    saved = editor.workflow(page)["groups"]
    assert [(item["title"], item["colour"], item["pinned"]) for item in saved] == [
        ("Output", "green", True)
    ]
    page.keyboard.press("Delete")
    expect(group).to_have_count(0)
    expect(page.locator("[data-node]")).to_have_count(7)


def test_a_note_shows_markdown_and_runs_nothing_in_it(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Shift+N")
    field = page.locator("[data-test=note-field]")
    field.fill(
        "# Steps\n**Few** are [enough](https://example.org).\n\n"
        "<script>document.title='harm'</script><img src=x onerror=\"document.title='harm'\">"
        '<a href="javascript:document.title=1">bad</a>'
    )
    page.keyboard.press("Escape")
    note = page.locator("[data-note]")
    expect(note.locator("h1")).to_have_text("Steps")
    expect(note.locator("strong")).to_have_text("Few")
    expect(note.locator("a").first).to_have_attribute("rel", "noopener noreferrer")
    assert note.locator("script, img, [onerror]").count() == 0
    assert note.locator("a", has_text="bad").get_attribute("href") is None
    assert page.title() != "harm"

    saved = editor.workflow(page)
    body = {"workflow": saved}
    answer = page.request.put(f"{page.url}api/workflows/saved/noted", data=body)
    assert answer.ok, answer.text()
    kept = page.request.get(f"{page.url}api/workflows/saved/noted").json()["workflow"]
    assert kept["notes"] == saved["notes"]
    page.request.delete(f"{page.url}api/workflows/saved/noted")

    page.keyboard.press("Control+z")
    expect(note.locator("h1")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(note).to_have_count(0)
