"""A double of the USCIS online account on two loopback origins: one signs in, the other has the cases.

Written from the facts alone, with the pages' element ids and the portal's bad manners; every fault is a switch.
"""

import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.doubles import uscis_answers as said

EMAIL = "me@example.org"
PASSWORD = "horse staple"
CODE = "012345"
_ENDED = {
    "data": None,
    "error": {"userMessage": None, "developerMessage": None, "failureCode": None, "details": None, "requestId": "0"},
}
_ELSEWHERE = "http://127.0.0.9:9/"


class Fault(Enum):
    """What can be wrong with the portal."""

    LOCKED = "the account is locked after the password"
    CAPTCHA = "a captcha stands before the sign-in"
    CHALLENGE = "the wall answers the password with a challenge and nothing else"
    NO_CODE = "no code is asked for"
    FORM_NEVER_DRAWN = "the sign-in page stays empty"
    LEADS_AWAY = "the sign-in leads to another host"
    UNKNOWN_PAGE = "an announcement stands where the sign-in was"
    WALL = "the case service wants to see a browser"
    MAINTENANCE = "the applicant's page is down"
    EMPTY_PAGE = "the applicant's page lists no receipt"
    NULL_FOR_401 = "an ended session comes as HTTP 200 with nothing in it"
    DEAF_TO_COOKIES = "the case service takes no session at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedAnswer:
    """An answer in place of the usual one."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(slots=True, kw_only=True)
class FakeUscis:
    """The portal's whole state. `answers` replace those of a path; `cases` hold what is said by receipt."""

    auth: str = ""
    origin: str = ""
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, CannedAnswer] = field(default_factory=dict)
    faults: set[Fault] = field(default_factory=set)
    passwords: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    user_agents: set[str] = field(default_factory=set)
    awaiting_code: set[str] = field(default_factory=set)
    signed_in: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_case(self, receipt: str = said.RECEIPT, **answers: Any) -> None:
        """Puts a case on the account: `case`, `status` and `documents`, each as in `uscis_answers`."""
        usual = {"case": said.case(receipt), "status": said.status(receipt=receipt), "documents": []}
        self.cases[receipt] = usual | self.cases.get(receipt, {}) | answers

    def end_sessions(self) -> None:
        """The hard cap: everybody is signed out."""
        self.sessions.clear()
        self.signed_in.clear()

    def new_session(self) -> dict[str, Any]:
        """A cookie as a person's own browser would have it after signing in."""
        name = secrets.token_hex(8)
        self.sessions.add(name)
        return {"name": "_myuscis_session_rx", "value": name, "domain": _host(self.origin), "path": "/"}

    def cookie_file(self) -> bytes:
        """The same as a saved session."""
        return json.dumps({"cookies": [self.new_session()]}).encode()


