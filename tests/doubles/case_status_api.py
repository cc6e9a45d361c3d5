"""A stateful double of the USCIS Case Status API on loopback: its tokens, its cases, and the errors of its gateway."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve

UNKNOWN_RECEIPT = {"message": "Case Status Online does not recognize the receipt number entered."}


def case_status(receipt: str, title: str = "Case Was Received", **fields: Any) -> dict[str, Any]:
    """Return a complete answer about one case."""
    status = {
        "receiptNumber": receipt,
        "formType": "I-130",
        "submittedDate": "09-05-2023 14:28:46",
        "modifiedDate": "09-06-2023 10:00:00",
        "current_case_status_text_en": title,
        "current_case_status_desc_en": "On September 5, 2023, we received your Form I-130.",
        "current_case_status_text_es": "Caso Fue Recibido",
        "current_case_status_desc_es": "El 5 de septiembre de 2023, recibimos su Formulario I-130.",
        "hist_case_status": None,
    }
    return {"case_status": {**status, **fields}, "message": "Query was successful"}


@dataclass(slots=True, kw_only=True)
class CaseStatusApi:
    """The state of the API. `override` may answer a request about a case before the API does."""

    cases: dict[str, Any] = field(default_factory=dict)
    client_secret: str = "made-up-secret"
    expires_in: Any = "1799"
    token_answer: bytes | None = None
    override: Callable[[str, int], bytes | None] = lambda _receipt, _nth: None
    valid_tokens: set[str] = field(default_factory=set)
    tokens_issued: int = 0
    token_requests: int = 0
    case_requests: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add_cases(self, *receipts: str) -> None:
        self.cases |= {receipt: case_status(receipt) for receipt in receipts}

    def answer(self, request: ReceivedRequest) -> bytes:
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return self._token(request) if request.target == "/oauth/accesstoken" else self._case(request)
        finally:
            with self._lock:
                self.in_flight -= 1

    def _token(self, request: ReceivedRequest) -> bytes:
        self.token_requests += 1
        if self.token_answer is not None:
            return self.token_answer
        form = request.form
        known = form["client_id"].startswith("made-up-id") and form["client_secret"] == self.client_secret
        if form["grant_type"] != "client_credentials" or not known:
            return _json(401, {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"})
        self.tokens_issued += 1
        token = f"made-up-token-{self.tokens_issued}"
        self.valid_tokens.add(token)
        return _json(200, {"access_token": token, "token_type": "BearerToken", "expires_in": self.expires_in})

    def _case(self, request: ReceivedRequest) -> bytes:
        receipt = request.target.removeprefix("/case-status/")
        with self._lock:
            self.case_requests.append(receipt)
            nth = len(self.case_requests)
        override = self.override(receipt, nth)
        if override is not None:
            return override
        if request.headers["authorization"].removeprefix("Bearer ") not in self.valid_tokens:
            return _json(401, {"code": 401, "message": "Invalid Access Token"})
        if receipt not in self.cases:
            return _json(404, UNKNOWN_RECEIPT)
        return _json(200, self.cases[receipt])


def _json(status: int, content: Any) -> bytes:
    return reply(status, json.dumps(content).encode(), content_type="application/json")


@contextmanager
def running(api: CaseStatusApi) -> Iterator[LoopbackServer]:
    """Serve the API until the context exits."""
    with serve(api.answer) as server:
        yield server
