"""A double of the USCIS online account on two loopback origins: one signs in, the other has the cases.

Written from published facts only, with the pages' element IDs and the portal's quirks. Each fault can be switched on.
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

from tests.doubles import uscis_answers as fake

EMAIL = "me@example.org"
PASSWORD = "horse staple"
CODE = "012345"
_ENDED = {
    "data": None,
    "error": {"userMessage": None, "developerMessage": None, "failureCode": None, "details": None, "requestId": "0"},
}
_FOREIGN_HOST = "http://127.0.0.9:9/"


class Fault(Enum):
    """A fault of the portal."""

    LOCKED = "the account is locked after the password"
    CAPTCHA = "a captcha precedes the sign-in"
    CHALLENGE = "the firewall answers the password with a challenge only"
    NO_CODE = "no code is required"
    FORM_NEVER_DRAWN = "the sign-in page stays empty"
    FOREIGN_REDIRECT = "the sign-in leads to another host"
    UNKNOWN_PAGE = "an announcement replaces the sign-in"
    FIREWALL = "the case service accepts only a browser"
    MAINTENANCE = "the applicant's page is down"
    EMPTY_PAGE = "the applicant's page lists no receipt"
    NULL_FOR_401 = "an ended session is answered with HTTP 200 without content"
    COOKIES_REJECTED = "the case service accepts no session"


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedAnswer:
    """An answer that replaces the usual one."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(slots=True, kw_only=True)
class FakeUscis:
    """The portal's state. `answers` replaces the answer of a path; `cases` has the answers by receipt number.

    `policy` is the Content-Security-Policy of every answer.
    """

    auth: str = ""
    origin: str = ""
    policy: str = ""
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

    def add_case(self, receipt: str = fake.RECEIPT, **answers: Any) -> None:
        """Add a case to the account: `case`, `status`, and `documents`, each as in `uscis_answers`."""
        usual = {"case": fake.case(receipt), "status": fake.status(receipt=receipt), "documents": []}
        self.cases[receipt] = usual | self.cases.get(receipt, {}) | answers

    def end_sessions(self) -> None:
        """End every session, as after the maximum duration."""
        self.sessions.clear()
        self.signed_in.clear()

    def new_session(self) -> dict[str, Any]:
        """Return a cookie as a browser has it after signing in."""
        name = secrets.token_hex(8)
        self.sessions.add(name)
        return {"name": "_myuscis_session_rx", "value": name, "domain": _host(self.origin), "path": "/"}

    def cookie_file(self) -> bytes:
        """Return a saved session with a new cookie."""
        return json.dumps({"cookies": [self.new_session()]}).encode()


