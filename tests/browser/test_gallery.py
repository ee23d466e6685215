"""A person finds pictures again, stars, compares and throws them away, and looks at one closely."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import editor


def tile(page: Page, run: str) -> Locator:
    return page.locator(f'[data-test=gallery-sheet] [data-test=thumb][data-run="{run}"]')


def newest_run(page: Page) -> str:
    run: str = page.request.get(f"{page.url}api/runs?limit=1").json()["runs"][0]["id"]
    return run


def make(page: Page, prompt: str) -> str:
    """Makes a picture; the id of its run."""
    editor.type_prompt(page, "Prompt", prompt)
    editor.run(page)
    return newest_run(page)


def test_pictures_are_found_starred_compared_and_thrown_away(page: Page) -> None:
    editor.set_number(page, "KSampler", "steps", 2)
    star = make(page, "a large orange star on a gallerygreen background")
    editor.set_number(page, "Empty Latent", "width", 192)  # of another shape than the first
    disc = make(page, "a small black disc on a gallerygreen background")
    page.keyboard.press("Escape")
    page.locator("[data-test=open-gallery]").click()
    sheet = page.locator("[data-test=gallery-sheet]")
    tiles = sheet.locator("[data-test=thumb]")
    sheet.locator("[data-test=gallery-search]").fill("gallerygreen")
    expect(tiles).to_have_count(2)
    expect(tiles.first).to_have_attribute("data-run", disc)  # the newest first
    expect(sheet.locator("[data-test=gallery-total]")).to_have_text("2 pictures")
    sheet.locator("[data-test=gallery-family]").select_option(index=1)
    expect(tiles).to_have_count(2)
    sheet.locator("[data-test=gallery-search]").fill("gallerygreen orange")
    expect(tiles).to_have_count(1)
    tile(page, star).focus()
    page.keyboard.press("s")
    sheet.locator("[data-test=gallery-search]").fill("gallerygreen")
    sheet.locator("[data-test=gallery-starred]").click()
    expect(tiles).to_have_count(1)
    expect(tile(page, star)).to_be_visible()
    sheet.locator("[data-test=gallery-starred]").click()
    expect(tiles).to_have_count(2)

    tiles.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    sheet.locator("[data-test=gallery-compare]").click()
    viewer = page.locator("[data-test=viewer]")
    slider = viewer.locator("[data-test=compare]")
    slider.focus()
    page.keyboard.press("End")
    other = viewer.locator("[data-test=viewer-other]")
    expect(other).to_have_attribute("style", re.compile(r"inset\(0px 0px 0px 100%\)"))
    # Two shapes are compared: the other one is fitted into the first one's frame, not stretched.
    expect(other).to_have_css("object-fit", "contain")
    sizes = viewer.locator(".viewer-picture img").evaluate_all(
        "all => all.map(image => image.naturalWidth / image.naturalHeight)"
    )
    assert sorted(sizes) == [1.0, 1.5]
    page.keyboard.press("Escape")

    sheet.locator("[data-test=gallery-to-trash]").click()
    expect(tiles).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(tiles).to_have_count(2)
    tile(page, disc).focus()
    page.keyboard.press("Delete")
    expect(tiles).to_have_count(1)
    expect(tile(page, star)).to_be_visible()
    sheet.locator("[data-test=gallery-trash]").click()
    expect(tile(page, disc)).to_be_visible()
    sheet.get_by_role("checkbox", name="Choose this picture").first.click()
    sheet.locator("[data-test=gallery-restore]").click()
    expect(tiles).to_have_count(0)
    sheet.locator("[data-test=gallery-trash]").click()
    expect(tiles).to_have_count(2)


def test_a_picture_is_looked_at_closely_and_its_workflow_opened(page: Page) -> None:
    editor.set_number(page, "KSampler", "steps", 2)
    first = make(page, "a large purple ring on a viewergrey background")
    second = make(page, "a large yellow ring on a viewergrey background")
    search = page.locator("[data-test=gallery-search]")
    search.fill("viewergrey")
    thumbs = page.locator("[data-test=thumb]")
    expect(thumbs).to_have_count(2)
    page.locator(f'[data-test=thumb][data-run="{second}"]').click()
    viewer = page.locator("[data-test=viewer]")
    expect(viewer.locator("[data-test=viewer-count]")).to_have_text("1 of 2")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator("[data-test=viewer-count]")).to_have_text("2 of 2")
    about = viewer.locator("[data-test=viewer-info]")
    expect(about).to_contain_text("a large purple ring on a viewergrey background")
    expect(about).to_contain_text("128 × 128")
    expect(about).to_contain_text("KSampler")
    stage = viewer.locator("[data-test=viewer-stage]")
    page.keyboard.press("1")
    expect(stage).to_have_attribute("data-zoom", "100")
    page.keyboard.press("+")
    expect(stage).to_have_attribute("data-zoom", "125")
    with page.expect_response(re.compile(r"/again$")) as again:
        page.keyboard.press("r")
    assert again.value.status == 201
    assert again.value.json()["copy_of"] == first
    assert again.value.json()["values"], "the seed is the same"
    page.request.post(f"{page.url}api/runs/{again.value.json()['id']}/cancel")
    viewer.locator("[data-test=open-workflow]").click()
    expect(viewer).to_be_hidden()
    text = editor.node(page, "Prompt").locator("textarea")
    expect(text).to_have_value("a large purple ring on a viewergrey background")


MANY = 3000


def answer_with_many(route: Route) -> None:
    """Answers as a gallery of `MANY` pictures does."""
    query = {
        name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()
    }
    top = int(query.get("before", MANY + 1))
    numbers = range(top - 1, max(0, top - 1 - int(query["limit"])), -1)
    about = {"run": None, "node": "", "title": "", "prompt": "", "models": [], "families": []}
    more = {"seed": "", "seed_at": None, "starred": False, "trashed": None, "created": 1.0}
    size = {"width": 8, "height": 8}
    items = [
        {"id": n, "file": f"{n}.png", "url": f"data:,{n}", "thumbnail": f"data:,{n}"}
        | about
        | more
        | size
        for n in numbers
    ]
    last = items[-1]["id"]
    answer = {"items": items, "next": last if last > 1 else None, "total": MANY}
    route.fulfill(body=json.dumps(answer), content_type="application/json")


def test_thousands_of_pictures_are_loaded_as_one_scrolls_and_drawn_where_one_looks(
    page: Page,
) -> None:
    page.route("**/api/gallery?*", answer_with_many)
    page.keyboard.press("Shift+G")
    sheet = page.locator("[data-test=gallery-sheet]")
    tiles = sheet.locator("[data-test=thumb]")
    sheet.locator("[data-test=gallery-search]").fill("all")
    expect(sheet.locator("[data-test=gallery-total]")).to_have_text(f"{MANY} pictures")
    tiles.first.focus()
    oldest = sheet.locator('[data-picture="1"]')
    for _ in range(1000):  # until the end of what is loaded is the end
        page.keyboard.press("End")
        if oldest.count():
            break
        page.wait_for_timeout(50)
    page.keyboard.press("End")
    expect(oldest).to_be_focused()
    assert tiles.count() < 150, "tiles that nobody sees are drawn"
    page.keyboard.press("Home")
    expect(sheet.locator(f'[data-picture="{MANY}"]')).to_be_focused()
