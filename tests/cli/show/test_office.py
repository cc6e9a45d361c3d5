"""`watcher status` and its filters for eighty cases of thirty people, as real commands on a real database."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.office_workspace import OfficeWorkspace
from tests.cli.pseudo_terminal import WIDTH, on_terminal
from tests.cli.show.office import PEOPLE, TODAY, case_of, label_of, number_of, office_workspace, person_of
from watcher.cli.terminal.tables import width_of
from watcher.language.due_estimates import runs_until
from watcher.model.account_health import AccountState
from watcher.model.case import ItemKind, PendingItem, Snapshot, Stage

NUMBER = re.compile(r"IOE09[0-9]{8}")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> OfficeWorkspace:
    """Return an office that no test changes."""
    return office_workspace(tmp_path_factory.mktemp("office"))


def shown(office: OfficeWorkspace, *arguments: str) -> set[str]:
    """Return the numbers of the cases that `status` shows. Text and JSON show the same ones."""
    in_json = {case["case_number"] for case in office.run("status", "--json", *arguments).json["cases"]}
    assert set(NUMBER.findall(office.run("status", *arguments).out)) == in_json
    return in_json


def rows(output: str) -> Iterator[str]:
    """Yield the lines of the table of cases, with their headings, from its head on."""
    lines = iter(output.splitlines())
    next(line for line in lines if "NUMBER" in line)
    for line in lines:
        if not line:
            return
        yield line


class TestOverview:
    @pytest.mark.parametrize("is_terminal", [True, False])
    def test_every_case_has_one_aligned_line_of_at_most_80_columns(
        self, office: OfficeWorkspace, *, is_terminal: bool
    ) -> None:
        output = on_terminal(office, "status") if is_terminal else office.run("status").out
        assert all(width_of(line) <= WIDTH for line in output.splitlines())
        of_cases = [line for line in rows(output) if NUMBER.search(line)]
        numbers = [NUMBER.findall(line)[-1] for line in of_cases]
        assert sorted(numbers) == [number_of(index) for index in range(80)]
        assert len({width_of(line[: line.rindex(number)]) for line, number in zip(of_cases, numbers, strict=True)}) == 1
        assert len({width_of(line[: re.search(r"20\d\d-\d\d-\d\d", line).start()]) for line in of_cases}) == 1  # type: ignore[union-attr]

    def test_what_needs_the_user_comes_first_and_is_sorted_by_date(self, office: OfficeWorkspace) -> None:
        output = office.run("status").out
        assert output.startswith("Needs you\n")
        days = re.findall(r"^[0-9]+ +(20[0-9-]{8})", output, re.MULTILINE)
        assert days == sorted(days)
        with_items = [index for index in range(80) if index % 6 in {2, 3}]
        assert len(days) == len(with_items) - sum(index >= 75 for index in with_items)

    def test_cases_are_grouped_by_person_with_the_others_and_the_finished_ones_last(
        self, office: OfficeWorkspace
    ) -> None:
        groups: dict[str, list[str]] = {}
        heading = ""
        for line in rows(office.run("status").out):
            if line.startswith(" "):
                groups[heading].append(NUMBER.findall(line)[-1])
            else:
                heading = line
                assert heading not in groups
                groups[heading] = []
        *people, without, finished = groups
        assert (without, finished) == ("Without a person", "Finished")
        expected = {person_of(index) for index in range(75)} - {None}
        assert set(people) == expected
        for person in people:
            assert set(groups[person]) == {number_of(index) for index in range(75) if person_of(index) == person}
        assert groups[finished] == [number_of(index) for index in range(75, 80)]
        first = [groups[person][0] for person in people]
        needs = [int(number[5:]) % 6 in {2, 3} for number in first]
        assert needs == sorted(needs, reverse=True), "people whose cases need something come first"

    def test_words_of_the_overview_are_in_one_language(self, office: OfficeWorkspace) -> None:
        output = office.run("status", environ={"LANGUAGE": "es"}).out
        assert {"Requiere su atención", "Sin persona", "Terminados"} <= set(output.splitlines())
        assert "Solicitud de evidencia" in output

    def test_accounts_are_one_line_if_all_is_well(self, office: OfficeWorkspace) -> None:
        last = office.run("status").out.splitlines()[-1]
        assert re.fullmatch(r"2 accounts, last checked .*[0-9]:[0-9]{2} [AP]M, next check .*[0-9]:[0-9]{2} [AP]M", last)


class TestFilters:
    def test_by_account_person_and_stage(self, office: OfficeWorkspace) -> None:
        assert shown(office, "--account", "former clients") == {number_of(index) for index in range(60, 80)}
        assert shown(office, "--person", PEOPLE[1]) == {
            number_of(index) for index in range(80) if person_of(index) == PEOPLE[1]
        }
        assert shown(office, "--stage", "approved") == {number_of(index) for index in range(80) if index % 6 == 4}
        assert shown(office, "--stage", "unknown") == {
            number_of(index) for index in range(80) if case_of(index).stage is Stage.UNKNOWN
        }

    def test_several_filters_must_all_hold(self, office: OfficeWorkspace) -> None:
        assert shown(office, "--account", "clients", "--person", "ana", "--stage", "received") == {
            number_of(index) for index in range(60) if person_of(index) == "Ana" and index % 6 == 0
        }
        nothing = office.run("status", "--person", "Ana", "--account", "former clients", "--needs-me")
        assert nothing.out.startswith("No case matches.")
        assert office.run("status", "--person", "Ana", "--stage", "denied").out == "No case matches.\n"

    def test_needs_me_shows_cases_with_something_to_do_that_are_not_finished(self, office: OfficeWorkspace) -> None:
        assert shown(office, "--needs-me") == {number_of(index) for index in range(75) if index % 6 in {2, 3}}

    def test_pending_and_history_take_account_and_person(self, office: OfficeWorkspace) -> None:
        items = office.run("pending", "--json", "--account", "former clients").json["pending"]
        assert {item["account"] for item in items} == {"former clients"}
        changes = office.run("history", "--json", "--person", PEOPLE[1], "--account", "clients").json["changes"]
        assert {change["case_number"] for change in changes} == {
            number_of(index) for index in range(60) if person_of(index) == PEOPLE[1]
        }
        (newest, *_others) = changes
        limited = office.run("history", "--json", "--person", PEOPLE[1], "--account", "clients", "--limit", "1")
        assert limited.json["changes"] == [newest]

    def test_history_since_a_day_or_a_duration(self, office: OfficeWorkspace) -> None:
        everything = office.run("history", "--json").json["changes"]
        for since in ("1d", (TODAY - timedelta(days=1)).isoformat()):
            assert office.run("history", "--json", "--since", since).json["changes"] == everything
        assert office.run("history", "--since", (TODAY + timedelta(days=2)).isoformat()).out == "No change matches.\n"
        assert "Use 2026-12-31 or 30d." in office.run("history", "--since", "monday", expect=(2,)).err

    def test_unknown_names_are_wrong_usage(self, office: OfficeWorkspace) -> None:
        assert "There is no account 'x'" in office.run("status", "--account", "x", expect=(2,)).err
        assert "No case belongs to 'x'. People: Ana" in office.run("status", "--person", "x", expect=(2,)).err
        assert "--stage" in office.run("status", "--stage", "x", expect=(2,)).err
        assert "Leave out the options" in office.run("status", number_of(1), "--person", "Ana", expect=(2,)).err


class TestOneCase:
    def test_full_view_has_everything_about_the_case(self, office: OfficeWorkspace) -> None:
        label = label_of(50)
        assert label is not None
        output = office.run("status", label).out
        case = case_of(50)
        assert output.startswith(f"{label}\n")
        for text in (
            number_of(50), person_of(50), "clients", "N-400", case.title, f"{case.status}, since {case.status_since}",
            "2024-01-02", "In the agency's words", "What it means", "not legal advice", "Items", "Request for evidence",
            str(TODAY + timedelta(days=50)), "Letters", "Receipt Notice", "not saved", "Timeline", "Now watching",
        ):  # fmt: skip
            assert str(text) in " ".join(output.split()), text
        above = output.partition("Timeline")[0]  # in a pipe, a change is one line, however long
        assert all(width_of(line) <= WIDTH for line in above.splitlines())
        on_screen = on_terminal(office, "status", label)
        assert all(width_of(line) <= WIDTH for line in on_screen.splitlines())
        document = office.run("status", label, "--json").json
        assert [case["case_number"] for case in document["cases"]] == [number_of(50)]
        assert {change["case_number"] for change in document["changes"]} == {number_of(50)}

    def test_notes_are_apart_from_the_timeline(self, office: OfficeWorkspace) -> None:
        office.run("note", number_of(7), "Called the office")
        notes = office.run("status", number_of(7)).out.partition("Notes\n")[2].partition("Timeline\n")
        assert "Called the office" in notes[0]
        assert "Called the office" not in notes[2]


def test_account_that_waits_for_a_person_comes_first_with_the_command(office: OfficeWorkspace) -> None:
    with office.app() as app:
        health = app.store.accounts.health("former clients", app.clock.now())
        waiting = replace(health, state=AccountState.SESSION_ENDED, last_error="the session has ended")
        app.context.record_changes(app.settings.accounts["former clients"], (), health=waiting)
    try:
        output = office.run("status").out
        assert output.startswith("Needs you\nformer clients: sign in again. Run `watcher login 'former clients'`.\n")
        assert "LAST SUCCESSFUL CHECK" in output
        accounts = office.run("status", "--needs-me", "--json", "--account", "former clients").json["accounts"]
        assert [account["state"] for account in accounts] == ["session_ended"]
    finally:
        with office.app() as app:
            app.context.record_changes(app.settings.accounts["former clients"], (), health=health)


def test_number_that_the_agency_does_not_know_needs_the_user(tmp_path: Path) -> None:
    office = OfficeWorkspace(folder=tmp_path)
    office.write(
        f'[accounts.family]\nportal = "uscis"\nsign_in = "session"\ncases = ["{number_of(1)}", "{number_of(2)}"]'
    )
    office.check(case_of(1))
    assert office.run("status").out.startswith(
        f"Needs you\n{number_of(2)}: USCIS does not know this number. Check it for a typo.\n"
    )
    assert shown(office, "--needs-me") == {number_of(2)}


def test_estimate_on_a_weekend_is_explained(tmp_path: Path) -> None:
    office = OfficeWorkspace(folder=tmp_path)
    office.configure()
    saturday = TODAY + timedelta(days=60)
    saturday += timedelta(days=(5 - saturday.weekday()) % 7)
    until = runs_until(ItemKind.RFE, saturday)
    request = PendingItem(key="r", kind=ItemKind.RFE, title="Request for Evidence", due_by_estimate=saturday)
    office.check(Snapshot(case_number=number_of(1), pending=(request,)))
    for arguments in (("status",), ("pending",), ("status", number_of(1))):
        output = " ".join(office.run(*arguments).out.split())
        assert f"~{saturday}" in output
        assert f"{saturday} is a weekend day or federal holiday. By 8 CFR 1.2 the period runs until {until}." in output
    (item,) = office.run("pending", "--json").json["pending"]
    assert (item["due_by_estimate"], item["estimate_runs_until"]) == (str(saturday), str(until))


def test_dates_that_have_passed_say_so_only_while_the_item_is_open(tmp_path: Path) -> None:
    office = OfficeWorkspace(folder=tmp_path)
    office.configure()
    yesterday = TODAY - timedelta(days=2)
    friday = yesterday - timedelta(days=(yesterday.weekday() - 4) % 7)
    items = (
        PendingItem(key="a", kind=ItemKind.RFE, title="Request for Evidence", due_on=friday),
        PendingItem(key="b", kind=ItemKind.FEE, title="Fee", due_on=friday),
    )
    office.check(Snapshot(case_number=number_of(1), pending=items))
    office.run("done", "2")
    output = office.run("status", number_of(1)).out
    assert re.search(f"^1 +{friday} \\(passed\\) +open", output, re.MULTILINE)
    assert re.search(f"^2 +{friday} +done", output, re.MULTILINE)