@contextmanager
def running_uscis() -> Iterator[FakeUscis]:
    """A running double, with one case on it."""
    portal = FakeUscis()
    portal.add_case()
    servers = [
        ThreadingHTTPServer((host, 0), type(name, (handler,), {"portal": portal}))
        for host, name, handler in (("127.0.0.1", "Auth", _AuthHandler), ("127.0.0.2", "Cases", _CasesHandler))
    ]
    portal.auth, portal.origin = (f"http://{server.server_address[0]!s}:{server.server_port}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield portal
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join(5)


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""


class _Handler(BaseHTTPRequestHandler):
    portal: FakeUscis
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Says nothing."""

    def cookie(self, name: str) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return found.value if found else ""

    def reply(
        self, status: int, body: bytes = b"", *, content_type: str = "text/html; charset=utf-8", **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, status: int, value: Any, **headers: str) -> None:
        self.reply(status, json.dumps(value).encode(), content_type="application/json", **headers)

    def lead(self, to: str, *, cookie: str = "") -> None:
        if cookie:
            self.reply(HTTPStatus.FOUND, Location=to, Set_Cookie=cookie)
        else:
            self.reply(HTTPStatus.FOUND, Location=to)

    def note(self) -> str:
        path = urlsplit(self.path).path
        with self.portal.lock:
            self.portal.requests.append(f"{self.command} {path}")
            self.portal.user_agents.add(self.headers.get("User-Agent", ""))
        return path


_SIGN_IN_PAGE = """<!doctype html><html><head><title>Sign In</title><meta name="csrf-token" content="token-1"></head>
<body><div id="root"></div>{captcha}<script>
function draw() {{
  document.cookie = 'aws-waf-token=made-by-the-page; path=/';
  document.getElementById('root').innerHTML = `<form>
    <input id="email-address" type="email"><input id="password" type="password">
    <input id="checkbox" type="checkbox"><label for="checkbox">Terms of Use</label>
    <button id="sign-in-btn" type="button" data-testid="sign-in-btn">Sign In</button><p role="alert"></p></form>`;
  const typed = {{'email-address': '', 'password': ''}};
  for (const name of Object.keys(typed))
    document.getElementById(name).addEventListener('input', event => {{ typed[name] = event.target.value; }});
  document.getElementById('sign-in-btn').addEventListener('click', async () => {{
    if (!document.getElementById('checkbox').checked) return;
    const answer = await fetch('/v1/authentication/sign_in', {{method: 'POST',
      headers: {{'Content-Type': 'application/json',
                 'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}},
      body: JSON.stringify({{email: typed['email-address'], password: typed['password']}})}});
    if (answer.status !== 200) {{ document.querySelector('[role=alert]').textContent = 'Try again.'; return; }}
    const said = await answer.json();
    sessionStorage.setItem('xcsrf', said.xcsrf || '');
    window.location = said.go;
  }});
}}
if ({drawn}) setTimeout(draw, 120);
</script></body></html>"""

_CODE_PAGE = """<!doctype html><html><body><h1>Two-step verification</h1>
<input id="secure-verification-code" autocomplete="one-time-code">
<button id="2fa-submit-btn" type="button">Submit</button>
<a data-testid="request-new-verification" href="#">Resend</a><script>
document.getElementById('2fa-submit-btn').addEventListener('click', async () => {
  const answer = await fetch('/v1/authentication/verification_code', {method: 'POST',
    headers: {'Content-Type': 'application/json', 'X-CSRF-Token': sessionStorage.getItem('xcsrf') || ''},
    body: JSON.stringify({verification_code: document.getElementById('secure-verification-code').value,
                          remember_me: false, current2fa: ''})});
  if (answer.status === 200) window.location = '/dashboard';
});
</script></body></html>"""


class _AuthHandler(_Handler):
    """myaccount.uscis.gov."""

    def do_GET(self) -> None:
        path = self.note()
        signed_in = self.cookie("_uscis_user_session") in self.portal.signed_in
        if path == "/oauth/authorize":
            self._authorize(signed_in=signed_in)
        elif path == "/sign-in":
            self._sign_in_page()
        elif path == "/auth":
            self.reply(HTTPStatus.OK, _CODE_PAGE.encode())
        elif path in ("/dashboard", "/soft-locked"):
            self.reply(HTTPStatus.OK, f"<h1>{path}</h1>".encode())
        else:
            self.reply(HTTPStatus.NOT_FOUND)

    def _authorize(self, *, signed_in: bool) -> None:
        if signed_in:
            ticket = secrets.token_hex(8)
            self.portal.tickets.add(ticket)
            self.lead(f"{self.portal.origin}/oidc/callback?ticket={ticket}")
        elif self.cookie("_half") in self.portal.awaiting_code:
            self.lead("/auth")
        elif Fault.LEADS_AWAY in self.portal.faults:
            self.lead(_ELSEWHERE)
        else:
            self.lead("/sign-in")

    def _sign_in_page(self) -> None:
        faults = self.portal.faults
        if Fault.UNKNOWN_PAGE in faults:
            self.reply(HTTPStatus.OK, b"<script>location = '/news'</script>")
            return
        captcha = '<div id="captcha">Choose all pictures with a bus</div>' if Fault.CAPTCHA in faults else ""
        drawn = "false" if Fault.FORM_NEVER_DRAWN in faults else "true"
        self.reply(HTTPStatus.OK, _SIGN_IN_PAGE.format(captcha=captcha, drawn=drawn).encode())

    def do_POST(self) -> None:
        path = self.note()
        told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        if path == "/v1/authentication/sign_in":
            self._password(told)
        elif path == "/v1/authentication/verification_code":
            self._code(told)
        else:
            self.reply(HTTPStatus.NOT_FOUND)

    def _password(self, told: dict[str, str]) -> None:
        portal = self.portal
        portal.passwords.append(told["password"])
        if Fault.CHALLENGE in portal.faults or not self.cookie("aws-waf-token"):
            self.reply(HTTPStatus.ACCEPTED, x_amzn_waf_action="challenge")
        elif Fault.LOCKED in portal.faults:
            self.json(HTTPStatus.OK, {"go": "/soft-locked"})
        elif (told["email"], told["password"]) != (EMAIL, PASSWORD) or self.headers.get("X-CSRF-Token") != "token-1":
            self.json(HTTPStatus.UNAUTHORIZED, {"error": "invalid"})
        elif Fault.NO_CODE in portal.faults:
            name = secrets.token_hex(8)
            portal.signed_in.add(name)
            self.json(HTTPStatus.OK, {"go": "/dashboard"}, Set_Cookie=f"_uscis_user_session={name}; Path=/; HttpOnly")
        else:
            name = secrets.token_hex(8)
            portal.awaiting_code.add(name)
            said_so = {"authentication_state": "awaiting_two_factor", "xcsrf": "token-2", "mobile": "•••1234"}
            self.json(HTTPStatus.OK, {**said_so, "go": "/auth"}, Set_Cookie=f"_half={name}; Path=/")

    def _code(self, told: dict[str, str]) -> None:
        portal = self.portal
        portal.codes.append(told["verification_code"])
        if told["verification_code"] != CODE or self.headers.get("X-CSRF-Token") != "token-2":
            self.json(HTTPStatus.UNAUTHORIZED, {"error": "invalid"})
            return
        portal.awaiting_code.discard(self.cookie("_half"))
        name = secrets.token_hex(8)
        portal.signed_in.add(name)
        self.json(HTTPStatus.OK, {"ok": True}, Set_Cookie=f"_uscis_user_session={name}; Path=/; HttpOnly")


class _CasesHandler(_Handler):
    """my.uscis.gov."""

    def do_GET(self) -> None:
        path, query = self.note(), urlsplit(self.path).query
        if path in self.portal.answers:
            answer = self.portal.answers[path]
            self.reply(answer.status, answer.body, content_type=answer.content_type)
        elif path == "/account/applicant":
            self._applicant()
        elif path == "/oidc/login":
            self.lead(f"{self.portal.auth}/oauth/authorize?client=my")
        elif path == "/oidc/callback":
            self._callback(query.removeprefix("ticket="))
        elif path.startswith("/account/case-service/api/"):
            self._service(path.removeprefix("/account/case-service/api/"))
        else:
            self.reply(HTTPStatus.NOT_FOUND)

    def _is_signed_in(self) -> bool:
        return self.cookie("_myuscis_session_rx") in self.portal.sessions

    def _applicant(self) -> None:
        if Fault.MAINTENANCE in self.portal.faults:
            self.reply(HTTPStatus.SERVICE_UNAVAILABLE, b"<h1>We will be back</h1>")
        elif not self._is_signed_in():
            self.lead("/oidc/login")
        else:
            shown = [] if Fault.EMPTY_PAGE in self.portal.faults else list(self.portal.cases)
            rows = "".join(
                f"<li>Form I-485 <strong>Receipt&nbsp;#</strong> <span>{receipt}</span></li>" for receipt in shown
            )
            self.reply(HTTPStatus.OK, f"<!doctype html><h1>Your cases</h1><ul>{rows}</ul>".encode())

    def _callback(self, ticket: str) -> None:
        if ticket not in self.portal.tickets:
            self.lead("/oidc/login")
            return
        self.portal.tickets.discard(ticket)
        session = self.portal.new_session()
        self.lead("/account/applicant", cookie=f"{session['name']}={session['value']}; Path=/; HttpOnly")

    def _service(self, path: str) -> None:
        from_page = self.headers.get("Referer") == f"{self.portal.origin}/account/applicant"
        polite = from_page and self.headers.get("Accept") == "application/json"
        if Fault.WALL in self.portal.faults:
            self.reply(HTTPStatus.ACCEPTED, x_amzn_waf_action="challenge")
        elif Fault.DEAF_TO_COOKIES in self.portal.faults or not (self._is_signed_in() and polite):
            status = HTTPStatus.OK if Fault.NULL_FOR_401 in self.portal.faults else HTTPStatus.UNAUTHORIZED
            self.json(status, _ENDED)
        elif path == "cases":
            self.json(HTTPStatus.OK, {"data": []})
        else:
            self._case(path)

    def _case(self, path: str) -> None:
        found = re.fullmatch(r"(cases|case_status)/(IOE[0-9]{10})(/documents)?", path)
        shown = self.portal.cases.get(found.group(2)) if found else None
        if found is None or shown is None:
            self.json(HTTPStatus.INTERNAL_SERVER_ERROR, _ENDED)
        elif found.group(3):
            self.json(HTTPStatus.OK, shown["documents"])
        else:
            self.json(HTTPStatus.OK, {"data": shown["status" if found.group(1) == "case_status" else "case"]})
