"""The practice portal: a stateful HTTPS server on loopback that behaves like a real portal.

It has a sign-in page with a CSRF token and one-time codes, sessions that expire, a lock, a list of cases, case pages
and their JSON, notices as PDFs, the USCIS Case Status API, and switches for the faults of such portals.
`python -m watcher.practice` runs it alone. All people and data in it are made up.

    with PracticePortal(clock) as portal:
        case = portal.cases.add("IOE0000000001")
        case.request_evidence()
        portal.faults.throw(Fault.UNAVAILABLE, path="/cases/*", times=3)

Only the demo imports this package.
"""

from watcher.practice.portal import PracticePortal
from watcher.practice.site.exchange import Received, Response
from watcher.practice.site.faults import Fault
from watcher.practice.state.case_book import CaseBook, PracticeCase
from watcher.practice.state.terms import Account, Terms

__all__ = ["Account", "CaseBook", "Fault", "PracticeCase", "PracticePortal", "Received", "Response", "Terms"]
