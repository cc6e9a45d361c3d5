"""What the user sees after failures of the machine: disk, database, clock, network, killed processes."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.support.webhook_workspace import webhook_workspace
from tests.years.household import NOON, FakePhones, Household, household
from tests.years.in_store import SettableClock
from watcher.delivery.emergency_notice import FAILURE_THRESHOLD, MIN_INTERVAL, EmergencyNotice
from watcher.errors import DeliveryFailed, StoreUnusable
from watcher.language.catalogue import load_catalogue
from watcher.model.case import ItemKind, PendingItem
from watcher.model.change import ChangeKind
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import back_up, backup_folder, backup_time, backups_in
from watcher.store.database.locks import FileLocks

MANUAL = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00EXAMPL"]\nevery = "1d"\n'
DAILY: dict[str, Any] = {"backup": {"every": "1d", "keep": 2}}


def _database(folder: Path) -> Path:
    return folder / "state" / "watcher.sqlite3"


def _backed_up(family: Household, folder: Path) -> list[str]:
    back_up(family.app.settings, now=family.clock.now())
    return [file.name for file in backups_in(folder / "state" / "backups")]


def test_backups_are_made_when_due_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    with household(tmp_path, **DAILY) as family:
        family.check()
        first = _backed_up(family, tmp_path)
        assert _backed_up(family.advance(hours=23), tmp_path) == first
        second = _backed_up(family.advance(hours=1), tmp_path)
        third = _backed_up(family.advance(hours=24), tmp_path)
        assert (len(first), len(second), len(third)) == (1, 2, 2)
        assert first[0] not in third
        assert backup_files.examine(tmp_path / "state" / "backups" / third[0]).cases == 1


def test_backups_of_a_clock_that_was_ahead_count_as_made_now(tmp_path: Path) -> None:
    with household(tmp_path, backup={"every": "1d", "keep": 3}) as family:
        family.clock.moment = NOON + timedelta(days=300)
        assert back_up(family.app.settings, now=family.clock.now()) is not None
        folder = backup_folder(family.app.settings)
        assert back_up(family.app.settings, now=NOON) is None
        assert [backup_time(file) for file in backups_in(folder)] == [NOON]
        assert back_up(family.app.settings, now=NOON + timedelta(days=1)) is not None


def test_emergency_notice_is_not_delayed_by_a_clock_that_was_ahead(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        clock = SettableClock(NOON)
        phones = FakePhones(clock)
        notice = EmergencyNotice(phones)
        for now in (NOON + timedelta(days=300), NOON, NOON + FAILURE_THRESHOLD):
            notice.write_failed("check", "full", family.app.settings, now=now)
        assert len(phones.messages) == 1


def test_rotation_removes_only_files_named_like_its_backups(tmp_path: Path) -> None:
    own = tmp_path / "state" / "backups" / "before-the-move.sqlite3"
    with household(tmp_path, **DAILY) as family:
        own.parent.mkdir()
        own.write_bytes(b"the user's own")
        for _ in range(4):
            _backed_up(family.advance(days=2), tmp_path)
        assert own.read_bytes() == b"the user's own"


def test_damaged_database_is_reported_with_the_newest_good_backup_and_nothing_is_deleted(tmp_path: Path) -> None:
    with household(tmp_path, **DAILY) as family:
        family.check()
        _backed_up(family, tmp_path)
        _backed_up(family.advance(days=2), tmp_path)
    newest, older = backups_in(tmp_path / "state" / "backups")
    newest.write_bytes(newest.read_bytes()[:5000])
    _database(tmp_path).write_bytes(b"not what it was" * 1000)
    before = {file: file.read_bytes() for file in (tmp_path / "state").rglob("*.sqlite3")}
    with pytest.raises(StoreUnusable, match=f"newest good backup is .*{older.name}"), household(tmp_path, **DAILY):
        pass
    assert {file: file.read_bytes() for file in before} == before


def test_damage_inside_the_database_is_found_before_the_daemon_starts(tmp_path: Path) -> None:
    with webhook_workspace(tmp_path, MANUAL) as workspace:
        workspace.run("status")
        content = bytearray(workspace.database.read_bytes())
        for offset in range(4096, len(content), 1024):
            content[offset : offset + 64] = b"\xff" * 64
        workspace.database.write_bytes(content)
        error = workspace.run("run", expect=(1, 2)).err
        assert "damaged" in error
        assert "backup" in error
        assert "Traceback" not in error
        assert workspace.database.read_bytes() == content


def _mount(*arguments: str) -> int:
    return subprocess.run([shutil.which("mount") or "mount", *arguments], check=False, capture_output=True).returncode


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes. Only root can mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)) != 0:
        pytest.skip("this machine does not allow mounting")
    yield disk
    assert subprocess.run([shutil.which("umount") or "umount", str(disk)], check=False).returncode == 0


def _fill(filler: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def _record_many_long_changes(family: Household) -> None:
    for word in range(200):
        family.show(status=f"Chapter {word}" * 300)


def test_full_disk_is_reported_and_loses_nothing(small_disk: Path) -> None:
    with household(small_disk) as family:
        family.check()
        family.new_messages()
        _fill(small_disk / "filler")
        with pytest.raises(StoreUnusable, match="disk is full; nothing was lost"):
            _record_many_long_changes(family)
        (small_disk / "filler").unlink()
        family.advance(hours=4).show(status="The last chapter")
        alerts = [alert for alert in family.new_messages() if "The last chapter" in alert.title]
        assert len(alerts) == 1


def test_read_only_disk_is_reported_in_one_sentence_and_loses_nothing(small_disk: Path) -> None:
    with webhook_workspace(small_disk, MANUAL) as workspace:
        workspace.run("record", "AA00EXAMPL", "Administrative Processing")
        _mount("-o", "remount,ro", str(small_disk))
        for command in (["check"], ["run"], ["record", "AA00EXAMPL", "Issued"]):
            error = workspace.run(*command, expect=(1, 2)).err
            assert re.search(r"(?i)read-only|cannot be written|cannot be opened", error), error
            assert "Traceback" not in error
        _mount("-o", "remount,rw", str(small_disk))
        workspace.run("record", "AA00EXAMPL", "Issued")
        assert "issued" in workspace.run("status", "--json").out


def test_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from watcher.store.database.locks import FileLocks\n"
        "with FileLocks(Path(sys.argv[1])).acquire('daemon'):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    with FileLocks(tmp_path).acquire("daemon"):
        pass


def test_killed_process_that_locked_the_database_only_delays_a_command(tmp_path: Path) -> None:
    program = (
        "import sqlite3, sys, time; database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('BEGIN IMMEDIATE'); database.execute('DELETE FROM change')\n"
        "print('held', flush=True); time.sleep(60)"
    )
    with webhook_workspace(tmp_path, MANUAL) as workspace:
        workspace.run("record", "AA00EXAMPL", "Administrative Processing")
        command = [sys.executable, "-c", program, str(workspace.database)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            refused = workspace.run("record", "AA00EXAMPL", "Issued", expect=(1, 2))
            assert "another program has locked it" in refused.err
            waiting = workspace.popen("record", "AA00EXAMPL", "Issued")
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(4)
            holder.send_signal(signal.SIGKILL)
            _, err = waiting.communicate(timeout=30)
        assert waiting.returncode == 0, err
        assert workspace.changes()[0].change.kind is ChangeKind.CASE_ADDED
        assert "issued" in workspace.run("status", "--json").out


def test_clock_that_jumps_ahead_and_back_repeats_only_what_was_told_meanwhile(tmp_path: Path) -> None:
    rfe = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=(NOON + timedelta(days=20)).date())
    with household(tmp_path) as family:
        family.show(pending=(rfe,))
        family.advance(days=6)
        assert [change.change.kind for change in family.record_time_reminders()] == [ChangeKind.DEADLINE_NEAR]
        family.advance(days=3650)
        assert ChangeKind.DEADLINE_PASSED in [change.change.kind for change in family.record_time_reminders()]
        family.clock.moment = NOON + timedelta(days=7)
        kinds = [[change.change.kind for change in family.record_time_reminders()] for _ in range(2)]
        assert kinds == [[ChangeKind.CLOCK_SET_BACK], []], "what a right clock had told before is not repeated"
        family.show(status="Another chapter")
        assert family.app.store.history()[0].change.kind is ChangeKind.STATUS_CHANGED


def test_machine_that_slept_for_a_week_sends_one_reminder_and_no_alarm(tmp_path: Path) -> None:
    rfe = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=(NOON + timedelta(days=8)).date())
    with household(tmp_path, deadlines={"remind": ["7d", "5d", "3d", "1d"]}) as family:
        family.show(pending=(rfe,))
        family.new_messages()
        family.advance(days=7)
        assert [change.change.kind for change in family.record_time_reminders()] == [ChangeKind.DEADLINE_NEAR]
        assert family.check().changes == ()
        assert len(family.new_messages()) == 1


def test_unresolvable_host_name_is_reported_in_one_sentence(tmp_path: Path) -> None:
    account = (
        '[accounts.api]\nportal = "uscis-api"\nbase_url = "https://portal.invalid"\nclient_id = "a"\n'
        'client_secret = "made-up-secret"\ncases = ["EAC9999000001"]\n'
    )
    with webhook_workspace(tmp_path, account) as workspace:
        (outcome,) = workspace.check(expect=(1,))["accounts"]
        assert outcome["outcome"] == "failed"
        assert "portal.invalid" in outcome["error"]
        assert "Traceback" not in workspace.run("status").out


class FailingChannel(AcceptsAttachments):
    """A notifier whose every delivery fails."""

    def send(self, url: SecretStr, **_message: object) -> None:
        raise DeliveryFailed(f"nobody listens, {len(url)} characters long")


def test_emergency_notice_is_sent_once_a_day_while_the_database_fails(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        clock = SettableClock(NOON)
        phones = FakePhones(clock)
        notice = EmergencyNotice(phones, machine="cellar")

        def fails() -> int:
            notice.write_failed("check", "the disk is <full>", family.app.settings, now=clock.now())
            return len(phones.messages)

        assert fails() == 0, "a short failure is not reported"
        clock.set(NOON + FAILURE_THRESHOLD)
        assert fails() == 1
        assert "the disk is <full>" in phones.messages[0].body
        assert "on cellar" in phones.messages[0].body
        assert fails() == 1
        clock.set(NOON + FAILURE_THRESHOLD + MIN_INTERVAL)
        assert fails() == 2


def test_emergency_notice_is_in_the_language_of_its_channel(tmp_path: Path) -> None:
    with household(tmp_path, {"phone": {}, "grandma": {"language": "es"}}) as family:
        phones = FakePhones(SettableClock(NOON))
        EmergencyNotice(phones).database_lost("it was deleted", family.app.settings)
        titles = {message.channel: message.title for message in phones.messages}
    assert titles == {
        "phone": "case-watcher has lost its database and stopped",
        "grandma": load_catalogue("es").message("database_lost", "title"),
    }


def test_clients_hear_of_a_failing_database_when_their_cases_are_unchecked_for_long(tmp_path: Path) -> None:
    with household(tmp_path, {"office": {}, "client": {"people": ["Maria"]}}) as family:
        clock, settings = SettableClock(NOON), family.app.settings
        phones = FakePhones(clock)
        notice = EmergencyNotice(phones)

        def heard_after(**span: float) -> dict[str, str]:
            clock.set(clock.now() + timedelta(**span))
            notice.write_failed("check", "the disk is full", settings, now=clock.now())
            heard = {message.channel: f"{message.title}\n{message.body}" for message in phones.messages}
            phones.messages.clear()
            return heard

        assert heard_after() == {}
        assert heard_after(minutes=1).keys() == {"office"}
        heard = heard_after(days=1)
        assert "the disk is full" in heard["office"]
        assert heard["client"].startswith("Checks are failing\n")
        assert "disk" not in heard["client"]
        assert heard_after(days=1).keys() == {"office"}, "once is enough"
        notice.write_succeeded("check", settings)
        assert {(message.channel, message.title) for message in phones.messages} == {
            ("office", "case-watcher can write to its database again"),
            ("client", "Checks work again"),
        }


def test_clients_hear_of_a_failing_database_as_others_do_if_there_are_no_others(tmp_path: Path) -> None:
    with household(tmp_path, {"mother": {"people": ["Maria"]}, "father": {"people": ["Juan"]}}) as family:
        phones = FakePhones(SettableClock(NOON))
        EmergencyNotice(phones).database_lost("it was deleted", family.app.settings)
    assert len(phones.messages) == 2
    assert all("it was deleted" in message.body for message in phones.messages)


def test_end_of_a_reported_failure_is_reported_once(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        clock, settings = SettableClock(NOON), family.app.settings
        phones = FakePhones(clock)
        notice = EmergencyNotice(phones)
        notice.write_failed("check", "busy", settings, now=clock.now())
        notice.write_succeeded("check", settings)
        assert phones.messages == [], "a short failure was not reported, so its end is not"
        for source in ("check", "probe"):
            notice.write_failed(source, "full", settings, now=clock.now())
        clock.set(NOON + FAILURE_THRESHOLD)
        notice.write_failed("probe", "full", settings, now=clock.now())
        notice.write_succeeded("probe", settings)
        assert len(phones.messages) == 1, "checks still fail"
        for _ in range(2):
            notice.write_succeeded("check", settings)
        assert [message.title for message in phones.messages[1:]] == ["case-watcher can write to its database again"]


def test_failing_channel_does_not_break_the_emergency_notice(tmp_path: Path) -> None:
    with household(tmp_path) as family:
        notice = EmergencyNotice(FailingChannel())
        for now in (NOON, NOON + FAILURE_THRESHOLD):
            notice.write_failed("check", "the disk is full", family.app.settings, now=now)
