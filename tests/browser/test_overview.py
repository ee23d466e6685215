"""From far away a large workflow is painted, and is used as if every node were an element."""

import json
import re

from playwright.sync_api import Page, expect

from benchmarks.large_workflow import large

PLACE = """([id]) => {
  const view = getComputedStyle(document.querySelector(".react-flow__viewport")).transform;
  const at = new DOMMatrix(view);
  const place = window.places[id];
  return [at.e + (place.x + 100) * at.a, at.f + (place.y + 20) * at.a];
}"""


def test_painted_nodes_are_chosen_dragged_and_come_near(page: Page) -> None:
    flow = large(12)
    answer = page.request.put(
        f"{page.url}api/workflows/saved/far",
        data=json.dumps({"workflow": flow}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.ok, answer.text()
    page.reload()
    page.locator("[data-test=panel-workflows]").click()
    page.locator('[data-saved="far"]').click()
    picture = page.locator("[data-test=overview]")
    expect(picture).to_be_visible(timeout=15_000)
    expect(picture).to_have_attribute("data-drawn", "120")
    page.evaluate("places => { window.places = places }", flow["layout"]["nodes"])
    assert page.locator("[data-node]").count() < 5

    def over(id_: str) -> tuple[float, float]:
        x, y = page.evaluate(PLACE, [id_])
        page.mouse.move(x, y)
        expect(page.locator(f'[data-node="{id_}"]')).to_be_attached()
        return x, y

    x, y = over("b5_pass0")
    page.mouse.down()
    page.mouse.move(x + 20, y + 30, steps=4)
    page.mouse.up()
    expect(page.locator('[data-node="b5_pass0"]')).to_have_attribute("data-selected", "true")
    moved = page.locator('.react-flow__node[data-id="b5_pass0"]').get_attribute("style") or ""
    place = re.search(r"translate\((-?[\d.]+)px, ?(-?[\d.]+)px\)", moved)
    assert place is not None
    assert float(place[1]) > flow["layout"]["nodes"]["b5_pass0"]["x"]

    left, top = page.evaluate(PLACE, ["b0_load"])
    right, bottom = page.evaluate(PLACE, ["b0_pass3"])
    page.keyboard.down("Shift")
    page.mouse.move(left - 20, top - 20)
    page.mouse.down()
    page.mouse.move(right + 5, bottom + 5, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator('[data-node="b0_load"]')).to_have_attribute("data-selected", "true")

    page.keyboard.press("1")  # 100 %: near enough to read
    expect(picture).to_be_hidden()
    expect(page.locator("[data-node] [data-widget]").first).to_be_attached()
