"""An office whose answers need more than one request each, as several portals do.

It keeps state: a form has hidden inputs that are good for one question, a list answers to several numbers at once, and
one account sees one case, whose parts are at addresses of their own.
"""

import json
from dataclasses import dataclass, field
from html import escape
from itertools import count
from urllib.parse import urlsplit

from tests.doubles.loopback import ReceivedRequest, reply

MAX_AT_ONCE = 3


@dataclass(slots=True)
class StepOffice:
    """Knows `cases`, statuses by number. `tokens` are the view states that were given and not used yet."""

    cases: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    asked_at_once: list[list[str]] = field(default_factory=list)
    own: dict[str, object] | None = None
    _next: "count[int]" = field(default_factory=lambda: count(1))

    def answer(self, asked: ReceivedRequest) -> bytes:
        address = urlsplit(asked.target)
        if address.path == "/search" and asked.method == "GET":
            return self._form()
        if address.path == "/search":
            return self._searched(asked.form)
        if address.path == "/batch":
            return self._batch(json.loads(asked.body))
        if address.path == "/decisions":
            return self._decisions()
        if address.path.startswith("/my/") and self.own is not None:
            return _json(self.own.get(address.path.removeprefix("/my/"), ""))
        return _page("<p class='none'>nothing</p>") if address.path.startswith("/my") else reply(404)

    def _form(self) -> bytes:
        token = f'state "&" {next(self._next)}'
        self.tokens.add(token)
        return _page(
            "<form id='other'><input type=hidden name=wrong value=1></form>"
            f"<form id='find'><input type=hidden name='__VIEWSTATE' value='{escape(token)}'>"
            "<input type='HIDDEN' name='empty'><input type=hidden disabled name=off value=1>"
            "<input name='number'><input type='submit' name='go' value='Go'></form>"
        )

    def _searched(self, form: dict[str, str]) -> bytes:
        if form.get("__VIEWSTATE") not in self.tokens or {"wrong", "off", "go"} & form.keys():
            return reply(400, b"<html>Invalid view state</html>", content_type="text/html")
        self.tokens.discard(form["__VIEWSTATE"])
        status = self.cases.get(form["number"])
        return _page(f"<b class='status'>{status}</b>" if status else "<p class='none'>nothing</p>")

    def _batch(self, numbers: list[str]) -> bytes:
        self.asked_at_once.append(numbers)
        if len(numbers) > MAX_AT_ONCE:
            return reply(400, b"{}", content_type="application/json")
        found = [{"caseNumber": number, "caseStatus": self.cases[number]} for number in numbers if number in self.cases]
        return _json({"value": found})

    def _decisions(self) -> bytes:
        rows = "".join(f"<tr><td>{number}</td><td>{status}</td></tr>" for number, status in self.cases.items())
        return _page(f"<table id='decisions'><tr><td>Application</td><td>Decision</td></tr>{rows}</table>")


def _json(document: object) -> bytes:
    return reply(200, json.dumps(document).encode(), content_type="application/json")


def _page(content: str) -> bytes:
    body = f"<!DOCTYPE html><html><body>{content}</body></html>"
    return reply(200, body.encode(), content_type="text/html; charset=utf-8")
