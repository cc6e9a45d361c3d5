"""A one-time link signs in a device, and a device stays signed in until it is signed out or not used."""

import re
from datetime import timedelta

import pytest

from tests.web.visiting import Site, a_site
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import digest_of


def test_link_shows_a_button_and_its_form_signs_in(site: Site) -> None:
    browser, link = site.browser(), site.link()
    assert browser.get("/devices").status_code == 401
    assert browser.get(link).status_code == 200
    answer = browser.submit(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = browser.get("/devices")
    assert page.status_code == 200
    assert "iPhone, Safari" in page.text


def test_opening_a_link_changes_nothing_and_does_not_use_it_up(site: Site) -> None:
    link = site.link()
    for _ in range(3):
        assert site.browser().get(link).status_code == 200
        assert site.browser().client.head(link).status_code == 200
    assert site.browser().submit(link).status_code == 303


def test_link_works_once(site: Site) -> None:
    link, second = site.link(), site.browser()
    token = second.csrf(link)
    assert site.browser().submit(link).status_code == 303
    assert second.get(link).status_code == 410
    assert second.post(link, {"csrf": token}).status_code == 410


def test_link_expires_after_ten_minutes(site: Site) -> None:
    link, browser = site.link(), site.browser()
    token = browser.csrf(link)
    site.time.pass_(timedelta(minutes=10))
    assert browser.get(link).status_code == 410
    assert browser.post(link, {"csrf": token}).status_code == 410
    with site.store() as store:
        assert store.web.keys(KeyKind.DEVICE) == []


def test_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    cookie = site.browser().submit(site.link()).headers["set-cookie"]
    assert re.fullmatch(r"watcher=[\w-]{43}; HttpOnly; Max-Age=7776000; Path=/; SameSite=lax", cookie)


@pytest.mark.parametrize(
    ("url", "prefix", "start", "end"),
    [
        ("https://watcher.example.org", "", "__Host-watcher=", "; Path=/; SameSite=lax; Secure"),
        ("https://home.example.org/watcher", "/watcher", "__Secure-watcher=", "; Path=/watcher; SameSite=lax; Secure"),
    ],
)
def test_cookie_is_secure_with_https(site: Site, url: str, prefix: str, start: str, end: str) -> None:
    web = site.settings.web.model_copy(update={"url": url})
    secure = a_site(site.settings.state_dir, web=web)
    browser = secure.browser(url, prefix=prefix)
    answer = browser.submit(secure.link())
    assert answer.headers["set-cookie"].startswith(start)
    assert answer.headers["set-cookie"].endswith(end)
    assert answer.headers["location"] == f"{prefix}/"
    assert browser.get("/devices").status_code == 200


def test_cookie_that_is_not_secure_counts_only_without_https(site: Site) -> None:
    token = site.signed_in().client.cookies["watcher"]
    secure = a_site(site.settings.state_dir, web=site.settings.web.model_copy(update={"url": "https://w.example.org"}))
    assert secure.browser("https://w.example.org").get("/devices", Cookie=f"watcher={token}").status_code == 401
    assert secure.browser().get("/devices", Cookie=f"watcher={token}").status_code == 200


def test_device_stays_signed_in_while_it_is_used_and_not_after_90_idle_days(site: Site) -> None:
    browser = site.signed_in()
    for _ in range(3):
        site.time.pass_(timedelta(days=89))
        answer = browser.get("/devices")
        assert answer.status_code == 200
        assert "Max-Age=7776000" in answer.headers["set-cookie"]
    site.time.pass_(timedelta(days=90))
    answer = browser.get("/devices")
    assert answer.status_code == 401
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_database_has_no_token(site: Site) -> None:
    link = site.link()
    browser = site.browser()
    browser.submit(link)
    token = browser.client.cookies["watcher"]
    files = [file for file in site.settings.state_dir.rglob("*") if file.is_file()]
    content = b"".join(file.read_bytes() for file in files)
    assert digest_of(token) in content
    assert token.encode() not in content
    assert link.rpartition("/")[2].encode() not in content


def test_device_that_is_signed_in_stays_the_same_with_another_link(site: Site) -> None:
    browser = site.signed_in()
    token = browser.client.cookies["watcher"]
    browser.submit(site.link())
    assert browser.client.cookies["watcher"] == token
    browser.submit(site.link(person="Maria"))
    assert browser.client.cookies["watcher"] != token
    with site.store() as store:
        assert [device.person for device in store.web.keys(KeyKind.DEVICE)] == ["Maria"]


def test_link_says_what_the_device_will_show(site: Site) -> None:
    page = site.browser().get(site.link(person="Maria Lopez", read_only=True)).text
    assert "Maria Lopez" in page
    assert "It cannot change anything." in page


def test_page_for_signing_in_says_how(site: Site) -> None:
    page = site.browser().get("/sign-in")
    assert page.status_code == 200
    assert "Run <code>watcher web link</code> where" in page.text
    assert "data-passkey" not in page.text  # there is no passkey yet
