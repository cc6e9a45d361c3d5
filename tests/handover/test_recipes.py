"""What a recipe hands over from the person's own tab: the answers to its own requests, or the page itself."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.handover.payloads import payload
from tests.support.workspace import Workspace
from watcher.actions import Refused
from watcher.actions.hand_over import take
from watcher.app import App
from watcher.handover.offer import plan_of
from watcher.recipe.parse.check import RecipeFaults, parse_recipe

SITE = "https://portal.example.gov"
RECIPE = """
name = "Example Immigration Office"
base_url = "https://portal.example.gov"
[links]
sign_in = "https://portal.example.gov/"
help = "https://portal.example.gov/contact"
[cases]
get = "/cases"
each = "css:table#cases tbody tr"
case_number = "css:td.receipt"
expect = "css:table#cases"
[case]
get = "/cases/{case_number}?view=full"
expect = "css:#case-detail"
case_number = "css:.number"
[case.fields]
status = "css:.status"
[case.stages]
"Under Review" = "under_review"
"Approved" = "approved"
[[case.pending]]
get = "/cases/{case_number}/actions"
each = "css:.action-item"
id = "css:@data-id"
kind = "css:.kind"
kinds = { "Request for Evidence" = "rfe" }
title = "css:.title"
"""
HANDOVER = "[handover]\nnumber = 'EX-([0-9]{4}/[0-9]{2})'\n"
PAGE = "[handover]\npage = true\n"
NUMBER = "1234/26"


def workspace(folder: Path, recipe: str, *, cases: str = "") -> Workspace:
    made = Workspace(folder=folder)
    (folder / "office.toml").write_text(recipe)
    made.write(f'[accounts.family]\nportal = "recipe"\nrecipe = "office.toml"\n{cases}')
    return made


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with workspace(tmp_path, RECIPE + HANDOVER).app() as app:
        yield app


def detail(status: str, number: str = NUMBER) -> str:
    return (
        f'<html><body><div id="case-detail"><p class="number">{number}</p><p class="status">{status}</p></div>'
        "</body></html>"
    )


def actions(*titles: str) -> str:
    items = "".join(
        f'<div class="action-item" data-id="{title}"><i class="kind">Request for Evidence</i>'
        f'<b class="title">{title}</b></div>'
        for title in titles
    )
    return f"<html><body>{items}</body></html>"


def answer(path: str, text: str, *, code: int = 200) -> dict[str, Any]:
    return {"case": NUMBER, "url": f"{SITE}{path}", "status": code, "type": "text/html", "text": text}


def send(app: App, *answers: dict[str, Any]) -> list[str]:
    """Hand over, and return the kinds of the changes."""
    taken = take(app, "family", payload(datetime.now(UTC), *answers, site=SITE))
    return [change.change.kind for change in taken.result.changes]


def both(status: str, *requests: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answers about the case. The browser escapes the number in its own way."""
    return (
        answer("/cases/1234%2F26?view=full", detail(status)),
        answer("/cases/1234%2F26/actions", actions(*requests)),
    )


def test_plan_is_made_of_the_recipes_own_requests(app: App) -> None:
    plan = plan_of(app.settings.accounts["family"])
    assert (plan.origin, plan.listing, plan.takes_page) == (SITE, "/cases", False)
    assert plan.paths == ("/cases/{case_number}?view=full", "/cases/{case_number}/actions")


def test_answers_are_one_check(app: App) -> None:
    assert send(app, *both("Under Review")) == ["case_added"]
    assert sorted(send(app, *both("Approved", "Send the form"))) == ["rfe_received", "stage_changed"]
    (case,) = app.store.tracked_cases()
    assert (case.case_number, case.snapshot and case.snapshot.status) == (NUMBER, "Approved")


def test_changed_page_is_refused_and_changes_nothing(app: App) -> None:
    send(app, *both("Under Review"))
    with pytest.raises(Refused, match=NUMBER):
        send(app, answer("/cases/1234%2F26?view=full", "<html><body>Welcome</body></html>"))
    (case,) = app.store.tracked_cases()
    assert case.snapshot is not None
    assert case.snapshot.status == "Under Review"


def test_case_of_another_person_is_refused(app: App) -> None:
    with pytest.raises(Refused, match="cannot see the cases"):
        send(app, answer("/cases/1234%2F26?view=full", "", code=404))


def test_page_that_the_person_sees_is_the_case_of_the_account(tmp_path: Path) -> None:
    recipe = RECIPE[: RECIPE.index("[[case.pending]]")] + PAGE
    with workspace(tmp_path, recipe, cases=f'cases = ["{NUMBER}"]\n').app() as app:
        shown = {"url": f"{SITE}/anywhere", "status": 200, "type": "text/html"}
        assert send(app, shown | {"text": detail("Under Review")}) == ["case_added"]
        assert "stage_changed" in send(app, shown | {"text": detail("Approved")})
        with pytest.raises(Refused, match="Nothing was changed"):
            send(app, shown | {"text": detail("Approved", number="9999/26")})


def test_saved_archive_is_imported_by_the_command(tmp_path: Path) -> None:
    made = workspace(tmp_path, RECIPE + HANDOVER)
    entries = [
        {
            "request": {"method": "GET", "url": each["url"]},
            "response": {"status": 200, "content": {"text": each["text"], "mimeType": "text/html"}},
        }
        for each in both("Under Review")
    ]
    (tmp_path / "saved.har").write_text(json.dumps({"log": {"entries": entries}}))
    assert made.run("import", "family", "saved.har", "--json").json["accounts"][0]["cases_read"] == 1


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("[handover]\nnumber = 'EX'\n", "must have one group"),
        ("[handover]\nnumber = 3\n", "handover.number"),
        ("[handover]\npages = true\n", "handover.pages"),
    ],
)
def test_fault_in_the_table_names_its_line(table: str, fault: str) -> None:
    with pytest.raises(RecipeFaults) as faults:
        parse_recipe(RECIPE + table, "office.toml")
    (line,) = faults.value.faults
    assert fault in line
    assert line.startswith("office.toml:")


def test_case_whose_request_needs_more_than_its_number_needs_the_page() -> None:
    signed = RECIPE.replace('get = "/cases/{case_number}?view=full"', 'get = "/cases/{case_number}?token={username}"')
    with pytest.raises(RecipeFaults) as faults:
        parse_recipe(signed + HANDOVER, "office.toml")
    assert "page = true" in str(faults.value)
    assert parse_recipe(signed + PAGE, "office.toml").handover is not None
