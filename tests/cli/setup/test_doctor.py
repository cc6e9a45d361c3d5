"""`watcher doctor` as a real command."""

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
    with practice_workspace(tmp_path) as workspace:
        workspace.configure(totp_secret=workspace.portal.account.totp_secret)
        yield workspace


def findings_with(result: CommandResult, verdict: str) -> list[dict[str, Any]]:
    return [finding for finding in result.json["findings"] if finding["verdict"] == verdict]


def test_working_installation_has_no_failures_and_no_password_is_sent(family: PracticeWorkspace) -> None:
    with family.app() as app:
        assert app.poll("family").outcome.value == "ok"
    family.portal.forget_requests()
    result = family.run("doctor", "--json")
    assert findings_with(result, "failed") == []
    texts = {finding["about"]: finding["told"] for finding in findings_with(result, "ok")}
    assert "is intact (2 cases" in texts["database"]
    assert "its certificate is trusted" in texts[f"portal {family.portal.base_url.removeprefix('https://')}"]
    assert "0 seconds off" in texts["clock"]
    assert family.portal.requests == ()  # the portal does not record HEAD requests
    for secret in (family.portal.account.password, family.portal.account.totp_secret or ""):
        assert secret not in result.out + result.err


def test_unusable_session_is_a_warning(family: PracticeWorkspace) -> None:
    with family.app() as app:
        assert app.poll("family").outcome.value == "ok"
    with closing(sqlite3.connect(family.database)) as database, database:
        database.execute("UPDATE sealed SET content = CAST(x'00' || content AS BLOB)")
    result = family.run("doctor", "--offline", "--json")
    (finding,) = (finding for finding in findings_with(result, "warning") if finding["about"] == "account family")
    assert "it is damaged" in finding["told"]
    assert "watcher login family" in finding["remedy"]


def test_unusable_session_of_an_account_that_is_handed_over_is_not_reported(empty_workspace: Workspace) -> None:
    empty_workspace.write('[accounts.family]\nportal = "uscis"\nsign_in = "handover"\n')
    with empty_workspace.app() as app:
        app.sessions.of("family").save(b"{}")
    with closing(sqlite3.connect(empty_workspace.database)) as database, database:
        database.execute("UPDATE sealed SET content = CAST(x'00' || content AS BLOB) WHERE owner = 'family'")
    assert "watcher login" not in empty_workspace.run("doctor", "--offline").out


def test_undelivered_alerts_are_reported_with_the_reason(workspace: ApiWorkspace) -> None:
    workspace.phone.status = 500
    workspace.check()
    result = workspace.run("doctor", "--offline", "--json")
    (finding,) = findings_with(result, "warning")
    assert finding["about"] == "channel phone"
    assert "1 alert was not accepted so far" in finding["told"]
    assert "500" in finding["told"]
    with workspace.app() as app:
        app.store.outbox.mark_failed([1], "the service said no", now=app.clock.now(), next_attempt_at=None)
    (finding,) = findings_with(workspace.run("doctor", "--offline", "--json", expect=(1,)), "failed")
    assert finding["told"] == "1 alert was not delivered: the service said no"


def test_offline_sends_no_request_and_creates_nothing(family: PracticeWorkspace) -> None:
    result = family.run("doctor", "--offline")
    assert family.portal.requests == ()
    assert not family.state.exists()
    assert "clock" not in result.out


def test_default_time_zone_of_a_server_is_a_warning(empty_workspace: Workspace) -> None:
    empty_workspace.write()
    assert "ok       time zone: America/New_York, where it is " in empty_workspace.run("doctor", "--offline").out
    empty_workspace.config.write_text('state_dir = "state"\n')
    for time_zone in ("UTC", "Etc/UTC", "Nowhere/Land"):
        result = empty_workspace.run("doctor", "--offline", environ={"TZ": time_zone})
        (line,) = [line for line in result.out.splitlines() if "time zone" in line]
        assert line.startswith("warning  time zone: not set; the machine's is ")
    assert (
        "ok       time zone: Asia/Tokyo" in empty_workspace.run("doctor", "--offline", environ={"TZ": "Asia/Tokyo"}).out
    )


