"""`watcher import`, run for real with answers that a person saved from the portal's pages."""

import json
from pathlib import Path

from tests.cli.workspace import Bench
from tests.doubles.uscis_answers import RECEIPT, case, request
from tests.support.watching import Watching

ACCOUNT = '[stall]\nafter = "0"\n[accounts.family]\nportal = "uscis"\n'


def saved(watching: Watching, name: str = "case.json", *, requests: int = 0) -> str:
    answer = case(evidenceRequests=[request(number) for number in range(1, requests + 1)])
    Path(watching.folder, name).write_text(json.dumps({"data": answer}))
    return name


def test_the_first_file_is_the_baseline_and_the_second_is_compared_with_it(watching: Watching) -> None:
    watching.write(ACCOUNT)
    first = watching.run("import", "family", saved(watching), "--json")
    (account,) = first.json["accounts"]
    assert (account["name"], account["outcome"], account["cases_read"]) == ("family", "ok", 1)
    assert [change["kind"] for change in account["changes"]] == ["case_added"]

    second = watching.run("import", "family", saved(watching, requests=1))
    assert "rfe_received" in second.out

    again = watching.run("import", "family", saved(watching, requests=1), "--json")
    assert again.json["accounts"][0]["changes"] == []


def test_a_case_that_is_not_watched_is_left_out_aloud(watching: Watching) -> None:
    watching.write(f'{ACCOUNT}cases = ["IOE0000000009"]\n')
    said = watching.run("import", "family", saved(watching), expect=(1,))
    assert f"{RECEIPT} is left out" in said.err
    with watching.app() as app:
        assert app.store.tracked_cases() == []


def test_a_file_that_is_no_answer_is_named_and_nothing_is_recorded(watching: Watching) -> None:
    watching.write(ACCOUNT)
    Path(watching.folder, "holiday.json").write_text('{"photo": 1}')
    said = watching.run("import", "family", saved(watching), "holiday.json", expect=(1,))
    assert "holiday.json" in said.err
    with watching.app() as app:
        assert app.store.tracked_cases() == []


def test_wrong_usage_is_status_2(world: Bench) -> None:
    name = saved(world)
    assert "shows nothing that could be saved" in world.run("import", "family", name, expect=(2,)).err
    for arguments in (("family", name), ("aunt", name), ("family", "missing.json"), ("family",)):
        world.run("import", *arguments, expect=(2,))


def test_the_calendar_is_brought_up_to_date_by_an_import_too(watching: Watching) -> None:
    watching.write(f'calendar_file = "deadlines.ics"\n{ACCOUNT}')
    watching.run("import", "family", saved(watching, requests=1))
    assert "BEGIN:VCALENDAR" in Path(watching.folder, "deadlines.ics").read_text()
