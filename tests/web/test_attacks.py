"""Attacks on the page, each with the status that answers it. None changes the database."""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from tests.web.family import ALERT_TOKEN, EVIL, JOSE, MARIA, family, record
from tests.web.visiting import LOCAL, Browser, Site, a_site
from watcher.settings import WebSettings
from watcher.web.app import create_app
from watcher.web.case_ids import case_id
from watcher.web.context import WebContext
from watcher.web.security import MAX_FORM, MAX_UPLOAD, POLICY, Security

FILES = {"/manifest.webmanifest", "/service-worker.js"}
OPEN = {"/sign-in", *FILES}
FORMS = "application/x-www-form-urlencoded"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = a_site(tmp_path, accounts=family())
    record(site)
    return site


def rows(site: Site) -> list[str]:
    """Return everything in the database."""
    with closing(sqlite3.connect(site.settings.state_dir / "watcher.sqlite3")) as database:
        return list(database.iterdump())


def addresses(site: Site, method: str) -> Iterator[str]:
    """Yield an address of each route that takes this method, for things of Jose."""
    values = {"id": "2", "name": "family", "channel": "phone", "token": ALERT_TOKEN}
    for route in site.app.routes:
        if isinstance(route, Route) and method in (route.methods or ()):
            actions = {"/items": "done", "/alerts": "seen", "/a/": "seen"}
            action = next((name for start, name in actions.items() if route.path.startswith(start)), "note")
            own = {"id": case_id(JOSE)} if route.path.startswith(("/cases", "/print")) else {}
            path = route.path.replace(":int", "")
            yield path.format_map(values | own | {"action": action})


def ask(app: Any, method: str, path: str, headers: list[tuple[str, str]]) -> int:
    """Send a request without what a client adds, and return the status."""
    return asyncio.run(asked(app, method, path, headers))


async def asked(
    app: Any, method: str, path: str, headers: list[tuple[str, str]], address: str = "192.0.2.9", receive: Any = None
) -> int:
    statuses: list[int] = []

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "query_string": b"",
        "raw_path": path.encode(), "root_path": "", "client": (address, 1), "server": ("127.0.0.1", 8788),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    await app(scope, receive or nothing, send)
    return statuses[0]


def test_nothing_is_shown_without_a_session(site: Site) -> None:
    browser, before = site.browser(), rows(site)
    for path in {*addresses(site, "GET")} - OPEN:
        expected = {410} if path.startswith(("/sign-in/", "/handover/")) else {401}
        if not path.startswith(("/a/", "/calendar/")):
            assert {browser.get(path).status_code, browser.client.head(path).status_code} == expected, path
    for path in {*addresses(site, "POST")} - OPEN:
        if not path.startswith(("/a/", "/handover/")):
            assert browser.post(path).status_code == (410 if path.startswith("/sign-in/") else 401), path
    for path in ("/no-such-page", "/static/../app.py", "/accounts", "/cases/../settings"):
        assert browser.get(path).status_code in {400, 401, 404}, path
    assert rows(site) == before


def test_opening_any_address_changes_nothing(site: Site) -> None:
    previewer, link = site.browser(), site.link()
    device = site.signed_in()
    before = rows(site)
    for path in {*addresses(site, "GET"), f"/a/{ALERT_TOKEN}", link}:
        for browser in (previewer, device):
            browser.get(path)
            browser.client.head(path)
    assert rows(site) == before


def test_person_sees_nothing_of_another(site: Site) -> None:
    maria = site.signed_in(person="Maria")
    shown = [maria.get(path) for path in {*addresses(site, "GET")} - OPEN]
    assert [str(page.url) for page in shown if "Jose" in page.text or JOSE in page.text] == []
    for path in ("/letters/2", f"/cases/{case_id(JOSE)}", f"/print/{case_id(JOSE)}", "/alerts", "/alerts/2"):
        assert maria.get(path).status_code == 404, path
    token, before = maria.csrf("/devices"), rows(site)
    for path in (f"/cases/{case_id(JOSE)}/note", "/items/2/done", "/alerts/2/seen", "/accounts/family/check"):
        fields = {"csrf": token, "text": "x", "day": "2026-12-01"}
        assert maria.post(path, fields).status_code == 404, path
    assert rows(site) == before
    assert maria.get(f"/cases/{case_id(MARIA)}").status_code == 200
    assert maria.get("/letters/1").status_code == 200


