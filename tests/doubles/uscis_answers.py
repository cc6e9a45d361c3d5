"""Made-up answers of the case service of my.uscis.gov, in the shapes of the facts. Everything in them is synthetic."""

import json
from typing import Any

RECEIPT = "IOE0000000001"
ENCODED = dict[str, Any]


def event(code: str, day: str, *, written: str | None = None, number: int = 1) -> ENCODED:
    """An event of `day`, written on `written` (the same day where it is not given)."""
    put_down = written or day
    return {
        "receiptNumber": RECEIPT,
        "eventId": f"00000000-0000-4000-8000-{number:012d}",
        "eventCode": code,
        "createdAt": put_down,
        "createdAtTimestamp": f"{put_down}T21:59:03.805Z",
        "updatedAt": put_down,
        "updatedAtTimestamp": f"{put_down}T21:59:03.805Z",
        "eventDateTime": day,
        "eventTimestamp": f"{day}T21:58:24.159Z",
    }


def letter(number: int, action: str, day: str, *, appointment: str | None = None) -> ENCODED:
    """An entry of `notices`."""
    entry: ENCODED = {
        "receiptNumber": RECEIPT,
        "letterId": str(440000000 + number),
        "generationDate": f"{day}T23:43:31.809Z",
        "actionType": action,
    }
    return entry if appointment is None else {**entry, "appointmentDateTime": appointment}


def request(number: int, *, answered: bool = False, finalized: bool = False) -> ENCODED:
    """An entry of `evidenceRequests`."""
    return {"noticeId": f"n-{number}", "isRespondedTo": answered, "finalized": finalized}


def case(receipt: str = RECEIPT, *, updated: str = "2026-07-31", **changed: Any) -> ENCODED:
    """What `cases/RECEIPT` says, without its envelope."""
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
    """What `case_status/RECEIPT` says, without its envelope; `text` in place of one that states `day`."""
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
    """An entry of `historicalCaseStatuses`; `day` as `MM-DD-YYYY`."""
    return {"date": f"{day} 00:00:00", "actionCode": code, "statusTitle": title, "statusTitleSpanish": spanish}


def document(number: int, kind: str, day: str, *, source: str = "USCIS Generated") -> ENCODED:
    """An entry of the documents."""
    return {
        "fileName": "sample applicant passport.pdf",
        "contentId": f"{'A' * 40}{number:03d}",
        "type": kind,
        "createDate": f"{day}T02:09:53.542+0000",
        "sourceType": source,
    }


def body(said: Any) -> bytes:
    """An answer in its envelope."""
    return json.dumps({"data": said}).encode()


def answers(
    case_said: ENCODED | None = None,
    status_said: ENCODED | None = None,
    documents: list[ENCODED] | None = None,
    *,
    without: tuple[str, ...] = (),
) -> dict[str, bytes]:
    """All answers about one case, but those named in `without`."""
    every = {
        "case": body(case() if case_said is None else case_said),
        "status": body(status() if status_said is None else status_said),
        "documents": json.dumps(documents or []).encode(),
    }
    return {name: content for name, content in every.items() if name not in without}
