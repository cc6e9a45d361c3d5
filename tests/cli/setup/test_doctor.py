"""`watcher doctor`, run for real."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.cli.practice_workspace import PracticeWorkspace, practice_workspace
from tests.support.workspace import CommandResult, Workspace


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as made:
        made.configure(totp_secret=made.portal.account.totp_secret)
        yield made


def by_verdict(said: CommandResult, verdict: str) -> list[dict[str, Any]]:
    return [finding for finding in said.json["findings"] if finding["verdict"] == verdict]


def test_a_good_set_up_is_found_good_and_no_password_is_sent(family: PracticeWorkspace) -> None:
    with family.app() as app:
        assert app.poll("family").outcome.value == "ok"
    family.portal.forget_requests()
    said = family.run("doctor", "--json")
    assert by_verdict(said, "failed") == []
    told = {finding["about"]: finding["told"] for finding in by_verdict(said, "ok")}
    assert "is whole: 2 cases" in told["database"]
    assert "its certificate is trusted" in told[f"portal {family.portal.base_url.removeprefix('https://')}"]
    assert "0 seconds off" in told["clock"]
    assert family.portal.requests == ()  # a HEAD is no page of it
    for secret in (family.portal.account.password, family.portal.account.totp_secret or ""):
        assert secret not in said.out + said.err


def test_a_session_that_cannot_be_used_is_warned_of(family: PracticeWorkspace) -> None:
    with family.app() as app:
        assert app.poll("family").outcome.value == "ok"
    (session,) = (family.state / "sessions").glob("family.session")
    session.write_bytes(session.read_bytes()[:-1])
    said = family.run("doctor", "--offline", "--json")
    (finding,) = (each for each in by_verdict(said, "warning") if each["about"] == "account family")
    assert "the file is damaged" in finding["told"]
    assert "watcher login family" in finding["remedy"]


def test_alerts_that_a_channel_did_not_take_are_told_with_the_reason_given_up_or_not(workspace: ApiWorkspace) -> None:
    workspace.phone.status = 500
    workspace.check()
    said = workspace.run("doctor", "--offline", "--json")
    (finding,) = by_verdict(said, "warning")
    assert finding["about"] == "channel phone"
    assert "1 alert was not taken so far" in finding["told"]
    assert "500" in finding["told"]
    with workspace.app() as app:
        app.store.outbox.mark_failed([1], "the service said no", next_attempt_at=None)
    (finding,) = by_verdict(workspace.run("doctor", "--offline", "--json", expect=(1,)), "failed")
    assert finding["told"] == "1 alert was given up: the service said no"


def test_offline_asks_nobody_and_makes_nothing(family: PracticeWorkspace) -> None:
    said = family.run("doctor", "--offline")
    assert family.portal.requests == ()
    assert not family.state.exists()
    assert "clock" not in said.out


def test_the_time_zone_of_a_server_is_pointed_out_where_nobody_has_chosen_it(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    assert "ok       time zone: America/New_York, where it is " in empty_workspace.run("doctor", "--offline").out
    empty_workspace.config.write_text('state_dir = "state"\n')
    for machine in ("UTC", "Etc/UTC", "Nowhere/Land"):
        said = empty_workspace.run("doctor", "--offline", environ={"TZ": machine})
        (line,) = [line for line in said.out.splitlines() if "time zone" in line]
        assert line.startswith("warning  time zone: the machine's: ")
    assert (
        "ok       time zone: Asia/Tokyo" in empty_workspace.run("doctor", "--offline", environ={"TZ": "Asia/Tokyo"}).out
    )


def test_a_certificate_that_nobody_trusts_is_a_failure(family: PracticeWorkspace) -> None:
    family.configure(ca_file="")
    said = family.run("doctor", "--json", expect=(1,))
    (finding,) = by_verdict(said, "failed")
    assert "certificate could not be verified" in finding["told"]
    assert finding["remedy"]


def test_a_faulty_configuration_is_told_fault_by_fault_with_status_2(empty_workspace: Workspace) -> None:
    empty_workspace.write('nonsense = 1\n[accounts.family]\nportal = "nowhere"\n')
    said = empty_workspace.run("doctor", "--json", expect=(2,))
    assert len(by_verdict(said, "failed")) == 2


def test_a_secret_file_that_others_can_read_is_told_but_not_its_content(workspace: ApiWorkspace) -> None:
    folder = workspace.folder / "secrets"
    folder.mkdir()
    workspace.write(workspace.sections.replace('client_secret = "made-up-secret"\n', ""))
    workspace.config.write_text(f'secrets_dir = "secrets"\n{workspace.config.read_text()}')
    file = folder / "accounts__family__client_secret"
    file.write_text("made-up-secret\n")
    file.chmod(0o644)
    said = workspace.run("doctor", "--offline", "--json")
    (finding,) = (each for each in by_verdict(said, "warning") if each["about"].startswith("secret"))
    assert finding["remedy"] == f"run `chmod 600 {file}`"
    assert "made-up-secret" not in said.out + said.err
    file.chmod(0o600)
    assert not any(
        each["about"].startswith("secret")
        for each in by_verdict(workspace.run("doctor", "--offline", "--json"), "warning")
    )


def test_a_pause_and_alerts_that_were_given_up_are_failures_with_their_remedies(workspace: ApiWorkspace) -> None:
    workspace.api.client_secret = "changed at the portal"
    workspace.write(workspace.sections.replace("json://", "no-such-service://"))
    workspace.check()
    said = workspace.run("doctor", "--offline", "--json", expect=(1,))
    remedies = " ".join(finding["remedy"] for finding in by_verdict(said, "failed"))
    for remedy in ("`watcher resume family`", "`watcher alerts retry`", "correct the url of [channels.phone]"):
        assert remedy in remedies


def test_a_damaged_database_is_a_failure_that_points_to_the_backup(workspace: ApiWorkspace) -> None:
    workspace.check()
    for each in workspace.state.glob("watcher.sqlite3-*"):
        each.unlink()
    workspace.database.write_bytes(b"no database" * 1000)
    said = workspace.run("doctor", "--offline", expect=(1,))
    assert "watcher restore" in said.out


def test_a_page_that_is_damaged_is_told_in_one_line_with_the_newest_good_backup(workspace: ApiWorkspace) -> None:
    workspace.check()
    backup = workspace.state / "backups" / "watcher-20260101T000000Z.sqlite3"
    backup.parent.mkdir()
    workspace.run("backup", str(backup))
    with closing(sqlite3.connect(workspace.database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(workspace.database.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xa5" * 8192
    workspace.database.write_bytes(content)
    said = workspace.run("doctor", "--offline", expect=(1,))
    (line,) = [line for line in said.out.splitlines() if not line.startswith("ok ")]
    assert line.startswith("failed   database: ")
    assert f"`watcher restore {backup}`" in line


def test_a_configuration_that_others_can_write_is_a_failure(empty_workspace: Workspace) -> None:
    empty_workspace.write(mode=0o666)
    said = empty_workspace.run("doctor", "--offline", "--json", expect=(1,))
    assert "chmod go-w" in by_verdict(said, "failed")[0]["remedy"]