def test_device_that_may_change_nothing_changes_nothing(site: Site) -> None:
    reader = site.signed_in(read_only=True)
    token, before = reader.csrf("/devices"), rows(site)
    for path in addresses(site, "POST"):
        if not path.startswith(("/sign-in", "/a/", "/handover/", "/devices/sign-out", "/push")):
            fields = {"csrf": token, "text": "x", "day": "2026-12-01", "passkey": "1", "change": "1"}
            status = reader.post(path, fields).status_code
            assert status == (303 if path in {"/seen", "/settings/device"} else 403), path
    assert rows(site) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:8789", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8788.evil.example.org"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
        {"Origin": "file://"},
        {"Origin": ""},
    ],
)
def test_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    browser, link = site.signed_in(), site.link()
    fields, before = {"csrf": browser.csrf("/devices"), "device": "1"}, rows(site)
    for path in ("/devices/sign-out-all", "/items/1/done", link, "/sign-in"):
        assert browser.client.post(path, data=fields, headers=headers).status_code == 403, path
    assert rows(site) == before


def test_form_without_the_token_of_its_visitor_is_refused(site: Site) -> None:
    browser, other, link = site.signed_in(), site.signed_in(), site.link()
    token, before = other.csrf("/devices"), rows(site)
    good = browser.csrf("/devices")
    for path in ("/devices/sign-out-all", "/items/1/done"):
        for fields in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": token}, {"CSRF": good}):
            assert browser.post(path, fields).status_code == 403, fields
        assert browser.client.post(f"{path}?csrf={good}", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403
        assert browser.client.post(path, json={"csrf": good}).status_code == 403
        assert (
            browser.client.post(path, content=f"csrf={good}", headers={"Content-Type": "text/plain"}).status_code == 403
        )
    assert site.browser().post(link, {"csrf": good}).status_code == 403
    assert rows(site) == before


def test_upload_without_the_token_in_front_is_refused(site: Site) -> None:
    browser = site.signed_in()
    path, before = f"/cases/{case_id(MARIA)}/letter", rows(site)
    file = {"file": ("letter.pdf", b"%PDF-1.4", "application/pdf")}
    assert browser.client.post(path, files=file).status_code == 403
    last = {"csrf": (None, browser.csrf("/devices"), "text/plain")}
    assert browser.client.post(path, files={**file, **last}).status_code == 403
    assert rows(site) == before


def test_upload_with_the_token_in_front_reaches_the_page(site: Site) -> None:
    browser = site.signed_in()
    fields = {"csrf": browser.csrf("/devices")}
    file = {"file": ("letter.pdf", b"no letter", "application/pdf")}
    answer = browser.client.post(f"/cases/{case_id(MARIA)}/letter", data=fields, files=file)
    assert answer.status_code == 422
    assert "letter.pdf" in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8788", 401),
        ("localhost:8788", 401),
        ("[::1]:8788", 401),
        ("watcher.example.org", 401),
        ("WATCHER.example.org", 401),
        ("evil.example.org", 421),
        ("127.0.0.1.evil.example.org:8788", 421),
        ("watcher.example.org.evil.example.org", 421),
        ("192.168.1.5:8788", 421),
        ("watcher.example.org@evil.example.org", 421),
        ("evil.example.org#watcher.example.org", 421),
        ("", 421),
        ("127.0.0.1:x", 421),
    ],
)
def test_name_that_is_not_the_pages_is_refused(tmp_path: Path, host: str, status: int) -> None:
    site = a_site(tmp_path, web=WebSettings(listen="127.0.0.1:8788", url="https://watcher.example.org"))
    assert ask(site.app, "GET", "/", [("host", host)]) == status


