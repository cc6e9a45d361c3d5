"""Hand-overs as `watcher/handover/browser/gather.js` builds them."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from tests.doubles.uscis_answers import RECEIPT, case, status

ORIGIN = "https://my.uscis.gov"
SERVICE = "/account/case-service/api"


def answer(path: str, data: Any, *, number: str = RECEIPT, code: int = 200) -> dict[str, Any]:
    """Return one answer of the case service."""
    text = data if isinstance(data, str) else json.dumps({"data": data})
    return {"case": number, "url": f"{ORIGIN}{path}", "status": code, "type": "application/json", "text": text}


def case_answers(number: str = RECEIPT, **fields: Any) -> list[dict[str, Any]]:
    """Return the three answers about a case."""
    return [
        answer(f"{SERVICE}/cases/{number}", case(number, **fields), number=number),
        answer(f"{SERVICE}/case_status/{number}", status(receipt=number), number=number),
        answer(f"{SERVICE}/cases/{number}/documents", [], number=number),
    ]


def denied(number: str, code: int = 403) -> list[dict[str, Any]]:
    """Return the answers about a case of another person's account."""
    return [answer(f"{SERVICE}/cases/{number}", None, number=number, code=code)]


def payload(at: datetime, *answers: dict[str, Any], **fields: Any) -> bytes:
    """Return a hand-over that was made at `at`."""
    content = {"version": 1, "nonce": uuid4().hex, "at": int(at.timestamp() * 1000), "site": ORIGIN}
    return json.dumps(content | {"answers": list(answers)} | fields).encode()
