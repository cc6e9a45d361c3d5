"""A trace of each portal that signs in, and the database, contain no secret in any spelling.

The portal is as indiscreet as can be: every answer repeats the password, the cookies, and the tokens in every spelling.
"""

import base64
import html
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.doubles.ircc import ISSUER, make_token
from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.support.workspace import Workspace

SECRETS = {
    "password": "pw-S3cret&<x>\"'é-CANARY",
    "client_secret": "c/l+i e\\n%41t-CANARY",
    "cookie": "cookie.CANARY.0123",
    "new_cookie": "another-CANARY-9876",
    "access_token": "access_CANARY~7",
    "id_token": make_token(
        {"aud": "made-up-client", "token_use": "id", "iss": ISSUER, "x": "CANARY"}
        | {"exp": int((datetime.now(UTC) + timedelta(hours=1)).timestamp())}
    ),
    "refresh_token": "refresh:CANARY:1",
    "csrf": "csrf-CANARY-1",
}
RECIPE = """
name = "The indiscreet office"
base_url = "https://portal.example.gov"
[links]
sign_in = "https://portal.example.gov/"
help = "https://portal.example.gov/"
[[sign_in]]
get = "/sign-in"
take = { csrf = "css:input[name=csrf] @value" }
[[sign_in]]
post = "/sign-in"
form = { user = "{username}", word = "{password}", csrf = "{csrf}" }
rejected = ["status:403"]
[signed_out]
any = ["status:401"]
[cases]
get = "/cases"
each = "css:li"
case_number = "css:b"
[case.fields]
status = "css:i"
"""


def spellings(secret: str) -> list[str]:
    basic = base64.b64encode(f"someone:{secret}".encode()).decode()
    return [
        *(secret, html.escape(secret), quote(secret), quote(secret, safe=""), quote_plus(secret), basic),
        *("".join(f"&#{ord(character)};" for character in secret), json.dumps(secret), repr(secret.encode())),
        *(base64.urlsafe_b64encode(secret.encode()).decode(), html.escape(json.dumps(html.escape(secret)))),
    ]


def page_of(*known: str) -> str:
    """Return a page that repeats these secrets in every spelling, and names the token and the field for the form."""
    token = SECRETS["access_token"]
    return f"""<html><body><h1>Your cases</h1><ul><li><b>A-0000001</b> <i>Case Was Received</i></li></ul>
<input value='{SECRETS["csrf"]}' type=hidden name=csrf><script>var x = {{accessToken:'{token}'}}</script>
<a href="/logout?sid={SECRETS["cookie"]}&amp;next=/">Sign out</a><pre>{echo("access_token", "csrf", *known)}</pre>"""


def echo(*known: str) -> str:
    return "\n".join(spelling for name in known for spelling in spellings(SECRETS[name]))


@dataclass(slots=True)
class IndiscreetPortal:
    """Answers as each of the portals does, as far as it goes."""

    requests: list[str] = field(default_factory=list)

    def answer(self, request: ReceivedRequest) -> bytes:
        path, _, query = request.target.partition("?")
        self.requests.append(f"{request.method} {path}")
        headers = {
            "set_cookie": f"sid={SECRETS['new_cookie']}; Path=/; HttpOnly",
            "x_auth_token": SECRETS["access_token"],
            "x_debug": quote(SECRETS["password"]),
            "authentication_info": f'nextnonce="{SECRETS["csrf"]}"',
        }
        if path == "/sign-in" and request.method == "GET" and not query:
            target = f"/sign-in?code={SECRETS['csrf']}&state=x&session_token={SECRETS['access_token']}#id_token=CANARY"
            return reply(302, b"", location=target, **headers)
        content = self._content(request, path)
        if isinstance(content, str):
            return reply(200, content.encode(), content_type="text/html; charset=utf-8", **headers)
        body = json.dumps(content | {"title": "Your cases", "password": SECRETS["password"]})
        return reply(200, body.encode(), content_type="application/json", **headers)

    def _content(self, request: ReceivedRequest, path: str) -> str | dict[str, object]:
        tokens = {"IdToken": SECRETS["id_token"], "RefreshToken": SECRETS["refresh_token"], "TokenType": "Bearer"}
        grant = {"access_token": SECRETS["access_token"], "token_type": "BearerToken", "expires_in": "1799"}
        if path == "/oauth/accesstoken":
            return {**grant, "echo": echo("client_secret", "access_token", "new_cookie")}
        if path.startswith("/case-status/"):
            return {"echo": echo("client_secret", "access_token", "new_cookie")}
        if "x-amz-target" in request.headers:
            return {"AuthenticationResult": tokens, "echo": echo("password", "id_token", "refresh_token")}
        if path == "/user":
            return {"echo": echo("password", "id_token", "refresh_token", "new_cookie")}
        if path.startswith("/account/"):
            return page_of("cookie", "new_cookie")
        return page_of("password", "new_cookie")