def test_page_on_a_network_is_reached_by_address_and_by_no_strange_name(tmp_path: Path) -> None:
    site = a_site(tmp_path, web=WebSettings(listen="0.0.0.0:8788", insecure_lan=True))
    statuses = {host: ask(site.app, "GET", "/", [("host", host)]) for host in ("192.168.1.5:8788", "evil.example.org")}
    assert statuses == {"192.168.1.5:8788": 401, "evil.example.org": 421}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", [], 400),
        ("GET", "/", [("host", "127.0.0.1"), ("host", "127.0.0.1")], 400),
        ("PUT", "/", [("host", "127.0.0.1")], 405),
        ("TRACE", "/", [("host", "127.0.0.1")], 405),
        ("CONNECT", "/", [("host", "127.0.0.1")], 405),
        ("GET", "/" + "a" * 3000, [("host", "127.0.0.1")], 414),
        ("GET", "/", [("host", "127.0.0.1"), ("cookie", "a" * 20000)], 431),
        ("POST", "/", [("host", "127.0.0.1"), ("content-length", "-1")], 400),
        ("POST", "/", [("host", "127.0.0.1"), ("content-length", "9" * 40)], 413),
        ("POST", "/items/1/done", [("host", "127.0.0.1"), ("content-length", str(MAX_FORM + 1))], 413),
        ("GET", "/\x00", [("host", "127.0.0.1")], 400),
        ("GET", "/a\\b", [("host", "127.0.0.1")], 400),
    ],
)
def test_request_that_no_browser_sends_is_refused(
    site: Site, method: str, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    assert ask(site.app, method, path, headers) == status


@pytest.mark.parametrize(
    "path",
    [
        "/letters/../watcher.sqlite3", "/letters/..%2fwatcher.sqlite3", "/letters/%2e%2e/%2e%2e/etc/passwd",
        "/letters/1%00", "/letters/1%2f..%2f2", "/letters/1\\..\\2", "/letters/-1", "/letters/1.pdf", "/letters/%D9%A1",
        "/letters/99999999999999999999999999", "/letters/1;x", "/letters//1", "/static/../app.py",
        "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd",
    ],
)  # fmt: skip
def test_path_tricks_find_no_file(site: Site, path: str) -> None:
    answer = site.signed_in().client.get(httpx.URL(LOCAL).copy_with(raw_path=path.encode()))
    assert answer.status_code in {400, 404}
    assert "%PDF" not in answer.text
    assert "import" not in answer.text


def test_letter_outside_the_folder_of_letters_is_not_sent(site: Site) -> None:
    with site.store() as store:
        store.set_saved(1, saved_as="notices/../watcher.sqlite3", sha256="0" * 64)
        store.set_saved(2, saved_as="/etc/passwd", sha256="0" * 64)
    browser = site.signed_in()
    assert [browser.get(f"/letters/{number}").status_code for number in (1, 2)] == [404, 404]


def test_wrong_tokens_are_slowed_down(site: Site) -> None:
    link, device = site.link(), site.signed_in()

    async def guess(address: str, number: int) -> int:
        path = f"/{('a', 'sign-in', 'handover')[number % 3]}/{number:024d}"
        return await asked(site.app, "GET", path, [("host", "127.0.0.1:8788")], address)

    async def guess_all(addresses: list[str]) -> Counter[int]:
        return Counter([await guess(address, number) for number, address in enumerate(addresses)])

    assert asyncio.run(guess_all(["198.51.100.1"] * 5000)) == {410: 10, 429: 4990}
    many = [f"198.51.{number % 20}.{number % 250}" for number in range(5000)]
    assert asyncio.run(guess_all(many)) == {410: 190, 429: 4810}
    assert site.browser(address="198.51.100.2").get(link).status_code == 429
    assert device.get("/devices").status_code == 200  # whoever is signed in does not notice
    site.time.pass_(timedelta(seconds=30))
    assert site.browser(address="198.51.100.2").get(link).status_code == 200


def test_wrong_cookies_are_slowed_down_and_right_ones_are_not(site: Site) -> None:
    device, stranger = site.signed_in(), site.browser()
    token = device.client.cookies["watcher"]
    statuses = [stranger.get("/", Cookie=f"watcher={number:043d}").status_code for number in range(12)]
    assert statuses == [401] * 9 + [429] * 3
    assert stranger.get("/", Cookie=f"watcher={token}").status_code == 200


def test_browser_with_the_cookie_of_an_ended_device_is_not_slowed_down(site: Site) -> None:
    browser = site.signed_in()
    browser.submit("/devices", "/devices/sign-out-all")
    browser.client.cookies.set("watcher", "0" * 43, domain="127.0.0.1", path="/")
    assert [browser.get(f"/a/{ALERT_TOKEN}").status_code for _ in range(15)] == [200] * 15
    assert "watcher" not in browser.client.cookies


@pytest.mark.parametrize("address", ["/a/", "/sign-in/", "/calendar/", "/handover/"])
@pytest.mark.parametrize("token", ["x", "x" * 65, "..%2f", "%00", "a b", "é", "' OR 1=1 --", ALERT_TOKEN + "x"])
def test_malformed_tokens_open_nothing(site: Site, address: str, token: str) -> None:
    end = ".ics" if address == "/calendar/" else ""
    answer = site.browser().get(f"{address}{token}{end}")
    assert answer.status_code in {400, 401, 404, 410}


class Endless:
    """A body of two gigabytes that counts how much of it was taken."""

    def __init__(self, start: bytes = b"") -> None:
        self.taken, self._start = 0, start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._start
        while self.taken < 2 * 1024**3:
            self.taken += 65536
            yield bytes(65536)


def upload(site: Site, device: Browser | None, path: str, body: Endless, **headers: str) -> int:
    token = device.client.cookies["watcher"] if device else "0" * 43

    async def send() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url=LOCAL) as client:
            cookie = {"Cookie": f"watcher={token}", **headers}
            return (await client.post(path, content=body, headers=cookie)).status_code

    return asyncio.run(send())


