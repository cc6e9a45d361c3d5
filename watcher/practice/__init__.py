"""The practice portal: an HTTPS server on loopback that behaves like a portal of this field and keeps honest state.

It has a sign-in page with a CSRF token and one-time codes, sessions that end, a lock, a list of cases, case pages and
their JSON, notices as PDFs, the USCIS Case Status API, and a switch for everything that goes wrong with such portals.
`python -m watcher.practice` runs it alone. Everybody and everything in it is made up.

    with PracticePortal(clock) as portal:
        case = portal.cases.add("IOE0000000001")
        case.request_evidence()
        portal.faults.throw(Fault.UNAVAILABLE, path="/cases/*", times=3)

The product never imports this package, but for the demo.
"""

from watcher.practice.portal import PracticePortal
from watcher.practice.site.exchange import Received, Response
from watcher.practice.site.faults import Fault
from watcher.practice.state.case_book import CaseBook, PracticeCase
from watcher.practice.state.terms import Account, Terms

__all__ = ["Account", "CaseBook", "Fault", "PracticeCase", "PracticePortal", "Received", "Response", "Terms"]