def configuration(server: LoopbackServer, folder: Path) -> str:
    (folder / "office.toml").write_text(RECIPE, "utf-8")
    password, client_secret = json.dumps(SECRETS["password"]), json.dumps(SECRETS["client_secret"])
    return f"""
[accounts.office]
portal = "recipe"
recipe = "office.toml"
base_url = "{server.origin}"
username = "someone"
password = {password}
[accounts.api]
portal = "uscis-api"
base_url = "{server.origin}"
client_id = "made-up-id"
client_secret = {client_secret}
cases = ["EAC9999000001"]
[accounts.tracker]
portal = "ircc"
program = "immigration"
base_url = "{server.origin}"
auth_url = "{server.origin}"
client_id = "made-up-client"
username = "1100000001"
password = {password}
[accounts.online]
portal = "uscis"
base_url = "{server.origin}"
auth_url = "{server.origin}"
cases = ["IOE0900000001"]
"""


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace after two traced checks of every portal."""
    folder = tmp_path_factory.mktemp("indiscreet")
    portal = IndiscreetPortal()
    with serve(portal.answer) as server:
        workspace = Workspace(folder=folder)
        workspace.write(configuration(server, folder))
        cookie = {"name": "_myuscis_session_rx", "value": SECRETS["cookie"], "domain": "127.0.0.1", "path": "/"}
        (folder / "cookies.json").write_text(json.dumps([cookie]), "utf-8")
        workspace.run("login", "online", "--cookies", "cookies.json", expect=(0, 1))
        (folder / "cookies.json").unlink()
        for name in ("first", "second"):
            result = workspace.run("check", "--trace", f"trace/{name}", expect=(0, 1))
            (folder / f"trace/{name}/output.txt").write_text(result.out + result.err, "utf-8")
        yield workspace


@pytest.mark.parametrize("account", ["office", "api", "tracker", "online"])
def test_trace_contains_no_secret(traced: Workspace, account: str) -> None:
    files = [file for file in (traced.folder / "trace").rglob("*") if file.is_file() and file.parent.name == account]
    assert any(b"Your cases" in file.read_bytes() for file in files)
    assert [file.name for file in files if leaks(file.read_bytes())] == []
    assert [file.name for file in files if leaks(file.name.encode())] == []


def test_output_and_database_contain_no_secret(traced: Workspace) -> None:
    outputs = sorted(traced.folder.glob("trace/*/output.txt"))
    assert len(outputs) == 2
    for file in (*outputs, *traced.state.glob("watcher.sqlite3*")):
        assert leaks(file.read_bytes()) == [], file.name


def leaks(content: bytes) -> list[str]:
    """Return what a secret left in a file: the mark that each contains, plain or in Base64."""
    marks = [b"CANARY", b"&#67;&#65;&#78;&#65;&#82;&#89;"]
    for before, (start, end) in enumerate(((0, 8), (2, 9), (3, 10))):
        marks += [base64.b64encode(bytes(before) + b"CANARY")[start:end]]
    return [mark.decode() for mark in marks if mark in content]
