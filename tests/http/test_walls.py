"""Answers of firewalls are told from those of a portal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.loopback import reply, serve
from tests.http.test_client import portal
from watcher.errors import BLOCKED_WAIT, AccessBlocked
from watcher.http.walls import Refusal, wall_in

CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Enable JavaScript</body></html>"
HTML = {"content-type": "text/html"}
WALLS = [
    (403, {"cf-mitigated": "challenge"}, b"", "Cloudflare", Refusal.PROGRAMS),
    (503, HTML, CHALLENGE, "Cloudflare", Refusal.PROGRAMS),
    (200, HTML, CHALLENGE, "Cloudflare", Refusal.PROGRAMS),
    (403, {"server": "cloudflare"}, b"error code: 1010", "Cloudflare", Refusal.PROGRAMS),
    (403, {"server": "cloudflare"}, b"error code: 1009", "Cloudflare", Refusal.COUNTRY),
    (200, HTML, b"<html><title>Pardon Our Interruption</title></html>", "Imperva", Refusal.PROGRAMS),
    (200, HTML, b"Request unsuccessful. Incapsula incident ID: 7-1", "Imperva", Refusal.PROGRAMS),
    (403, HTML, b'<script src="/_Incapsula_Resource?x=1"></script>', "Imperva", Refusal.PROGRAMS),
    (405, {"x-amzn-waf-action": "captcha"}, b"", "AWS WAF", Refusal.CAPTCHA),
    (202, {"x-amzn-waf-action": "challenge"}, b"", "AWS WAF", Refusal.PROGRAMS),
    (403, HTML, b"<script src=https://ct.captcha-delivery.com/c.js></script>", "DataDome", Refusal.CAPTCHA),
    (403, HTML, b'<div class="h-captcha"></div>', "", Refusal.CAPTCHA),
    (
        403,
        HTML,
        b"<TITLE>Access Denied</TITLE> You don't have permission. Reference&#32;&#35;18&#46;5e",
        "Akamai",
        Refusal.PROGRAMS,
    ),
    (200, HTML, b"The requested URL was rejected. Please consult with your administrator.", "F5", Refusal.PROGRAMS),
    (451, {}, b"", "", Refusal.COUNTRY),
    (200, HTML, b"<title>Verifying your\n browser</title>", "", Refusal.PROGRAMS),
]
OFFICE_PAGES = [
    (403, HTML, b"<html><title>403 Forbidden</title>Sign in first</html>"),
    (403, {"server": "cloudflare", **HTML}, b"<html>Your session has ended</html>"),
    (429, {"retry-after": "60"}, b"Too many requests"),
    (503, HTML, b"<html><title>Scheduled maintenance</title></html>"),
    (200, HTML, b"<html><title>Case</title><script src='/_Incapsula_Resource?x=1'></script>Received</html>"),
    (200, HTML, b"<html><div class='g-recaptcha'></div><p>Case received</p></html>"),
    (200, {"content-type": "application/json"}, b'{"text": "<title>Just a moment"}'),
]


@pytest.mark.parametrize(("status", "headers", "body", "maker", "refusal"), WALLS)
def test_firewall_is_named(status: int, headers: dict[str, str], body: bytes, maker: str, refusal: Refusal) -> None:
    wall = wall_in(status, headers, body)

    assert wall is not None
    assert (wall.maker, wall.refusal) == (maker, refusal)


@pytest.mark.parametrize(("status", "headers", "body"), OFFICE_PAGES)
def test_page_of_an_office_is_no_firewall(status: int, headers: dict[str, str], body: bytes) -> None:
    assert wall_in(status, headers, body) is None


@given(st.sampled_from([200, 403, 503]), st.binary(max_size=200))
def test_no_body_makes_it_fail(status: int, body: bytes) -> None:
    wall_in(status, HTML, body)


def test_firewall_ends_the_request_and_asks_for_a_long_wait() -> None:
    def answer(_request: object) -> bytes:
        return reply(403, CHALLENGE, content_type="text/html", server="cloudflare")

    with serve(answer) as server, portal() as http, pytest.raises(AccessBlocked, match="Cloudflare") as caught:
        http.send("GET", f"{server.origin}/cases")

    assert caught.value.retry_after == BLOCKED_WAIT
    assert len(server.requests) == 1


def test_portal_may_handle_its_firewall_itself() -> None:
    with serve(lambda _: reply(403, CHALLENGE)) as server, portal(blocked_ends_check=False) as http:
        assert http.send("GET", server.origin).status == 403
