"""Synthetic answers of the case service of my.uscis.gov, in the published shapes."""

import json
from typing import Any

RECEIPT = "IOE0000000001"
ENCODED = dict[str, Any]


def event(code: str, day: str, *, recorded: str | None = None, number: int = 1) -> ENCODED:
    """Return an event of `day` that was recorded on `recorded`, by default on the same day."""
    recorded = recorded or day
    return {
        "receiptNumber": RECEIPT,
        "eventId": f"00000000-0000-4000-8000-{number:012d}",
        "eventCode": code,
        "createdAt": recorded,
        "createdAtTimestamp": f"{recorded}T21:59:03.805Z",
        "updatedAt": recorded,
        "updatedAtTimestamp": f"{recorded}T21:59:03.805Z",
        "eventDateTime": day,
        "eventTimestamp": f"{day}T21:58:24.159Z",
    }


def letter(number: int, action: str, day: str, *, appointment: str | None = None) -> ENCODED:
    """Return an entry of `notices`."""
    entry: ENCODED = {
        "receiptNumber": RECEIPT,
        "letterId": str(440000000 + number),
        "generationDate": f"{day}T23:43:31.809Z",
        "actionType": action,
    }
    return entry if appointment is None else {**entry, "appointmentDateTime": appointment}


def request(number: int, *, answered: bool = False, finalized: bool = False) -> ENCODED:
    """Return an entry of `evidenceRequests`."""
    return {"noticeId": f"n-{number}", "isRespondedTo": answered, "finalized": finalized}


def case(receipt: str = RECEIPT, *, updated: str = "2026-07-31", **changed: Any) -> ENCODED:
    """Return the answer of `cases/RECEIPT`, without its envelope."""
    return {
        "receiptNumber": receipt,
        "submissionDate": "2026-05-29",
        "submissionTimestamp": "2026-05-29T00:00:00.000Z",
        "formType": "I-485",
        "formName": "Application to Register Permanent Residence or Adjust Status",
        "updatedAt": updated,
        "updatedAtTimestamp": f"{updated}T13:07:45.006Z",
        "closed": False,
        "actionRequired": False,
        "cmsFailure": False,
        "ackedByAdjudicatorAndCms": True,
        "applicantName": "SAMPLE, APPLICANT",
        "representativeName": "SAMPLE, COUNSEL",
        "nonElisPaperFiled": False,
        "elisChannelType": "Lockbox",
        "isPremiumProcessed": False,
        "areAllGroupStatusesComplete": False,
        "elisBeneficiaryAddendum": {},
        "concurrentCases": [],
        "documents": [],
        "addendums": [],
        "evidenceRequests": [],
        "notices": [],
        "events": [],
        **changed,
    }


def status(
    title: str = "USCIS Is currently Processing the Case",
    day: str = "July 9, 2026",
    *,
    receipt: str = RECEIPT,
    text: str | None = None,
    **changed: Any,
) -> ENCODED:
    """Return the answer of `case_status/RECEIPT`, without its envelope. `text` replaces the text that states `day`."""
    return {
        "receiptNumber": receipt,
        "formType": "I-485",
        "currentActionCode": "FTA0",
        "currentActionCodeDate": "2026-07-09T21:58:24.000Z",
        "statusTitle": title,
        "statusText": text
        if text is not None
        else f'As of {day}, we are processing it. <a href="https://www.uscis.gov/addresschange">www.uscis.gov</a>',
        "statusTitleSpanish": "",
        "statusTextSpanish": "",
        "jurisdiction": "NBC",
        "jurisdictionDescription": "NATIONAL BENEFITS CENTER",
        "message": "Query was successful for payload {'receipt_number': 'IOE0000000001'}",
        "isPremiumProcessed": False,
        "historicalCaseStatuses": [],
        **changed,
    }


def earlier(title: str, day: str, code: str | None = None, spanish: str | None = None) -> ENCODED:
    """Return an entry of `historicalCaseStatuses`. `day` is `MM-DD-YYYY`."""
    return {"date": f"{day} 00:00:00", "actionCode": code, "statusTitle": title, "statusTitleSpanish": spanish}


def document(number: int, kind: str, day: str, *, source: str = "USCIS Generated") -> ENCODED:
    """Return an entry of the documents."""
    return {
        "fileName": "sample applicant passport.pdf",
        "contentId": f"{'A' * 40}{number:03d}",
        "type": kind,
        "createDate": f"{day}T02:09:53.542+0000",
        "sourceType": source,
    }


def body(data: Any) -> bytes:
    """Return an answer in its envelope."""
    return json.dumps({"data": data}).encode()


def answers(
    case_answer: ENCODED | None = None,
    status_answer: ENCODED | None = None,
    documents: list[ENCODED] | None = None,
    *,
    without: tuple[str, ...] = (),
) -> dict[str, bytes]:
    """Return all answers about one case except those named in `without`."""
    bodies = {
        "case": body(case() if case_answer is None else case_answer),
        "status": body(status() if status_answer is None else status_answer),
        "documents": json.dumps(documents or []).encode(),
    }
    return {name: content for name, content in bodies.items() if name not in without}