def test_upload_of_two_gigabytes_is_refused_before_it_is_read(site: Site) -> None:
    body, device = Endless(), site.signed_in()
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(2 * 1024**3)}
    assert upload(site, device, f"/cases/{case_id(MARIA)}/letter", body, **kind) == 413
    assert body.taken <= 65536


def test_upload_that_hides_its_length_is_read_up_to_the_limit(site: Site) -> None:
    device = site.signed_in()
    start = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{device.csrf("/devices")}\r\n--x\r\n'
    start += 'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body, kind = Endless(start.encode()), {"Content-Type": "multipart/form-data; boundary=x"}
    assert upload(site, device, f"/cases/{case_id(MARIA)}/letter", body, **kind) == 413
    assert body.taken <= MAX_UPLOAD + 2 * 65536


@pytest.mark.parametrize(("signed_in", "status"), [(False, 401), (True, 403)])
def test_upload_of_a_stranger_is_not_read(site: Site, *, signed_in: bool, status: int) -> None:
    device = site.signed_in() if signed_in else None
    body, kind = Endless(b"--x\r\n"), {"Content-Type": "multipart/form-data; boundary=x"}
    assert upload(site, device, f"/cases/{case_id(MARIA)}/letter", body, **kind) == status
    assert body.taken <= 2 * 65536


def test_long_form_is_refused(site: Site) -> None:
    body, device = Endless(b"csrf="), site.signed_in()
    assert upload(site, device, "/items/1/done", body, **{"Content-Type": FORMS}) == 413
    assert body.taken <= MAX_FORM + 2 * 65536


