"""An office with a public look-up, as several portals have one: HTML by number and birth date, JSON by a link's token.

It keeps state: what it knows, what was asked, and whether a firewall answers instead.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.doubles.loopback import ReceivedRequest, reply

CHALLENGE = reply(
    403,
    b"<html><head><title>Just a moment...</title></head><body></body></html>",
    content_type="text/html",
    server="cloudflare",
)
NOT_FOUND = "<p class='none'>Your search gave no result</p>"


@dataclass(slots=True)
class Lookup:
    """What the office knows of one case."""

    status: str
    birth_date: str = "1990-01-31"
    token: str = ""


@dataclass(slots=True)
class PublicOffice:
    """Knows `cases` by number. `is_walled`: a firewall answers."""

    cases: dict[str, Lookup] = field(default_factory=dict)
    is_walled: bool = False
    is_down: bool = False

    def answer(self, asked: ReceivedRequest) -> bytes:
        if self.is_walled:
            return CHALLENGE
        if self.is_down:
            return _page("<h1>Scheduled maintenance</h1>")
        address = urlsplit(asked.target)
        if address.path == "/result":
            fields = {**{name: values[0] for name, values in parse_qs(address.query).items()}, **asked.form}
            return self._result(fields)
        if address.path.startswith("/api/tracking/"):
            return self._tracking(address.path.rpartition("/")[2])
        return reply(404, b"<html>Not here</html>", content_type="text/html")

    def _result(self, fields: dict[str, str]) -> bytes:
        case = self.cases.get(fields.get("number", ""))
        if case is None or case.birth_date != fields.get("birth"):
            return _page(NOT_FOUND)
        return _page(f"<table id='result'><tr><th>Decision:</th><td class='status'>{case.status}</td></tr></table>")

    def _tracking(self, token: str) -> bytes:
        case = next((case for case in self.cases.values() if case.token == token), None)
        found = {"found": case is not None, "link": f"/tracking/{token}"}
        document = {"result": found | ({"history": [{"label": case.status, "now": True}]} if case else {})}
        return reply(200, json.dumps(document).encode(), content_type="application/json")


def _page(content: str) -> bytes:
    body = f"<!DOCTYPE html><html><body>{content}</body></html>"
    return reply(200, body.encode(), content_type="text/html; charset=utf-8")
