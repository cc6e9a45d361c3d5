"""The address that takes hand-overs, and the page that offers what sends them."""

import io
import json
import re
import zipfile
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.doubles.uscis_answers import RECEIPT, request
from tests.handover.payloads import ORIGIN, case_answers, denied, payload
from tests.web.visiting import Site, a_site
from watcher.app import open_app
from watcher.model.web import HAND_OVER_TIME, KeyKind
from watcher.portals.uscis import UscisAccount
from watcher.privacy.web_tokens import new_token
from watcher.settings import WebSettings

HTML = {"Accept": "text/html"}
ACCOUNT = UscisAccount(name="family", portal="uscis")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    web = WebSettings(listen="127.0.0.1:8788", url="https://watcher.example.org")
    return a_site(tmp_path, web=web, accounts={"family": ACCOUNT})


def key(site: Site) -> str:
    """Return the path of a new key."""
    token = new_token()
    with site.store() as store:
        store.web.add(KeyKind.HANDOVER, token, now=site.time.now(), name="family")
    return f"/handover/{token}"


def send(site: Site, path: str, content: bytes, **headers: str) -> tuple[int, str]:
    """Post a hand-over from the portal's page, as the bookmark's form does."""
    own = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"} | HTML | headers
    browser = site.browser("https://watcher.example.org")
    answer = browser.client.post(path, data={"content": content.decode()}, headers=own)
    return answer.status_code, unescape(answer.text)


def test_hand_over_is_taken_and_the_tab_says_what_was_read(site: Site) -> None:
    path = key(site)
    status, text = send(site, path, payload(site.time.now(), *case_answers()))
    assert status == 200
    assert "1 case read, 1 change." in text
    status, text = send(site, path, payload(site.time.now(), *case_answers(evidenceRequests=[request(1)])))
    assert "1 case read, " in text
    with site.store() as store:
        kinds = [change.change.kind for change in store.history()]
        (used,) = store.web.keys(KeyKind.HANDOVER)
    assert "rfe_received" in kinds
    assert used.last_seen_at is not None


def test_long_hand_over_is_taken_from_a_form(site: Site) -> None:
    content = payload(site.time.now(), *case_answers(description="x" * 2_000_000))
    assert send(site, key(site), content)[0] == 200


def test_refusal_is_said_in_the_tab_and_changes_nothing(site: Site) -> None:
    status, text = send(site, key(site), payload(site.time.now(), *denied(RECEIPT, 401)))
    assert (status, "You are not signed in at https://my.uscis.gov" in text) == (422, True)
    with site.store() as store:
        assert store.history() == []


def test_shortcut_gets_plain_text(site: Site) -> None:
    content = payload(site.time.now(), *case_answers())
    own = {"Content-Type": "application/json", "Accept": "*/*"}
    answer = site.browser("https://watcher.example.org").client.post(key(site), content=content, headers=own)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.text.startswith("1 case read, 1 change.")
    problem = json.dumps({"problem": "Open my.uscis.gov"}).encode()
    answer = site.browser("https://watcher.example.org").client.post(key(site), content=problem, headers=own)
    assert (answer.status_code, answer.text) == (422, "Open my.uscis.gov")


def test_replay_is_refused(site: Site) -> None:
    path, content = key(site), payload(site.time.now(), *case_answers())
    assert send(site, path, content)[0] == 200
    status, text = send(site, path, content)
    assert (status, "handed over before" in text) == (422, True)


@pytest.mark.parametrize("origin", ["https://evil.example", "https://my.uscis.gov.evil.example", "http://my.uscis.gov"])
def test_page_of_another_site_cannot_hand_over(site: Site, origin: str) -> None:
    assert send(site, key(site), payload(site.time.now(), *case_answers()), Origin=origin)[0] == 403
    with site.store() as store:
        assert store.history() == []


def test_key_that_is_wrong_or_has_ended_takes_nothing(site: Site) -> None:
    path, content = key(site), payload(site.time.now(), *case_answers())
    assert send(site, "/handover/wrong", content)[0] == 410
    site.time.pass_(HAND_OVER_TIME - timedelta(seconds=1))
    assert site.browser("https://watcher.example.org").get(path).status_code == 200
    site.time.pass_(timedelta(seconds=1))
    status, text = send(site, path, content)
    assert (status, "new bookmark" in text) == (410, True)


def test_key_opens_nothing_else(site: Site) -> None:
    path, browser = key(site), site.browser("https://watcher.example.org")
    for other in ("/", "/accounts/family", "/accounts/family/handover", "/alerts", path.replace("handover", "a", 1)):
        assert browser.get(other).status_code in {401, 410}


