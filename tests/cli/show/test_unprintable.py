"""Text from a portal never moves a cursor, sets a title, or reverses a line, wherever it is shown."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.doubles import uscis_answers
from tests.doubles.case_status_api import case_status
from tests.doubles.ircc import (
    CLIENT_ID,
    PASSWORD,
    UCI,
    Cognito,
    Tracker,
    TrackerServers,
    citizenship,
    immigration,
    run_tracker,
)
from tests.doubles.loopback import reply, serve
from tests.support.workspace import Workspace
from watcher.text.printable import printable

RECEIPT = "IOE0000000001"
ODD = "\x1b]0;pwned\x07\u202e\x9b2J"
SEEN = "]0;pwned"
CALENDAR = 'calendar_file = "deadlines.ics"\n[stall]\nafter = "0"\n'
COMMANDS = (
    ("status",),
    ("pending",),
    ("history",),
    ("notices",),
    ("alerts",),
    ("status", "--json"),
    ("pending", "--json"),
    ("history", "--json"),
    ("export", "--format", "csv"),
    ("export", "--format", "json"),
)
RECIPE = """
name = "Office"
base_url = "https://office.example.gov"
[links]
sign_in = "https://office.example.gov/"
help = "https://office.example.gov/"
[case]
get = "/{case_number}"
[case.fields]
status = "json:status"
title = "json:title"
[[case.pending]]
each = "json:tasks"
title = "json:@"
"""


def _unprintable(text: str) -> str:
    return "".join(character for character in text if character not in "\r\n\t" and printable(character) != character)


def _check_nothing_unprintable(workspace: Workspace, shown: str = SEEN) -> None:
    outputs = {command: workspace.run(*command).out for command in COMMANDS}
    assert {command: _unprintable(output) for command, output in outputs.items() if _unprintable(output)} == {}
    assert any(shown in output for output in outputs.values())
    assert not [text for text in _escaped_texts(json.loads(outputs["status", "--json"])) if _unprintable(text)]
    calendar = workspace.folder / "deadlines.ics"
    assert not _unprintable(calendar.read_text("utf-8") if calendar.exists() else "")
    assert [text for text in _texts_of(workspace.database) if _unprintable(text)] == []


def _configure_tracker(workspace: Workspace, tracker: Tracker, servers: TrackerServers) -> None:
    workspace.write(f"""{CALENDAR}
[accounts.family]
portal = "ircc"
program = "{tracker.program}"
username = "{UCI}"
password = "{PASSWORD}"
client_id = "{CLIENT_ID}"
base_url = "{servers.api.origin}"
auth_url = "{servers.auth.origin}"
""")


def _escaped_texts(document: object) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for value in document.values() if isinstance(document, dict) else document:
            yield from _escaped_texts(value)


def _texts_of(database: Path) -> Iterator[str]:
    """Every text in the database; texts that are JSON are decoded."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a table's own name
                for text in row:
                    if isinstance(text, str):
                        yield text
                        yield from _escaped_texts(json.loads(text) if text[:1] in {"{", "["} else None)


def test_of_the_online_account(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'{CALENDAR}[accounts.family]\nportal = "uscis"\n')
    letter = uscis_answers.letter(1, f"Appointment Scheduled{ODD}", "2026-07-01", appointment="2099-07-01T10:00:00")
    event = uscis_answers.event(f"IAF{ODD}", "2026-07-01")
    case = uscis_answers.case(formName=f"Form{ODD}", notices=[letter], events=[event])
    status = uscis_answers.status(f"Under{ODD} review", text=f"Text{ODD}", jurisdictionDescription=f"Center{ODD}")
    names = ["case.json", "status.json"]
    for name, answer in zip(names, (case, status), strict=True):
        (empty_workspace.folder / name).write_bytes(uscis_answers.body(answer))
    empty_workspace.run("import", "family", *names)
    _check_nothing_unprintable(empty_workspace)


def test_of_the_case_status_api(workspace: ApiWorkspace) -> None:
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, f"Case{ODD} Was Received", current_case_status_desc_en=ODD)
    workspace.run("check")
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, f"Case Was{ODD} Reopened", current_case_status_desc_en=ODD)
    workspace.run("check")
    _check_nothing_unprintable(workspace)