@contextmanager
def running_uscis() -> Iterator[FakeUscis]:
    """Yield a running double with one case."""
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
        """Discard the message."""

    def cookie(self, name: str) -> str:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return cookie.value if cookie else ""

    def reply(
        self, status: int, body: bytes = b"", *, content_type: str = "text/html; charset=utf-8", **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.portal.policy:
            self.send_header("Content-Security-Policy", self.portal.policy)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, status: int, value: Any, **headers: str) -> None:
        self.reply(status, json.dumps(value).encode(), content_type="application/json", **headers)

    def redirect(self, to: str, *, cookie: str = "") -> None:
        if cookie:
            self.reply(HTTPStatus.FOUND, Location=to, Set_Cookie=cookie)
        else:
            self.reply(HTTPStatus.FOUND, Location=to)

    def record(self) -> str:
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
    const body = await answer.json();
    sessionStorage.setItem('xcsrf', body.xcsrf || '');
    window.location = body.go;
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
        path = self.record()
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
            self.redirect(f"{self.portal.origin}/oidc/callback?ticket={ticket}")
        elif self.cookie("_half") in self.portal.awaiting_code:
            self.redirect("/auth")
        elif Fault.FOREIGN_REDIRECT in self.portal.faults:
            self.redirect(_FOREIGN_HOST)
        else:
            self.redirect("/sign-in")

    def _sign_in_page(self) -> None:
        faults = self.portal.faults
        if Fault.UNKNOWN_PAGE in faults:
            self.reply(HTTPStatus.OK, b"<script>location = '/news'</script>")
            return
        captcha = '<div id="captcha">Choose all pictures with a bus</div>' if Fault.CAPTCHA in faults else ""
        drawn = "false" if Fault.FORM_NEVER_DRAWN in faults else "true"
        self.reply(HTTPStatus.OK, _SIGN_IN_PAGE.format(captcha=captcha, drawn=drawn).encode())

    def do_POST(self) -> None:
        path = self.record()
        form = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        if path == "/v1/authentication/sign_in":
            self._password(form)
        elif path == "/v1/authentication/verification_code":
            self._code(form)
        else:
            self.reply(HTTPStatus.NOT_FOUND)

    def _password(self, form: dict[str, str]) -> None:
        portal = self.portal
        portal.passwords.append(form["password"])
        if Fault.CHALLENGE in portal.faults or not self.cookie("aws-waf-token"):
            self.reply(HTTPStatus.ACCEPTED, x_amzn_waf_action="challenge")
        elif Fault.LOCKED in portal.faults:
            self.json(HTTPStatus.OK, {"go": "/soft-locked"})
        elif (form["email"], form["password"]) != (EMAIL, PASSWORD) or self.headers.get("X-CSRF-Token") != "token-1":
            self.json(HTTPStatus.UNAUTHORIZED, {"error": "invalid"})
        elif Fault.NO_CODE in portal.faults:
            name = secrets.token_hex(8)
            portal.signed_in.add(name)
            self.json(HTTPStatus.OK, {"go": "/dashboard"}, Set_Cookie=f"_uscis_user_session={name}; Path=/; HttpOnly")
        else:
            name = secrets.token_hex(8)
            portal.awaiting_code.add(name)
            state = {"authentication_state": "awaiting_two_factor", "xcsrf": "token-2", "mobile": "•••1234"}
            self.json(HTTPStatus.OK, {**state, "go": "/auth"}, Set_Cookie=f"_half={name}; Path=/")

    def _code(self, form: dict[str, str]) -> None:
        portal = self.portal
        portal.codes.append(form["verification_code"])
        if form["verification_code"] != CODE or self.headers.get("X-CSRF-Token") != "token-2":
            self.json(HTTPStatus.UNAUTHORIZED, {"error": "invalid"})
            return
        portal.awaiting_code.discard(self.cookie("_half"))
        name = secrets.token_hex(8)
        portal.signed_in.add(name)
        self.json(HTTPStatus.OK, {"ok": True}, Set_Cookie=f"_uscis_user_session={name}; Path=/; HttpOnly")


class _CasesHandler(_Handler):
    """my.uscis.gov."""

    def do_GET(self) -> None:
        path, query = self.record(), urlsplit(self.path).query
        if path in self.portal.answers:
            answer = self.portal.answers[path]
            self.reply(answer.status, answer.body, content_type=answer.content_type)
        elif path == "/account/applicant":
            self._applicant()
        elif path == "/oidc/login":
            self.redirect(f"{self.portal.auth}/oauth/authorize?client=my")
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
            self.redirect("/oidc/login")
        else:
            receipts = [] if Fault.EMPTY_PAGE in self.portal.faults else list(self.portal.cases)
            rows = "".join(
                f"<li>Form I-485 <strong>Receipt&nbsp;#</strong> <span>{receipt}</span></li>" for receipt in receipts
            )
            self.reply(HTTPStatus.OK, f"<!doctype html><h1>Your cases</h1><ul>{rows}</ul>".encode())

    def _callback(self, ticket: str) -> None:
        if ticket not in self.portal.tickets:
            self.redirect("/oidc/login")
            return
        self.portal.tickets.discard(ticket)
        session = self.portal.new_session()
        self.redirect("/account/applicant", cookie=f"{session['name']}={session['value']}; Path=/; HttpOnly")

    def _service(self, path: str) -> None:
        from_page = urlsplit(self.headers.get("Referer", "")).path == "/account/applicant"
        is_expected = from_page and self.headers.get("Accept", "").startswith("application/json")
        if Fault.FIREWALL in self.portal.faults:
            self.reply(HTTPStatus.ACCEPTED, x_amzn_waf_action="challenge")
        elif Fault.COOKIES_REJECTED in self.portal.faults or not (self._is_signed_in() and is_expected):
            status = HTTPStatus.OK if Fault.NULL_FOR_401 in self.portal.faults else HTTPStatus.UNAUTHORIZED
            self.json(status, _ENDED)
        elif path == "cases":
            self.json(HTTPStatus.OK, {"data": []})
        else:
            self._case(path)

    def _case(self, path: str) -> None:
        match = re.fullmatch(r"(cases|case_status)/(IOE[0-9]{10})(/documents)?", path)
        case = self.portal.cases.get(match.group(2)) if match else None
        if match is None or case is None:
            self.json(HTTPStatus.INTERNAL_SERVER_ERROR, _ENDED)
        elif match.group(3):
            self.json(HTTPStatus.OK, case["documents"])
        else:
            self.json(HTTPStatus.OK, {"data": case["status" if match.group(1) == "case_status" else "case"]})