def test_opening_the_address_changes_nothing(site: Site) -> None:
    path = key(site)
    page = site.browser("https://watcher.example.org").get(path)
    assert (page.status_code, "Sign in at https://my.uscis.gov" in page.text) == (200, True)
    with site.store() as store:
        (unused,) = store.web.keys(KeyKind.HANDOVER)
        assert (unused.last_seen_at, store.history()) == (None, [])


def offered(site: Site, kind: str) -> tuple[int, bytes]:
    browser = site.signed_in("https://watcher.example.org")
    answer = browser.submit("/accounts/family/handover", kind=kind)
    return answer.status_code, answer.content


def test_page_offers_a_bookmark_whose_key_hands_over(site: Site) -> None:
    status, page = offered(site, "bookmark")
    (link,) = re.findall(r'href="(javascript:[^"]+)"', page.decode())
    (path,) = re.findall(r"https://watcher.example.org(/handover/[\w-]+)", unquote(unescape(link)))
    assert status == 200
    assert send(site, path, payload(site.time.now(), *case_answers()))[0] == 200


def test_page_offers_the_steps_and_the_script_of_a_shortcut(site: Site) -> None:
    status, page = offered(site, "shortcut")
    text = unescape(page.decode())
    assert status == 200
    assert "completion(JSON.stringify" in text
    assert text.count('<svg class="picture"') == 6


def test_extension_asks_for_the_portal_and_the_watcher_only(site: Site) -> None:
    _status, content = offered(site, "extension")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(archive.namelist()) >= {"popup.html", "popup.js", "plan.js", "gather.js", "leave.js"}
    assert manifest["manifest_version"] == 3
    assert set(manifest["host_permissions"]) == {
        "https://my.uscis.gov/*",
        "https://myaccount.uscis.gov/*",
        "https://watcher.example.org/*",
    }
    assert set(manifest["permissions"]) == {"activeTab", "scripting", "cookies"}


def test_all_keys_of_the_account_can_be_ended(site: Site) -> None:
    path, browser = key(site), site.signed_in("https://watcher.example.org")
    assert browser.submit("/accounts/family/handover", "/accounts/family/handover/end").status_code == 303
    assert send(site, path, payload(site.time.now(), *case_answers()))[0] == 410


def test_account_that_is_handed_over_is_never_checked_from_the_page(tmp_path: Path) -> None:
    account = UscisAccount(name="family", portal="uscis", sign_in="handover")
    browser = a_site(tmp_path, accounts={"family": account}).signed_in()
    for path in ("/", "/accounts/family"):
        page = browser.get(path).text
        assert "Check now" not in page
        assert "/accounts/family/handover" in page
    assert "Import the session" not in page


def test_read_only_device_is_offered_nothing_to_make(site: Site) -> None:
    browser = site.signed_in("https://watcher.example.org", read_only=True)
    assert "csrf" not in browser.get("/accounts/family/handover").text
    person = site.signed_in("https://watcher.example.org", person="Maria")
    assert person.get("/accounts/family/handover").status_code == 404


def test_extension_hands_over_the_session(site: Site) -> None:
    expires = site.time.now() + timedelta(hours=1)
    cookie = {"name": "_myuscis_session_rx", "value": "kept", "domain": "my.uscis.gov", "path": "/"}
    cookies = json.dumps([cookie | {"expirationDate": expires.timestamp(), "secure": True}]).encode()
    headers = {"Content-Type": "application/json", "Origin": "chrome-extension://abc"}
    client = site.browser("https://watcher.example.org").client
    answer = client.post(f"{key(site)}/session", content=cookies, headers=headers)
    assert (answer.status_code, answer.text.splitlines()[0]) == (200, "family: 1 cookie imported.")
    with open_app(site.settings) as app:
        assert b"kept" in (app.sessions.of("family").load() or b"")
    foreign = json.dumps([cookie | {"domain": "evil.example"}]).encode()
    assert client.post(f"{key(site)}/session", content=foreign, headers=headers).status_code == 422


@pytest.mark.parametrize("name", ['family"; x="', "family?a#b", "famille é%41"])
def test_account_may_have_any_name(tmp_path: Path, name: str) -> None:
    named = a_site(tmp_path, accounts={name: ACCOUNT.model_copy(update={"name": name})})
    browser = named.signed_in()
    pages = re.findall(r'href="(/accounts/[^"]+)"', browser.get("/").text)
    assert {browser.get(unescape(page)).status_code for page in pages} == {200}
    answer = browser.submit(f"/accounts/{quote(name)}/handover", kind="extension")
    value = answer.headers["content-disposition"]
    assert value == f"attachment; filename*=UTF-8''case-watcher-{quote(name)}.zip"
