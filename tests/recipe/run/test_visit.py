"""Which requests are sent: hosts, links from pages, saved sessions, and steps that lack a value."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.recipe.account import RecipeClient, account_of
from watcher.errors import CodeNeeded, ForeignHost, PortalUnavailable, SessionEnded, SignInRejected, UnexpectedAnswer

RECIPE = """
name = "Office"
base_url = "https://office.example.gov/app"
[links]
sign_in = "https://office.example.gov/"
help = "https://office.example.gov/"
[[sign_in]]
post = "/in"
form = { u = "{username}", p = "{password}" }
rejected = ["text:wrong"]
person = ["css:#captcha"]
take = { token = "css:i" }
[signed_out]
any = ["text:signed out"]
[cases]
get = "/cases"
next = "css:a@href"
max_pages = 3
each = "css:li"
case_number = "css:li"
take = { link = "css:u@data-link" }
expect = "css:ul"
[case]
get = "{link}"
headers = { X-Token = "{token}" }
[case.fields]
status = "css:b"
title = "css:h1"
"""


@dataclass(slots=True)
class Site:
    """Answers by path; 404 for any other path."""

    pages: dict[str, bytes] = field(default_factory=dict)

    def show(self, path: str, body: str, **headers: str) -> None:
        self.pages[path] = reply(200, f"<html><body>{body}</body></html>".encode(), content_type="text/html", **headers)

    def answer(self, asked: ReceivedRequest) -> bytes:
        return self.pages.get(asked.target, reply(404))


@pytest.fixture
def site() -> Site:
    site = Site()
    site.show("/app/in", "<i>t0ken</i>", set_cookie="sid=7; Path=/")
    site.show("/app/cases", '<ul><li>E000000001<u data-link="/app/1"></u></li></ul>')
    site.show("/app/1", "<b>Case Was Received</b><h1>Visa</h1>")
    return site


@pytest.fixture
def server(site: Site) -> Iterator[LoopbackServer]:
    with serve(site.answer) as server:
        yield server


@pytest.fixture
def family(server: LoopbackServer, tmp_path: Path) -> RecipeClient:
    (tmp_path / "office.toml").write_text(RECIPE)
    base_url = f"{server.origin}/app"
    return RecipeClient(
        account=account_of(tmp_path / "office.toml", base_url=base_url, username="me & you", password="p=7&x")
    )


def targets(server: LoopbackServer) -> list[str]:
    return [request.target for request in server.requests]


def test_path_is_below_the_base_url_and_link_is_relative_to_its_page(
    family: RecipeClient, server: LoopbackServer, site: Site
) -> None:
    site.show("/app/cases", '<ul><li>E000000001<u data-link="1"></u></li></ul>')

    assert list(family.read()) == ["E000000001"]
    assert targets(server) == ["/app/in", "/app/cases", "/app/1"]
    assert server.requests[0].form == {"u": "me & you", "p": "p=7&x"}
    assert server.requests[2].headers["x-token"] == "t0ken"
    assert server.requests[2].headers["cookie"] == "sid=7"


@pytest.mark.parametrize("link", ["https://evil.example/1", "//evil.example/1", "https://evil.example:444"])
def test_link_to_another_host_is_never_followed(
    family: RecipeClient, site: Site, server: LoopbackServer, link: str
) -> None:
    site.show("/app/cases", f'<ul><li>E000000001<u data-link="{link}"></u></li></ul>')

    with pytest.raises(ForeignHost):
        family.read()

    assert all("evil" not in request.headers["host"] for request in server.requests)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "mailto:a@b.example", "http://[", "http://a:99999999/", "x" * 9000]
)
def test_link_that_is_not_an_address_fails_the_case(family: RecipeClient, site: Site, link: str) -> None:
    site.show("/app/cases", f'<ul><li>E000000001<u data-link="{link}"></u></li></ul>')

    error = family.failures()["E000000001"].error

    assert isinstance(error, UnexpectedAnswer)


def test_missing_link_fails_the_case(family: RecipeClient, site: Site) -> None:
    site.show("/app/cases", "<ul><li>E000000001</li></ul>")

    assert "needs {link}" in str(family.failures()["E000000001"].error)


@pytest.mark.parametrize("token", ["", "t\N{SNOWMAN}ken"])
def test_token_that_is_missing_or_not_a_header_is_unexpected(family: RecipeClient, site: Site, token: str) -> None:
    site.show("/app/in", f"<i>{token}</i>", set_cookie="sid=7")

    assert isinstance(family.failures()["E000000001"].error, UnexpectedAnswer)


def test_circular_next_link_ends_the_list(family: RecipeClient, server: LoopbackServer, site: Site) -> None:
    site.show("/app/cases", '<ul><li>E000000001<u data-link="/app/1"></u></li></ul><a href="?p=2">next</a>')
    site.show("/app/cases?p=2", '<ul><li>E000000001</li></ul><a href="#">next</a>')

    assert list(family.read()) == ["E000000001"]
    assert targets(server).count("/app/cases?p=2") == 1


def test_endless_list_is_unexpected(family: RecipeClient, site: Site) -> None:
    site.show("/app/cases", '<ul></ul><a href="?p=1">next</a>')
    for number in range(1, 9):
        site.show(f"/app/cases?p={number}", f'<ul></ul><a href="?p={number + 1}">next</a>')

    with pytest.raises(UnexpectedAnswer, match="more than 3 pages"):
        family.read()


def test_captcha_needs_a_person(family: RecipeClient, site: Site) -> None:
    site.show("/app/in", '<p id="captcha">Are you a robot?</p>')

    with pytest.raises(CodeNeeded, match="browser"):
        family.read()


def test_sign_in_without_a_session_is_neither_rejected_nor_accepted(family: RecipeClient, site: Site) -> None:
    site.show("/app/cases", "You are signed out")

    with pytest.raises(UnexpectedAnswer, match="right after a sign-in"):
        family.read()

    assert family.world.sign_in_guard.submissions == [True]
    assert family.world.sign_in_guard.acceptances == 0


def test_message_about_a_wrong_password_is_a_rejection(family: RecipeClient, site: Site) -> None:
    site.show("/app/in", "The password is wrong")

    with pytest.raises(SignInRejected, match="text:wrong"):
        family.read()


def test_session_comes_from_a_browser_without_sign_in_steps(
    family: RecipeClient, server: LoopbackServer, site: Site, tmp_path: Path
) -> None:
    start, _, rest = RECIPE.partition("[[sign_in]]")
    text = start + rest[rest.index("[signed_out]") :].replace('headers = { X-Token = "{token}" }', "")
    (tmp_path / "browser.toml").write_text(text)
    family.account = account_of(tmp_path / "browser.toml", base_url=f"{server.origin}/app")
    cookies = '[{"name": "sid", "value": "8", "domain": "127.0.0.1", "path": "/", "hostOnly": true}]'
    family.world.session.content = f'{{"cookies": {cookies}}}'.encode()

    assert list(family.read()) == ["E000000001"]
    assert server.requests[0].headers["cookie"] == "sid=8"

    site.show("/app/cases", "You are signed out")
    with pytest.raises(SessionEnded, match="cookies"):
        family.read()


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'{"cookies": 5, "taken": [], "found": 7}', b'{"cookies": [{}, null]}', b"\xff"]
)
def test_damaged_session_leads_to_a_sign_in(family: RecipeClient, content: bytes, server: LoopbackServer) -> None:
    family.world.session.content = content

    assert list(family.read()) == ["E000000001"]
    assert targets(server)[0] == "/app/in"


def test_title_missing_in_all_cases_is_unexpected(family: RecipeClient, site: Site) -> None:
    family.read()
    site.show("/app/1", "<b>Case Was Received</b><h2>Visa</h2>")
    for _ in range(2):
        with pytest.raises(UnexpectedAnswer, match=r"case\.fields\.title 'css:h1'"):
            family.read()

    site.show("/app/1", "<b>Case Was Approved</b><h1>Visa</h1>")
    assert family.read()["E000000001"].title == "Visa"


def test_check_ends_when_the_daemon_stops(family: RecipeClient) -> None:
    family.world.stop.set()

    with pytest.raises(PortalUnavailable):
        family.read()


def test_cookies_that_pile_up_cost_one_sign_in(site: Site, tmp_path: Path) -> None:
    visits = 0

    def answer(asked: ReceivedRequest) -> bytes:
        nonlocal visits
        if len(asked.headers.get("cookie", "")) > 8192:
            return reply(400, b"Request Header Or Cookie Too Large")
        if asked.target == "/app/cases":
            visits += 1
            cookies = f"OpenIdConnect.nonce.{visits}={'x' * 1000}; Path=/"
            site.show("/app/cases", '<ul><li>E000000001<u data-link="/app/1"></u></li></ul>', set_cookie=cookies)
        return site.answer(asked)

    with serve(answer) as server:
        (tmp_path / "office.toml").write_text(RECIPE)
        account = account_of(tmp_path / "office.toml", base_url=f"{server.origin}/app", username="me", password="p-7")
        family = RecipeClient(account=account)
        for _ in range(15):
            assert sorted(family.read()) == ["E000000001"]
        assert sum(request.target == "/app/in" for request in server.requests) == 2


def test_page_does_not_send_the_session_to_another_port(family: RecipeClient, site: Site) -> None:
    with serve(lambda _: reply()) as other:
        site.show("/app/cases", f'<ul><li>E000000001<u data-link="{other.origin}/1"></u></li></ul>')
        with pytest.raises(ForeignHost):
            family.read()
        assert other.requests == []


def test_form_of_the_answer_before_is_sent_as_it_came(family: RecipeClient, server: LoopbackServer, site: Site) -> None:
    recipe = family.account.recipe
    first = '[[sign_in]]\nget = "/start"\ntake = { action = "css:form@action" }\n'
    text = recipe.read_text().replace('[[sign_in]]\npost = "/in"', f'{first}[[sign_in]]\npost = "{{action}}"')
    recipe.write_text(text.replace("form = { u", 'form_from = "css:form"\nform = { u'))
    site.show("/app/start", "<form action=/app/in?code=1><input type=hidden name=execution value='a &amp; b'></form>")
    site.pages["/app/in?code=1"] = site.pages["/app/in"]

    RecipeClient(account=family.account.with_recipe(recipe)).read()

    assert server.requests[1].form == {"execution": "a & b", "u": "me & you", "p": "p=7&x"}
