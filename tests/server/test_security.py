"""Foreign pages and strangers are refused; scripts on this machine are not."""

import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from server.errors import answer_errors
from server.keys import SETTINGS
from server.security import add_headers, cookie_name, cookie_value, guard
from server.settings import Settings

TOKEN = "a long enough token; really"

Client = TestClient[web.Request, web.Application]


async def hello(request: web.Request) -> web.StreamResponse:
    return web.json_response({"path": str(request.rel_url)})


async def socket(request: web.Request) -> web.StreamResponse:
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    await answer.send_str("hello")
    await answer.close()
    return answer


async def client_of(settings: Settings) -> Client:
    app = web.Application(middlewares=[guard, answer_errors])
    app[SETTINGS] = settings
    app.on_response_prepare.append(add_headers)
    app.router.add_route("*", "/api/hello", hello)
    app.router.add_get("/api/events", socket)
    app.router.add_get("/", hello)
    client = TestClient(TestServer(app), cookie_jar=DummyCookieJar())
    await client.start_server()
    return client


@pytest.fixture
async def local(tmp_path: Path):
    client = await client_of(Settings.of(tmp_path))
    yield client
    await client.close()


@pytest.fixture
async def open_to_all(tmp_path: Path):
    client = await client_of(Settings.of(tmp_path, host="0.0.0.0", token=TOKEN))
    yield client
    await client.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8188", "localhost:8188", "LOCALHOST", "[::1]:8188"]
)
async def test_names_of_this_machine_are_answered(local: Client, host: str) -> None:
    assert (await local.get("/api/hello", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8188",
        "127.0.0.1.evil.example",
        "evil@127.0.0.1",
        "127.0.0.1/@evil.example",
        "0.0.0.0:8188",
        "192.168.1.5:8188",
        "[::",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_foreign_host_is_refused(local: Client, host: str, method: str) -> None:
    answer = await local.request(method, "/api/hello", headers={"Host": host})
    assert answer.status == 403
    assert "only for this machine" in (await answer.json())["error"]["message"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example",
        "null",
        "http://127.0.0.1:3000",
        "http://localhost:8188",  # another name than the Host's: another origin
        "http://127.0.0.1:8188.evil.example",
        "http://evil@127.0.0.1:8188",
        "file://",
        "chrome-extension://abc",
        "",
    ],
)
async def test_a_foreign_origin_is_refused(local: Client, origin: str) -> None:
    headers = {"Host": "127.0.0.1:8188", "Origin": origin}
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = await local.request(method, "/api/hello", headers=headers)
        assert answer.status == 403, method


@pytest.mark.parametrize("host", ["127.0.0.1:8188", "localhost:8188", "[::1]:8188", "localhost"])
async def test_the_editors_own_origin_passes(local: Client, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert (await local.post("/api/hello", headers=headers)).status == 200


async def test_a_script_on_this_machine_sends_no_origin_and_passes(local: Client) -> None:
    assert (await local.post("/api/hello")).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_picture_tag_on_another_site_gets_nothing(local: Client, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert (await local.get("/api/hello", headers=headers)).status == 403
    # A link to the editor, however, may lead here.
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert (await local.get("/", headers=headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=str,
)
async def test_a_websocket_from_elsewhere_is_refused(
    local: Client, headers: dict[str, str]
) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await local.ws_connect("/api/events", headers=headers)
    assert refused.value.status == 403
    async with local.ws_connect("/api/events") as allowed:
        assert await allowed.receive_str() == "hello"


async def test_every_answer_carries_the_protective_headers(local: Client) -> None:
    for path, status in (("/api/hello", 200), ("/api/nothing", 404)):
        answer = await local.get(path)
        assert answer.status == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_without_the_token_nobody_beyond_loopback_gets_in(open_to_all: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "latent_loom_8188=wrong"}):
        for path in ("/", "/api/hello"):
            answer = await open_to_all.get(path, headers=headers)
            assert answer.status == 401
            assert "token" in (await answer.json())["error"]["message"]
    assert (await open_to_all.get("/", params={"token": "wrong"})).status == 401
    with pytest.raises(WSServerHandshakeError) as refused:
        await open_to_all.ws_connect("/api/events")
    assert refused.value.status == 401


async def test_the_token_leaves_the_address_and_becomes_a_cookie(open_to_all: Client) -> None:
    answer = await open_to_all.get(
        "/", params={"token": TOKEN, "open": "a b"}, allow_redirects=False
    )
    assert answer.status == 303
    assert answer.headers["Location"] == "/?open=a+b"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie

    settings = open_to_all.app[SETTINGS]
    pair = f"{cookie_name(settings)}={cookie_value(TOKEN)}"
    assert pair in cookie
    assert (await open_to_all.get("/api/hello", headers={"Cookie": pair})).status == 200


async def test_the_redirect_never_leads_to_another_host(open_to_all: Client) -> None:
    url = f"{open_to_all.make_url('/')}/evil.example/?token={TOKEN}"
    answer = await open_to_all.session.get(url, allow_redirects=False)
    assert not answer.headers["Location"].startswith("//")


async def test_a_script_may_send_the_token_as_a_header(open_to_all: Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await open_to_all.post("/api/hello", headers=headers)).status == 200


async def test_even_with_the_cookie_a_foreign_origin_is_refused(open_to_all: Client) -> None:
    settings = open_to_all.app[SETTINGS]
    headers = {
        "Cookie": f"{cookie_name(settings)}={cookie_value(TOKEN)}",
        "Origin": "http://evil.example",
    }
    assert (await open_to_all.post("/api/hello", headers=headers)).status == 403


async def test_the_token_is_never_logged(
    open_to_all: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ClientSession() as session:
        for path in ("/", "/api/hello", "/nothing"):
            await session.get(open_to_all.make_url(path), params={"token": TOKEN})
    logged = [
        record
        for record in caplog.records
        if not record.name.startswith(("asyncio", "aiohttp.access"))
    ]
    assert not any(TOKEN in record.getMessage() for record in logged)
