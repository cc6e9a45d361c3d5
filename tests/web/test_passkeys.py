"""Passkeys: a device adds one, and signs in with it again. What proves nothing is refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.authenticator import Authenticator, options_in
from tests.web.visiting import Browser, Site, a_site
from watcher.model.web import KeyKind
from watcher.settings import WebSettings
from watcher.web.challenges import VALID_SECONDS

URL = "https://watcher.example.org"
SAME_SITE = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return a_site(tmp_path, web=WebSettings(listen="127.0.0.1:8788", url=URL))


def add(browser: Browser, authenticator: Authenticator, *, csrf: str | None = None) -> httpx.Response:
    token = browser.csrf("/devices") if csrf is None else csrf
    answer = authenticator.create(options_in(browser.get("/devices").text))
    return browser.client.post("/passkeys", json=answer, headers={**SAME_SITE, "X-CSRF-Token": token})


def sign_in(browser: Browser, authenticator: Authenticator) -> httpx.Response:
    return send(browser, authenticator.get(options_in(browser.get("/sign-in").text)))


def send(browser: Browser, answer: Any) -> httpx.Response:
    return browser.client.post("/sign-in", json=answer, headers=SAME_SITE)


@pytest.fixture
def authenticator(site: Site) -> Authenticator:
    """A passkey that was added."""
    made = Authenticator(URL)
    assert add(site.signed_in(URL), made).json() == {"to": "/devices"}
    return made


def test_passkey_signs_in_with_the_rights_of_the_device_that_added_it(site: Site) -> None:
    made = Authenticator(URL)
    assert add(site.signed_in(URL, person="Maria"), made).status_code == 200
    browser = site.browser(URL)
    assert sign_in(browser, made).json() == {"to": "/"}
    assert browser.get("/devices").status_code == 200
    with site.store() as store:
        assert [device.person for device in store.web.keys(KeyKind.DEVICE)] == ["Maria", "Maria"]
        (passkey,) = store.web.passkeys()
        assert (passkey.sign_count, passkey.last_used_at) == (1, site.time.now())


def test_passkey_that_was_removed_signs_in_no_more(site: Site, authenticator: Authenticator) -> None:
    waiting, browser = site.browser(URL), site.signed_in(URL)
    options = options_in(waiting.get("/sign-in").text)
    answer = browser.submit("/devices", "/passkeys/remove", passkey="1")
    assert answer.status_code == 303
    assert send(waiting, authenticator.get(options)).status_code == 403
    assert "data-passkey" not in waiting.get("/sign-in").text


def test_answer_is_taken_once(site: Site, authenticator: Authenticator) -> None:
    browser = site.browser(URL)
    answer = authenticator.get(options_in(browser.get("/sign-in").text))
    assert [send(browser, answer).status_code for _ in range(2)] == [200, 403]


def test_answer_to_a_question_of_long_ago_is_refused(site: Site, authenticator: Authenticator) -> None:
    browser = site.browser(URL)
    answer = authenticator.get(options_in(browser.get("/sign-in").text))
    site.time.pass_(timedelta(seconds=VALID_SECONDS))
    assert send(browser, answer).status_code == 403


def test_answer_to_another_question_is_refused(site: Site, authenticator: Authenticator) -> None:
    options = options_in(site.signed_in(URL).get("/devices").text)
    answer = authenticator.get({"rpId": "watcher.example.org", "challenge": options["challenge"]})
    assert send(site.browser(URL), answer).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example.org"},
        {"flags": 0x01},  # nobody was asked for a fingerprint or a code
        {"id": b"another passkey"},
        {"key": Authenticator(URL).key},
        {"count": -1},  # the passkey was copied
    ],
    ids=lambda change: next(iter(change)),
)
def test_answer_that_proves_nothing_is_refused(
    site: Site, authenticator: Authenticator, change: dict[str, Any]
) -> None:
    assert sign_in(site.browser(URL), authenticator).status_code == 200
    for name, value in change.items():
        setattr(authenticator, name, value)
    browser = site.browser(URL)
    assert sign_in(browser, authenticator).status_code == 403
    assert browser.get("/devices").status_code == 401


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"null", b'{"response": 3}', b'{"id": "' + b"a" * 9000 + b'"}'])
def test_what_is_no_answer_is_refused(site: Site, sent: bytes) -> None:
    assert site.browser(URL).client.post("/sign-in", content=sent, headers=SAME_SITE).status_code == 403


def test_wrong_answers_are_slowed_down(site: Site) -> None:
    statuses = [site.browser(URL).client.post("/sign-in", content=b"{}", headers=SAME_SITE) for _ in range(12)]
    assert [answer.status_code for answer in statuses] == [403] * 10 + [429] * 2
    assert int(statuses[-1].headers["retry-after"]) > 0


def test_passkey_is_added_only_with_the_token_of_the_page(site: Site) -> None:
    browser = site.signed_in(URL)
    assert add(browser, Authenticator(URL), csrf="0" * 64).status_code == 403
    assert add(browser, Authenticator(URL), csrf="").status_code == 403
    with site.store() as store:
        assert store.web.passkeys() == []


def test_device_that_may_change_nothing_adds_no_passkey(site: Site) -> None:
    reader = site.signed_in(URL, read_only=True)
    page = reader.get("/devices").text
    assert "data-passkey" not in page
    answer = reader.client.post(
        "/passkeys", content=b"{}", headers={**SAME_SITE, "X-CSRF-Token": reader.csrf("/devices")}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("web", "url", "offered"),
    [
        ({"url": URL}, URL, True),
        ({"url": URL}, "http://127.0.0.1:8788", False),
        ({}, "http://localhost:8788", True),
        ({}, "http://127.0.0.1:8788", False),
        ({"url": "https://192.168.1.5"}, "https://192.168.1.5", False),
    ],
)
def test_passkeys_are_offered_where_browsers_have_them(
    tmp_path: Path, web: dict[str, str], url: str, *, offered: bool
) -> None:
    site = a_site(tmp_path, web=WebSettings.model_validate({"listen": "127.0.0.1:8788", **web}))
    assert ("data-passkey" in site.signed_in(url).get("/devices").text) is offered
