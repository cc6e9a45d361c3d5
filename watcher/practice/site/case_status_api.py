"""The USCIS Case Status API on the wire: tokens, bodies, and the different forms of its errors.

The formats follow developer.uscis.gov (Case Status API 1.0.0) and recorded responses of its sandbox. Token responses
follow Apigee, the gateway in front of it.
"""

import hmac
import re
import secrets
from datetime import datetime
from threading import Lock
from typing import Any

from watcher.clock import Clock
from watcher.practice.site.answer_shapes import ResponseShape
from watcher.practice.site.exchange import Request, Response, json_answer
from watcher.practice.state.case_book import CaseBook
from watcher.practice.state.case_record import PORTAL_ZONE, CaseRecord
from watcher.practice.state.terms import Account, Terms

_RECEIPT = re.compile(r"[A-Za-z]{3}(?:[0-9]{10}|\*[0-9]{9})", re.ASCII)
_UNKNOWN = (
    "Case Status Online does not recognize the receipt number entered. Please check your receipt number and try again."
)
_MALFORMED = "The application receipt number is not formatted correctly, it is three letters and ten digits."


class TokenServer:
    """Issues access tokens for client credentials and knows which are valid, by the portal's clock."""

    def __init__(self, account: Account, terms: Terms, clock: Clock) -> None:
        """Start without any token."""
        self._account, self._terms, self._clock = account, terms, clock
        self._secret = account.client_secret
        self._ends = dict[str, datetime]()
        self._lock = Lock()

    def issue(self, request: Request) -> Response:
        """Answer `POST /oauth/accesstoken`."""
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return json_answer({"ErrorCode": "invalid_request", "Error": "Unsupported grant type"}, status=400)
        with self._lock:
            if not self._is_client(form):
                return json_answer({"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}, status=401)
            now = self._clock.now()
            token = secrets.token_urlsafe(21)
            self._ends[token] = now + self._terms.token_lifetime
        return json_answer(self._grant(token, now))

    def accepts(self, token: str) -> bool:
        """Return whether this token was issued here and has not expired."""
        with self._lock:
            ends_at = self._ends.get(token)
        return ends_at is not None and self._clock.now() < ends_at

    def revoke_tokens(self) -> None:
        """Revoke all tokens."""
        with self._lock:
            self._ends.clear()

    def change_client_secret(self, secret: str) -> None:
        """Change the client's secret. Issued tokens stay valid."""
        with self._lock:
            self._secret = secret

    def _is_client(self, form: dict[str, str]) -> bool:
        """Return whether the client is known. The IDs of further apps begin with the first one's and a hyphen."""
        app = self._account.client_id
        client_id = app if (given := form.get("client_id", "")).startswith(f"{app}-") else given
        known_id = hmac.compare_digest(client_id.encode(), app.encode())
        known_secret = hmac.compare_digest(form.get("client_secret", "").encode(), self._secret.encode())
        return known_id and known_secret

    def _grant(self, token: str, now: datetime) -> dict[str, str]:
        return {
            "access_token": token,
            "token_type": "BearerToken",
            "expires_in": str(int(self._terms.token_lifetime.total_seconds()) - 1),
            "issued_at": str(int(now.timestamp() * 1000)),
            "status": "approved",
            "scope": "",
            "api_product_list": "[Case Status API - Sandbox]",
            "organization_name": "uscis",
            "client_id": self._account.client_id,
            "refresh_token_expires_in": "0",
        }


def case_status(
    request: Request, receipt: str, shape: ResponseShape, *, tokens: TokenServer, book: CaseBook
) -> Response:
    """Answer `GET /case-status/RECEIPT`."""
    if not tokens.accepts(request.bearer):
        return json_answer({"code": 401, "message": "Invalid Access Token"}, status=401)
    if not _RECEIPT.fullmatch(receipt):
        return json_answer({"message": _MALFORMED}, status=422)
    record = book.record(receipt.upper())
    if record is None:
        return json_answer({"message": _UNKNOWN}, status=404)
    message = f"Query was successful for payload {{'receipt_number': '{record.number}'}}"
    if shape.empty:
        return json_answer({"case_status": [], "message": message})
    return json_answer(shape.document({"case_status": _body(shape.record(record)), "message": message}))


def unavailable() -> Response:
    """Return the sandbox's 503: blank lines first, and a code that is text."""
    body = (
        b'\n\n  {"error":{"code":"503","message":"The Case Status API Sandbox is unavailable at this time. '
        b'Please try again during the hours of operation."}}'
    )
    return Response(status=503, body=body, content_type="application/json")


def server_error(status: int = 500) -> Response:
    """Return an error in the newer form, a list of errors."""
    error = {
        "code": "INTERNAL_ERROR",
        "message": "An unexpected error occurred.",
        "category": "SERVER",
        "reference": "https://developer.uscis.gov/",
        "status": status,
        "traceId": "00000000-0000-4000-8000-000000000000",
    }
    return json_answer({"errors": [error]}, status=status)


def _body(record: CaseRecord) -> dict[str, Any]:
    """Return a case in the API's form. Receipt numbers that begin with IOE have no dates."""
    dates = {"submittedDate": _stamp(record.submitted_at), "modifiedDate": _stamp(record.updated_at)}
    history = [
        {"date": event.on.isoformat(), "completed_text_en": event.text_en, "completed_text_es": event.text_es}
        for event in record.events
    ]
    return {
        "receiptNumber": record.number,
        "formType": record.form,
        **({} if record.number.startswith("IOE") else dates),
        "current_case_status_text_en": record.status.title_en,
        "current_case_status_desc_en": record.status.text_en,
        "current_case_status_text_es": record.status.title_es,
        "current_case_status_desc_es": record.status.text_es,
        "hist_case_status": history or None,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(PORTAL_ZONE).strftime("%m-%d-%Y %H:%M:%S")
