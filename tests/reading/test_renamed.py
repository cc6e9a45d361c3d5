"""What is known of a login holds whatever the section of the account is called. With the real command."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles.json_office import PASSWORD, USERNAME, JsonOffice, case_of
from tests.doubles.loopback import serve
from tests.support.workspace import REPOSITORY, Workspace

RECIPE = REPOSITORY / "config" / "recipes" / "json-api.toml"


@dataclass(slots=True, kw_only=True)
class Household:
    workspace: Workspace
    office: JsonOffice
    origin: str

    def configure(self, *names: str, password: str = "wrong", username: str = USERNAME) -> None:
        """Write a configuration in which each of these accounts is the same login."""
        self.workspace.write(
            "".join(
                f'[accounts.{name}]\nportal = "recipe"\nrecipe = "{RECIPE}"\nbase_url = "{self.origin}"\n'
                f'username = "{username}"\npassword = "{password}"\n'
                for name in names
            )
        )

    def outcome(self) -> str:
        document = self.workspace.run("check", "--json", expect=(0, 1)).json
        return str(document["accounts"][0]["outcome"])


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    office = JsonOffice(cases={"A-0000001": case_of("A-0000001")}, ask_for_code=False)
    with serve(office.answer) as server:
        yield Household(workspace=Workspace(folder=tmp_path), office=office, origin=server.origin)


def test_renamed_account_stays_paused_until_a_person_acts(household: Household) -> None:
    household.configure("family")
    assert household.outcome() == "rejected"
    household.configure("home")
    assert [household.outcome(), household.outcome()] == ["paused", "paused"]
    assert household.office.submissions == 1
    household.workspace.run("resume", "home")
    assert [household.outcome(), household.outcome()] == ["rejected", "paused"]
    assert household.office.submissions == 2
    household.configure("cottage", password=PASSWORD)
    assert household.outcome() == "ok"


def test_refused_credential_is_not_submitted_again_though_the_old_name_is_forgotten(household: Household) -> None:
    household.configure("family")
    household.outcome()
    with closing(sqlite3.connect(household.workspace.database)) as database, database:
        database.execute("DELETE FROM account")
    household.configure("home")
    assert household.outcome() == "rejected"
    assert household.office.submissions == 1


def test_pause_can_be_lifted_under_the_new_name_at_once(household: Household) -> None:
    household.configure("family")
    household.outcome()
    household.configure("home")
    household.workspace.run("resume", "home")
    assert household.outcome() == "rejected"
    assert household.office.submissions == 2


def test_sign_ins_are_counted_across_names(household: Household) -> None:
    for number in range(7):
        household.configure(f"name{number}", password=PASSWORD)
        outcome = household.outcome()
    assert outcome == "failed"
    assert household.office.submissions == 5


def test_two_sections_with_one_login_are_a_fault(household: Household) -> None:
    household.configure("family", "home")
    result = household.workspace.run("check", expect=(2,))
    assert "accounts.home: has the same login (portal, address, and user) as accounts.family" in result.err
    assert household.office.submissions == 0
