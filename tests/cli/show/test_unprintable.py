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
CODES = "\x1b]0;pwned\x07\u202e\x9b2J"
VISIBLE_REST = "]0;pwned"
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


def _check_nothing_unprintable(workspace: Workspace, expected: str = VISIBLE_REST) -> None:
    outputs = {command: workspace.run(*command).out for command in COMMANDS}
    assert {command: _unprintable(output) for command, output in outputs.items() if _unprintable(output)} == {}
    assert any(expected in output for output in outputs.values())
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
    """Yield every text in the database. Texts that are JSON are decoded."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a table's own name
                for text in row:
                    if isinstance(text, str):
                        yield text
                        yield from _escaped_texts(json.loads(text) if text[:1] in {"{", "["} else None)


def test_online_account_shows_nothing_unprintable(empty_workspace: Workspace) -> None:
    empty_workspace.write(f'{CALENDAR}[accounts.family]\nportal = "uscis"\n')
    letter = uscis_answers.letter(1, f"Appointment Scheduled{CODES}", "2026-07-01", appointment="2099-07-01T10:00:00")
    event = uscis_answers.event(f"IAF{CODES}", "2026-07-01")
    case = uscis_answers.case(formName=f"Form{CODES}", notices=[letter], events=[event])
    status = uscis_answers.status(f"Under{CODES} review", text=f"Text{CODES}", jurisdictionDescription=f"Center{CODES}")
    names = ["case.json", "status.json"]
    for name, answer in zip(names, (case, status), strict=True):
        (empty_workspace.folder / name).write_bytes(uscis_answers.body(answer))
    empty_workspace.run("import", "family", *names)
    _check_nothing_unprintable(empty_workspace)


def test_case_status_api_shows_nothing_unprintable(workspace: ApiWorkspace) -> None:
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, f"Case{CODES} Was Received", current_case_status_desc_en=CODES)
    workspace.run("check")
    workspace.api.cases[RECEIPT] = case_status(RECEIPT, f"Case Was{CODES} Reopened", current_case_status_desc_en=CODES)
    workspace.run("check")
    _check_nothing_unprintable(workspace)


@pytest.mark.parametrize("program", ["immigration", "citizenship"])
def test_tracker_shows_nothing_unprintable(empty_workspace: Workspace, program: str) -> None:
    number = "E000000001"
    if program == "immigration":
        application = immigration(number, status=f"In progress{CODES}", lob=f"PV2{CODES}")
        relation = application["relations"][0]
        relation["activities"][f"odd{CODES}"] = f"started{CODES}"
        relation["history"][0]["key"] = f"Eligibility{CODES}"
        relation["actions"] = [{"id": f"1{CODES}", "title": f"Send{CODES}"}]
        tracker = Tracker(program="immigration", cognito=Cognito(now=lambda: datetime.now(UTC)))
    else:
        application = citizenship(number, status=f"In progress{CODES}")
        application["activities"].append({"activity": f"odd{CODES}", "order": 9, "status": f"started{CODES}"})
        application["history"][0] |= {"type": f"type{CODES}", "title": {"en": f"Received{CODES}"}}
        application["actions"] = [{"activity": f"odd{CODES}", "title": {"en": f"Send{CODES}"}}]
        tracker = Tracker(program="citizenship", cognito=Cognito(now=lambda: datetime.now(UTC)))
    tracker.applications[number] = application
    with run_tracker(tracker) as servers:
        _configure_tracker(empty_workspace, tracker, servers)
        empty_workspace.run("check")
        application.get("app", application)["status"] = f"Done{CODES}"
        empty_workspace.run("check")
    _check_nothing_unprintable(empty_workspace)


def test_unexpected_answer_of_a_tracker_shows_nothing_unprintable(empty_workspace: Workspace) -> None:
    application = immigration("E000000001")
    application["relations"][0]["activities"] = {f"odd{CODES}": 1}
    tracker = Tracker(program="immigration", cognito=Cognito(now=lambda: datetime.now(UTC)))
    tracker.applications["E000000001"] = application
    with run_tracker(tracker) as servers:
        _configure_tracker(empty_workspace, tracker, servers)
        failed = empty_workspace.run("check", expect=(1,))
    assert VISIBLE_REST in failed.err
    assert not _unprintable(failed.out + failed.err)
    _check_nothing_unprintable(empty_workspace)


def test_recipe_shows_nothing_unprintable(empty_workspace: Workspace) -> None:
    (empty_workspace.folder / "office.toml").write_text(RECIPE)
    answer = {"status": f"In progress{CODES}", "title": f"Visa{CODES}", "tasks": [f"Send{CODES}"]}
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


def test_manually_recorded_status_shows_nothing_unprintable(empty_workspace: Workspace) -> None:
    account = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00000001"]\n'
    empty_workspace.write(f"{CALENDAR}{account}")
    refused = empty_workspace.run("record", "AA00000001", f"At NVC{CODES}", expect=(2,))
    assert not _unprintable(refused.err)
    empty_workspace.run("record", "AA00000001", "At NVC")
    _check_nothing_unprintable(empty_workspace, expected="At NVC")


def test_texts_stored_by_an_older_release_are_shown_printable(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    with closing(sqlite3.connect(workspace.database)) as database:
        for table in ("case", "item"):
            for number, text in database.execute(f'SELECT id, document FROM "{table}"').fetchall():  # noqa: S608
                document = json.loads(text)
                field = "status" if table == "case" else "title"
                changed = json.dumps(document | {field: f"{document[field]}{CODES}"}, ensure_ascii=False)
                database.execute(f'UPDATE "{table}" SET document = ? WHERE id = ?', (changed, number))  # noqa: S608
        database.commit()
    for command in COMMANDS[:-2]:
        assert not _unprintable(workspace.run(*command).out)
    wide = {"COLUMNS": "200"}
    assert VISIBLE_REST in workspace.run("status", environ=wide).out
    assert VISIBLE_REST in workspace.run("pending", environ=wide).out
    (case,) = workspace.run("status", "--json").json["cases"]
    assert case["status"].endswith(CODES)


def test_explained_text_shows_nothing_unprintable(empty_workspace: Workspace) -> None:
    for options in ((), ("--json",)):
        output = empty_workspace.run("explain", *options, f"Case Was{CODES} Received").out
        assert "Case Was]0;pwned2J Received" in output or options
        assert not _unprintable(output)
