"""What the person's own tab at my.uscis.gov hands over: the answers that the portal's own case page uses."""

from watcher.language.uscis_wording import RECEIPT
from watcher.portal import HandoverPlan
from watcher.portals.uscis.account import UscisAccount
from watcher.portals.uscis.sign_in_pages import APPLICANT

SERVICE = "/account/case-service/api"
LISTED = rf"Receipt\s*(?:#|number)?\s*:?\s*({RECEIPT})(?![0-9])"
"""A receipt number on the applicant's page; letter case does not matter."""


def handover_plan(account: UscisAccount) -> HandoverPlan:
    """Return the plan. Letters are not in it, because no public source states the address of one."""
    paths = ("cases/{case_number}", "case_status/{case_number}", "cases/{case_number}/documents")
    return HandoverPlan(
        origin=account.origins.cases,
        listing=APPLICANT,
        number=LISTED,
        paths=tuple(f"{SERVICE}/{path}" for path in paths),
    )
