"""A JSON portal on loopback: sign-in with a challenge, expiring tokens, and a paginated list; for API clients, a token
endpoint and cases by number."""

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.doubles.loopback import ReceivedRequest, reply

USERNAME, PASSWORD, CODE = "applicant", "una clave 7", "246810"
CLIENT_ID, CLIENT_SECRET = "client-7", "client secret 7"
_PAGE: Final = 2


def case_of(number: str, **fields: Any) -> dict[str, Any]:
    """Return a case as `/cases/NUMBER` shows it."""
    return {
        "number": number,
        "form": "EX-10",
        "form_name": "Residencia",
        "status": {
            "title": "In study",
            "html": "<p>Your file is <b>with</b><br>an officer.</p>",
            "since": "09/07/2026",
        },
        "filed_at": 1_780_000_000_000,
        "touched_at": "2026-07-09T10:00:00Z",
        "letters": [],
        "log": [{"seq": 1, "at": "29/05/2026", "text": "Filed"}],
        **fields,
    }


@dataclass(slots=True, kw_only=True)
class JsonOffice:
    """The portal. `ask_for_code`: whether a sign-in takes two steps. `answers` replace the responses of paths."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ask_for_code: bool = True
    locked: bool = False
    answers: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    issued: int = 0
    submissions: int = 0

    def answer(self, request: ReceivedRequest) -> bytes:
        path, query = urlsplit(request.target).path, parse_qs(urlsplit(request.target).query)
        if path in self.answers:
            return self.answers[path]
        if request.method == "POST":
            return self._sign_in(path, request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return as_json({"error": "sign in first"}, 401)
        return self._show(path, query)

    def _sign_in(self, path: str, request: ReceivedRequest) -> bytes:
        self.submissions += 1
        if path == "/oauth/token":
            form = request.form
            valid = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            valid = valid and form.get("grant_type") == "client_credentials"
            return as_json({"access_token": self._token()}) if valid else as_json({"error": "invalid_client"}, 401)
        body = json.loads(request.body)
        if self.locked:
            return as_json({"errors": [{"code": "locked"}]}, 423)
        if path == "/auth/code":
            valid = (body["challenge"], body["code"]) == ("challenge-1", CODE)
            return as_json({"token": self._token()}) if valid else as_json({}, 401)
        if (body["user"], body["secret"], body["device"]) != (USERNAME, PASSWORD, {"kind": "web"}):
            return as_json({"errors": [{"code": "bad_credentials"}]})
        return as_json(
            {"challenge": "challenge-1"} if self.ask_for_code else {"token": self._token(), "challenge": None}
        )

    def _token(self) -> str:
        self.issued += 1
        token = f"token-{self.issued}-of-the-office"
        self.tokens.add(token)
        return token

    def _show(self, path: str, query: dict[str, list[str]]) -> bytes:
        if path == "/cases":
            return self._list(int(query.get("after", ["0"])[0]))
        number = path.split("/")[2]
        if number not in self.cases:
            return as_json({"error": "no such case"}, 404)
        if path.startswith("/case-status/"):
            return as_json({"case": self.cases[number]})
        if path.endswith("/tasks"):
            return as_json({"tasks": self.tasks.get(number, [])})
        return as_json(self.cases[number])

    def _list(self, after: int) -> bytes:
        page = list(self.cases)[after : after + _PAGE]
        cursor = after + _PAGE if after + _PAGE < len(self.cases) else None
        return as_json({"items": [{"number": number} for number in page], "cursor": cursor})


def as_json(content: Any, status: int = 200) -> bytes:
    return reply(status, json.dumps(content).encode(), content_type="application/json")