def test_client_that_sends_no_more_of_its_form_is_answered(site: Site) -> None:
    async def silent() -> Any:
        await asyncio.sleep(60)

    async def application(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()

    guarded = Security(application, settings=site.settings.web, max_pause=0.01)
    headers = [("host", "127.0.0.1:8788"), ("content-length", "10")]
    assert asyncio.run(asked(guarded, "POST", "/", headers, receive=silent)) == 408


def test_text_from_outside_is_never_markup(tmp_path: Path) -> None:
    site = a_site(tmp_path, accounts=family())
    record(site, text=EVIL, file="<img src=x onerror=alert(3)>.pdf")
    browser = site.signed_in(person=None)
    site.signed_in(person=f"Jose {EVIL}")
    browser.submit(f"/cases/{case_id(MARIA)}", f"/cases/{case_id(MARIA)}/note", text=EVIL)
    pages = [browser.get(path) for path in {*addresses(site, "GET"), "/letters/1", f"/a/{ALERT_TOKEN}"}]
    pages += [browser.get(f"/?q={EVIL}"), browser.get(f"/cases/{EVIL}"), browser.get(site.link(person=EVIL))]
    shown = "".join(page.text for page in pages if page.headers["content-type"].startswith("text/html"))
    assert shown.count("&lt;script&gt;alert(1)") > 5
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "49" not in {line.strip() for line in shown.splitlines()}
    assert "onerror=alert" not in shown.replace("&lt;img src=x onerror=alert", "")


def test_every_answer_protects_itself(site: Site) -> None:
    browsers = [site.browser(), site.signed_in()]
    answers = [browser.get(path) for browser in browsers for path in addresses(site, "GET")]
    answers += [browser.post("/devices/sign-out-all") for browser in browsers]
    answers += [browsers[0].get("/", Host="evil.example.org")]
    for answer in answers:
        path, headers = answer.request.url.path, answer.headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["cache-control"] == ("no-cache" if path in FILES else "no-store"), path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        if not path.startswith("/letters/"):
            assert headers["content-security-policy"] == POLICY, path
            assert "unsafe" not in POLICY
        assert "server" not in headers


def test_static_files_are_public_and_checked_again(site: Site) -> None:
    answer = site.browser().get("/static/page.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


def test_logs_have_no_token_and_nothing_personal(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = site.link(person="Maria")
    browser = site.browser()
    browser.submit(link)
    tokens = [link.rpartition("/")[2], browser.client.cookies["watcher"], browser.csrf("/devices"), ALERT_TOKEN]
    for path in (*addresses(site, "GET"), f"/a/{ALERT_TOKEN}", link):
        browser.get(path)
    browser.post("/items/1/done")
    browser.submit("/devices", "/items/1/done")
    logged = "".join(text for text in caplog.messages if not text.startswith("HTTP Request:"))  # of the test's client
    assert [word for word in (*tokens, MARIA, JOSE, "Maria", "Jose") if word in logged] == []


def test_unusable_database_is_answered_without_its_name(site: Site) -> None:
    browser = site.signed_in()
    (site.settings.state_dir / "watcher.sqlite3").write_bytes(b"no database")
    answer = browser.get("/devices")
    assert answer.status_code == 503
    assert str(site.settings.state_dir) not in answer.text


def test_app_without_a_guard_makes_its_own(site: Site) -> None:
    app = create_app(WebContext(settings=site.settings))
    assert ask(app, "GET", "/", [("host", "127.0.0.1:8788")]) == 401


@pytest.mark.parametrize(
    "cookie", ["seen=1.999999999999", "message=MQ==", "message=bnVsbA==", f"message={'W1tb' * 3000}", "feed=_w=="]
)
def test_cookies_of_another_program_on_this_host_break_no_page(site: Site, cookie: str) -> None:
    browser = site.signed_in()
    own = "; ".join(f"{each.name}={each.value}" for each in browser.client.cookies.jar)
    for path in ("/", "/calendar"):
        assert browser.get(path, Cookie=f"{own}; {cookie}").status_code == 200, path


def test_number_that_no_database_keeps_is_not_found(site: Site) -> None:
    browser = site.signed_in()
    for path in ("/alerts", "/letters"):
        assert browser.get(f"{path}/{2**63}").status_code == 404, path
    fields = {"csrf": browser.csrf("/devices")}
    for path in (f"/alerts/{2**63}/seen", f"/items/{2**63}/done"):
        assert browser.post(path, fields).status_code == 404, path
