"""`watcher notify plan` as a real command."""

from typing import Any

from tests.support.workspace import Workspace

CLIENTS = ("Ana Diaz", "Bruno Okafor", "Carla Nguyen", "Diego Silva", "Elena Perez", "Fatima Haddad", "Gabriel Lima")
PEOPLE = (*CLIENTS, *(f"Client {number:02}" for number in range(23)))
NUMBERS = [f"IOE09{number:08}" for number in range(80)]
LABELS = {
    number: {"label": f"green card {index}" if index % 3 else None, "person": PEOPLE[index % 30]}
    for index, number in enumerate(NUMBERS[:78])
}


def configure_office(workspace: Workspace) -> None:
    """Write an office of 30 people with 80 cases and 12 channels, and label its cases."""
    clients = "\n".join(
        f'[channels.client-{index}]\nurl = "json://localhost/{index}"\npeople = ["{person}"]\n'
        'quiet_hours = "21:00-08:00"'
        for index, person in enumerate(CLIENTS)
    )
    workspace.write(f"""
[accounts.office]
portal = "uscis"
cases = {NUMBERS}

[channels.office]
url = "json://localhost/office"
min_severity = "routine"
digest = "daily 08:00"

[channels.paralegal]
url = "json://localhost/paralegal"

[channels.boss]
url = "json://localhost/boss"
escalate_after = "2h"

[channels.calendar]
url = "json://localhost/calendar"
kinds = ["appointment_scheduled", "appointment_changed"]

[channels.fax]
url = "json://localhost/fax"
people = ["Ana Dias"]

{clients}
""")
    with workspace.app() as app:
        app.store.user.label(LABELS)


def test_plan_of_an_office_is_readable_at_80_columns(empty_workspace: Workspace) -> None:
    configure_office(empty_workspace)
    lines = empty_workspace.run("notify", "plan").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 100, "80 cases x 12 channels"
    assert lines[:7] == [
        "Ana Diaz: IOE0900000000, IOE0900000030, IOE0900000060",
        "  urgent     at once: office, paralegal, calendar*, client-0",
        "             after 2h unless marked as seen: boss",
        "  important  in the digest (daily 08:00): office",
        "             at once: paralegal",
        "             at once, or after quiet hours (21:00-08:00): client-0",
        "  routine    in the digest (daily 08:00): office",
    ]
    together = [line for line in lines if line.startswith(("Client ", "No person: "))]
    assert len(together) == 24
    start = lines.index(together[0])
    assert lines[start : start + 24] == together, "whose alerts go to the same channels stand together"
    assert "Accounts: office" in lines
    assert lines[-2:] == [
        "* calendar gets only these kinds: appointment_changed, appointment_scheduled",
        "No alert of a case goes to these channels; `watcher doctor` says why: fax",
    ]


def test_plan_as_json_has_each_case_and_account(empty_workspace: Workspace) -> None:
    configure_office(empty_workspace)
    document = empty_workspace.run("notify", "plan", "--json").json
    cases: dict[str, Any] = {case["case_number"]: case for case in document["cases"]}
    assert cases.keys() == set(NUMBERS)
    case = cases[NUMBERS[1]]
    assert (case["account"], case["label"], case["person"]) == ("office", "green card 1", "Bruno Okafor")
    assert [recipient["channel"] for recipient in case["alerts"]["urgent"]] == [
        "office", "paralegal", "boss", "calendar", "client-1",
    ]  # fmt: skip
    assert case["alerts"]["important"][-1] == {
        "channel": "client-1",
        "when": "at_once",
        "quiet_hours": "21:00-08:00",
        "digest": None,
        "escalate_after": None,
        "kinds": [],
    }
    assert [recipient["when"] for recipient in case["alerts"]["routine"]] == ["digest"]
    (account,) = document["accounts"]
    assert [recipient["channel"] for recipient in account["to_act_on"]] == ["office", "paralegal", "boss"]
    assert {recipient["channel"] for recipient in account["not_checked"]} == {
        "office", "paralegal", *(f"client-{index}" for index in range(7)),
    }  # fmt: skip


def test_plan_without_cases_says_what_to_do(empty_workspace: Workspace) -> None:
    empty_workspace.write('[accounts.family]\nportal = "uscis"\n[channels.phone]\nurl = "json://localhost/"\n')
    out = empty_workspace.run("notify", "plan").out
    assert out.startswith("No case is known yet. `watcher check` checks for the first time.\n")
    assert "Accounts: family" in out
