"""The gallery: look through saved pictures, star them, throw them away and fetch them back."""

import asyncio
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from server.bodies import Form, body_of, query_of
from server.errors import NotFound
from server.keys import GALLERY, HUB, QUEUE
from server.openapi import described
from server.queue import Picture, Sought

routes = web.RouteTableDef()

THUMBNAIL = 512
"""Pixels of the small pictures."""

ROUNDS = 10
"""So often the next pictures are looked at in place of those whose files are gone."""


class GalleryQuery(Form):
    """Which pictures; `before` is the `next` of the answer before.

    Every word of `search` begins a word of the prompt, title, model, family or date (2026-11-21).
    """

    search: str = Field("", max_length=500)
    model: str | None = None
    family: str | None = None
    starred: bool = False
    trash: bool = False
    before: int | None = Field(None, ge=0, le=2**62)
    limit: int = Field(100, ge=1, le=500)


class PictureAnswer(Form):
    """A picture. `run` is null once its run was forgotten; sizes are pixels, 0 where unknown.

    `seed_at` are the node and widget that hold the seed; `trashed` is when it was thrown away.
    Times are seconds since 1970 (UTC).
    """

    id: int
    run: str | None
    node: str
    file: str
    url: str
    thumbnail: str
    width: int
    height: int
    created: float
    title: str
    prompt: str
    models: list[str]
    families: list[str]
    seed: str
    seed_at: tuple[str, str] | None
    starred: bool
    trashed: float | None


class GalleryAnswer(Form):
    """Pictures, newest first. `next` leads to those behind them, null at the end; `total` counts
    all that are as asked for, on the first page only."""

    items: list[PictureAnswer]
    next: int | None
    total: int | None


class GalleryNamesAnswer(Form):
    """The models and families that pictures were made with."""

    models: list[str]
    families: list[str]


class StarRequest(Form):
    """Whether the picture has a star."""

    starred: bool


class EmptiedAnswer(Form):
    """How many pictures were deleted for good."""

    deleted: int


@routes.get("/api/gallery")
@described({200: GalleryAnswer}, query=GalleryQuery)
async def list_pictures(request: web.Request) -> web.Response:
    """The newest pictures that are as asked for."""
    query = query_of(request, GalleryQuery)
    answer = await asyncio.to_thread(_page, request.app, query)
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/gallery/names")
@described({200: GalleryNamesAnswer})
async def list_names(request: web.Request) -> web.Response:
    """The models and families that pictures can be asked for by."""
    pictures = request.app[QUEUE].pictures
    models = await asyncio.to_thread(pictures.names, "model")
    families = await asyncio.to_thread(pictures.names, "family")
    answer = GalleryNamesAnswer(models=models, families=families)
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/gallery/{id}")
@described({200: PictureAnswer})
async def get_picture(request: web.Request) -> web.Response:
    """One picture."""
    return _one(await asyncio.to_thread(request.app[QUEUE].pictures.get, _number(request)))


@routes.put("/api/gallery/{id}/star")
@described({200: PictureAnswer}, body=StarRequest)
async def star(request: web.Request) -> web.Response:
    """Give the picture a star, or take it back."""
    body = await body_of(request, StarRequest)
    pictures = request.app[QUEUE].pictures
    return _changed(request, await asyncio.to_thread(pictures.star, _number(request), body.starred))


@routes.delete("/api/gallery/{id}")
@described({200: PictureAnswer})
async def throw_away(request: web.Request) -> web.Response:
    """Move the picture to the trash."""
    gallery = request.app[GALLERY]
    return _changed(request, await asyncio.to_thread(gallery.trash, _number(request)))


@routes.post("/api/gallery/{id}/restore")
@described({200: PictureAnswer})
async def restore(request: web.Request) -> web.Response:
    """Fetch the picture back from the trash."""
    gallery = request.app[GALLERY]
    return _changed(request, await asyncio.to_thread(gallery.restore, _number(request)))


@routes.post("/api/gallery/trash/empty")
@described({200: EmptiedAnswer})
async def empty_trash(request: web.Request) -> web.Response:
    """Delete for good what lies in the trash."""
    deleted = await asyncio.to_thread(request.app[GALLERY].empty_trash)
    announce_gallery(request.app)
    return web.json_response(EmptiedAnswer(deleted=deleted).model_dump(mode="json"))


def announce_gallery(app: web.Application) -> None:
    """Tell pages that the gallery is another one; they ask for it."""
    message: dict[str, Any] = {"type": "gallery"}
    app[HUB].publish(message)


def _page(app: web.Application, query: GalleryQuery) -> GalleryAnswer:
    """The pictures whose files are there; a folder that is away only hides them."""
    pictures, gallery = app[QUEUE].pictures, app[GALLERY]
    sought = Sought(query.search, query.model, query.family, query.starred, query.trash)
    shown: list[Picture] = []
    before = query.before
    for _ in range(ROUNDS):
        wanted = query.limit - len(shown)
        found = pictures.newest(sought, wanted, before)
        shown += [picture for picture in found if gallery.is_there(picture)]
        before = found[-1].number if len(found) == wanted else None
        if len(shown) == query.limit or before is None:
            break
    total = pictures.count(sought) if query.before is None else None
    return GalleryAnswer(items=[_answer(item) for item in shown], next=before, total=total)


def _answer(picture: Picture) -> PictureAnswer:
    facts = picture.facts
    if picture.file is None:
        place = f"trash/{picture.number}/{picture.home.rsplit('/', 1)[-1]}"
    else:
        place = f"output/{picture.file}"
    url = f"/api/files/{quote(place)}"
    return PictureAnswer(
        id=picture.number,
        run=picture.run,
        node=picture.node,
        file=picture.file or picture.home,
        url=url,
        thumbnail=f"{url}?thumbnail={THUMBNAIL}",
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        created=picture.created,
        title=picture.title,
        prompt=facts.prompt if facts else "",
        models=list(facts.models) if facts else [],
        families=list(facts.families) if facts else [],
        seed=facts.seed if facts else "",
        seed_at=facts.seed_at if facts else None,
        starred=picture.starred,
        trashed=picture.trashed,
    )


def _one(picture: Picture) -> web.Response:
    return web.json_response(_answer(picture).model_dump(mode="json"))


def _changed(request: web.Request, picture: Picture) -> web.Response:
    announce_gallery(request.app)
    return _one(picture)


def _number(request: web.Request) -> int:
    text = request.match_info["id"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(f"There is no picture {text!r} in the gallery.")
    return int(text)