@pytest.mark.parametrize("program", ["immigration", "citizenship"])
def test_of_a_tracker(empty_workspace: Workspace, program: str) -> None:
    number = "E000000001"
    if program == "immigration":
        application = immigration(number, status=f"In progress{ODD}", lob=f"PV2{ODD}")
        relation = application["relations"][0]
        relation["activities"][f"odd{ODD}"] = f"started{ODD}"
        relation["history"][0]["key"] = f"Eligibility{ODD}"
        relation["actions"] = [{"id": f"1{ODD}", "title": f"Send{ODD}"}]
        tracker = Tracker(program="immigration", cognito=Cognito(now=lambda: datetime.now(UTC)))
    else:
        application = citizenship(number, status=f"In progress{ODD}")
        application["activities"].append({"activity": f"odd{ODD}", "order": 9, "status": f"started{ODD}"})
        application["history"][0] |= {"type": f"type{ODD}", "title": {"en": f"Received{ODD}"}}
        application["actions"] = [{"activity": f"odd{ODD}", "title": {"en": f"Send{ODD}"}}]
        tracker = Tracker(program="citizenship", cognito=Cognito(now=lambda: datetime.now(UTC)))
    tracker.applications[number] = application
    with run_tracker(tracker) as servers:
        _configure_tracker(empty_workspace, tracker, servers)
        empty_workspace.run("check")
        application.get("app", application)["status"] = f"Done{ODD}"
        empty_workspace.run("check")
    _check_nothing_unprintable(empty_workspace)


def test_of_a_tracker_that_answers_in_no_known_shape(empty_workspace: Workspace) -> None:
    application = immigration("E000000001")
    application["relations"][0]["activities"] = {f"odd{ODD}": 1}
    tracker = Tracker(program="immigration", cognito=Cognito(now=lambda: datetime.now(UTC)))
    tracker.applications["E000000001"] = application
    with run_tracker(tracker) as servers:
        _configure_tracker(empty_workspace, tracker, servers)
        failed = empty_workspace.run("check", expect=(1,))
    assert SEEN in failed.err
    assert not _unprintable(failed.out + failed.err)
    _check_nothing_unprintable(empty_workspace)


def test_of_a_recipe(empty_workspace: Workspace) -> None:
    (empty_workspace.folder / "office.toml").write_text(RECIPE)
    answer = {"status": f"In progress{ODD}", "title": f"Visa{ODD}", "tasks": [f"Send{ODD}"]}
    body = reply(200, json.dumps(answer).encode(), content_type="application/json")
    with serve(lambda _: body) as server:
        empty_workspace.write(f"""{CALENDAR}
[accounts.family]
portal = "recipe"
recipe = "office.toml"
base_url = "{server.origin}"
cases = ["{RECEIPT}"]
""")
        empty_workspace.run("check")
    _check_nothing_unprintable(empty_workspace)


def test_of_a_site_that_a_person_reads(empty_workspace: Workspace) -> None:
    account = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00000001"]\n'
    empty_workspace.write(f"{CALENDAR}{account}")
    refused = empty_workspace.run("record", "AA00000001", f"At NVC{ODD}", expect=(2,))
    assert not _unprintable(refused.err)
    empty_workspace.run("record", "AA00000001", "At NVC")
    _check_nothing_unprintable(empty_workspace, shown="At NVC")


def test_of_a_database_that_an_older_release_wrote(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    with closing(sqlite3.connect(workspace.database)) as database:
        for table in ("case", "item"):
            for number, text in database.execute(f'SELECT id, document FROM "{table}"').fetchall():  # noqa: S608
                document = json.loads(text)
                field = "status" if table == "case" else "title"
                changed = json.dumps(document | {field: f"{document[field]}{ODD}"}, ensure_ascii=False)
                database.execute(f'UPDATE "{table}" SET document = ? WHERE id = ?', (changed, number))  # noqa: S608
        database.commit()
    for command in COMMANDS[:-2]:
        assert not _unprintable(workspace.run(*command).out)
    assert SEEN in workspace.run("status").out
    assert SEEN in workspace.run("pending").out
    (case,) = workspace.run("status", "--json").json["cases"]
    assert case["status"].endswith(ODD)


def test_of_words_to_explain(empty_workspace: Workspace) -> None:
    for options in ((), ("--json",)):
        shown = empty_workspace.run("explain", *options, f"Case Was{ODD} Received").out
        assert "Case Was]0;pwned2J Received" in shown or options
        assert not _unprintable(shown)
