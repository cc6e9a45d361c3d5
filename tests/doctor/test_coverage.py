"""`watcher doctor` names cases that no channel covers, and rules of channels that match nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.years.household import ACCOUNT, household
from watcher.doctor.coverage import check_coverage
from watcher.model.case import Snapshot

MARIAS, JUANS, NOBODYS = "IOE0900000001", "IOE0900000002", "IOE0900000003"
PEOPLE = {MARIAS: "Maria López", JUANS: "Juan"}


def findings(folder: Path, **channels: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what is reported of three cases: what it is about, the text, and the remedy."""
    with household(folder, channels) as family:
        family.app.store.user.label({number: {"person": person} for number, person in PEOPLE.items()})
        family.check(*(Snapshot(case_number=number, form="I-485", status="x") for number in (MARIAS, JUANS, NOBODYS)))
        return [(found.about, found.text, found.remedy or "") for found in check_coverage(family.app)]


def test_every_case_has_a_channel(tmp_path: Path) -> None:
    ((about, text, _remedy),) = findings(tmp_path, office={}, maria={"people": ["maria  lópez"]})
    assert (about, text) == ("who gets alerts", "the alerts of 3 cases go to a channel")


def test_people_and_cases_without_a_channel_are_named(tmp_path: Path) -> None:
    nobodys, juans = findings(tmp_path, maria={"people": ["Maria López"]}, lawyer={"cases": [MARIAS]})
    assert juans[:2] == ("person Juan", f"no channel gets any of their alerts: {JUANS}")
    assert nobodys[:2] == ("cases", f"no channel gets the alerts of {NOBODYS}")
    assert "`watcher notify plan`" in nobodys[2]


@pytest.mark.parametrize(
    ("rules", "problem", "remedy"),
    [
        ({"people": ["Maria Lopes"]}, "Maria Lopes, who has no case", "did you mean Maria López? Correct `people`"),
        ({"people": ["Wilhelmina"]}, "Wilhelmina, who has no case", "run `watcher label CASE --person NAME`"),
        ({"cases": ["IOE0900000011"]}, "IOE0900000011, which is not being watched", "did you mean IOE0900000001?"),
        ({"cases": ["juan"]}, "juan, which is not being watched", "juan is a person: write the name in `people`"),
        ({"cases": [MARIAS], "people": ["Juan"]}, "gets no alert of any case", "must match all of `accounts`, `cases`"),
    ],
)
def test_rule_that_matches_nothing_is_named_with_the_nearest(
    tmp_path: Path, rules: dict[str, Any], problem: str, remedy: str
) -> None:
    ((about, text, advice),) = findings(tmp_path, office={}, phone={"accounts": [ACCOUNT], **rules})
    assert about == "channel phone"
    assert problem in text
    assert remedy in advice