def test_untrusted_certificate_is_a_failure(family: PracticeWorkspace) -> None:
    family.configure(ca_file="")
    result = family.run("doctor", "--json", expect=(1,))
    (finding,) = findings_with(result, "failed")
    assert "certificate cannot be verified" in finding["told"]
    assert finding["remedy"]


def test_configuration_faults_are_listed_and_exit_with_2(empty_workspace: Workspace) -> None:
    empty_workspace.write('nonsense = 1\n[accounts.family]\nportal = "nowhere"\n')
    result = empty_workspace.run("doctor", "--json", expect=(2,))
    assert len(findings_with(result, "failed")) == 2


def test_secret_file_readable_by_others_is_a_warning_without_its_content(workspace: ApiWorkspace) -> None:
    folder = workspace.folder / "secrets"
    folder.mkdir()
    workspace.write(workspace.sections.replace('client_secret = "made-up-secret"\n', ""))
    workspace.config.write_text(f'secrets_dir = "secrets"\n{workspace.config.read_text()}')
    file = folder / "accounts__family__client_secret"
    file.write_text("made-up-secret\n")
    file.chmod(0o644)
    result = workspace.run("doctor", "--offline", "--json")
    (finding,) = (finding for finding in findings_with(result, "warning") if finding["about"].startswith("secret"))
    assert finding["remedy"] == f"run `chmod 600 {file}`"
    assert "made-up-secret" not in result.out + result.err
    file.chmod(0o600)
    assert not any(
        finding["about"].startswith("secret")
        for finding in findings_with(workspace.run("doctor", "--offline", "--json"), "warning")
    )


def test_pause_and_failed_alerts_are_failures_with_remedies(workspace: ApiWorkspace) -> None:
    workspace.api.client_secret = "changed at the portal"
    workspace.write(workspace.sections.replace("json://", "no-such-service://"))
    workspace.check()
    result = workspace.run("doctor", "--offline", "--json", expect=(1,))
    remedies = " ".join(finding["remedy"] for finding in findings_with(result, "failed"))
    for remedy in ("`watcher resume family`", "`watcher alerts retry`", "correct the url of [channels.phone]"):
        assert remedy in remedies


def test_damaged_database_is_a_failure_that_names_restore(workspace: ApiWorkspace) -> None:
    workspace.check()
    for file in workspace.state.glob("watcher.sqlite3-*"):
        file.unlink()
    workspace.database.write_bytes(b"no database" * 1000)
    result = workspace.run("doctor", "--offline", expect=(1,))
    assert "watcher restore" in result.out


def test_damaged_page_is_reported_in_one_line_with_the_newest_backup(workspace: ApiWorkspace) -> None:
    workspace.check()
    backup = workspace.state / "backups" / "watcher-20260101T000000Z.sqlite3"
    backup.parent.mkdir()
    workspace.run("backup", str(backup))
    with closing(sqlite3.connect(workspace.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(workspace.database.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xa5" * 8192
    workspace.database.write_bytes(content)
    result = workspace.run("doctor", "--offline", expect=(1,))
    (line,) = [line for line in result.out.splitlines() if not line.startswith("ok ")]
    assert line.startswith("failed   database: ")
    assert f"`watcher restore {backup}`" in line


def test_configuration_writable_by_others_is_a_failure(empty_workspace: Workspace) -> None:
    empty_workspace.write(mode=0o666)
    result = empty_workspace.run("doctor", "--offline", "--json", expect=(1,))
    assert "chmod go-w" in findings_with(result, "failed")[0]["remedy"]


def test_doctor_speaks_the_language_of_the_configuration_except_in_json(empty_workspace: Workspace) -> None:
    empty_workspace.write('language = "es"\n')
    assert "en orden" in empty_workspace.run("doctor", "--offline").out
    texts = [finding["told"] for finding in empty_workspace.run("doctor", "--offline", "--json").json["findings"]]
    assert any("has no errors (0 accounts, 0 channels)" in text for text in texts)
