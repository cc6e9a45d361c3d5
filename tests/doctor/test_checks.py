"""Single checks of the doctor on files and servers with problems."""

import errno
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.portals.context import FakeClock
from watcher.context.opening import open_store, read_settings
from watcher.doctor import Finding, Verdict
from watcher.doctor.disk import check_database, check_file_system, check_locks, check_space, file_system_type
from watcher.doctor.network import check_portals
from watcher.portals.uscis import UscisAccount
from watcher.settings import Settings

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / /srv/share rw,relatime - nfs4 nas:/share rw
31 22 0:45 / /srv/my\\040box rw,relatime - fuse.sshfs box: rw
33 22 0:46 / /srv/tab\\011and\\134 rw,relatime - cifs //nas/share rw
32 30 8:2 / /srv/share/local rw,relatime - xfs /dev/sdb1 rw
"""


class TestFileSystem:
    @pytest.mark.parametrize(
        ("folder", "kind"),
        [
            ("/srv/share/watcher", "nfs4"),
            ("/srv/my box/watcher", "fuse.sshfs"),
            ("/srv/share/local/watcher", "xfs"),
            ("/srv/tab\tand\\/watcher", "cifs"),
            ("/srv/shared", "ext4"),
        ],
    )
    def test_nearest_mount_above_determines_the_type(self, folder: str, kind: str) -> None:
        assert file_system_type(Path(folder), MOUNTS) == kind

    @pytest.mark.parametrize(
        ("kind", "verdict"), [("nfs4", Verdict.WARNING), ("fuse.sshfs", Verdict.WARNING), ("ext4", Verdict.OK)]
    )
    def test_network_file_system_is_a_warning(self, tmp_path: Path, kind: str, verdict: Verdict) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text(f"22 1 8:1 / / rw - {kind} /dev/sda1 rw\n")
        (finding,) = check_file_system(f"sqlite:///{tmp_path}/watcher.sqlite3", mounts)
        assert finding.verdict is verdict
        assert kind in finding.text

    def test_nothing_is_reported_without_mountinfo(self, tmp_path: Path) -> None:
        assert list(check_file_system(f"sqlite:///{tmp_path}/watcher.sqlite3", tmp_path / "missing")) == []

    def test_file_system_is_not_checked_for_a_database_on_a_server(self, tmp_path: Path) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text("22 1 8:1 / / rw - nfs4 nas:/share rw\n")
        assert list(check_file_system("postgresql://watcher@db.example.org/books", mounts)) == []


class TestLocks:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(state_dir=tmp_path)

    def test_folder_with_locks_is_not_mentioned_and_left_as_it_was(self, settings: Settings, tmp_path: Path) -> None:
        assert list(check_locks(settings)) == []
        assert list(tmp_path.iterdir()) == []

    def test_folder_without_locks_is_a_failure(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        def flock(_file: int, _operation: int) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("fcntl.flock", flock)
        (finding,) = check_locks(settings)
        assert finding.verdict is Verdict.FAILED
        assert f"{settings.state_dir} is on a file system without locks (no locks available)" in finding.text


def test_space_is_checked_in_the_nearest_existing_folder(tmp_path: Path) -> None:
    finding = next(iter(check_space(tmp_path / "state" / "watcher")))
    assert finding.about == "disk"
    assert str(tmp_path) in finding.text


class TestClock:
    NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)

    @pytest.fixture
    def server(self) -> Iterator[LoopbackServer]:
        def answer(_: ReceivedRequest) -> bytes:
            return reply(404, Date=self.NOON.strftime("%a, %d %b %Y %H:%M:%S GMT"))

        with serve(answer) as server:
            yield server

    def findings(self, folder: Path, origin: str, now: datetime) -> dict[str, Finding]:
        config = folder / "watcher.toml"
        config.write_text(
            f'[accounts.family]\nportal = "uscis-api"\nclient_id = "x"\nbase_url = "{origin}"\n'
            'cases = ["IOE0000000001"]\n'
        )
        settings = read_settings(config, {"WATCHER_ACCOUNTS__FAMILY__CLIENT_SECRET": "made-up-secret", "HOME": "/"})
        return {finding.about: finding for finding in check_portals(settings, FakeClock(now))}

    @pytest.mark.parametrize(
        ("difference", "verdict"),
        [
            (timedelta(), Verdict.OK),
            (timedelta(seconds=20), Verdict.OK),
            (timedelta(seconds=-90), Verdict.WARNING),
            (timedelta(seconds=90), Verdict.WARNING),
            (timedelta(hours=1), Verdict.FAILED),
            (timedelta(hours=-1), Verdict.FAILED),
        ],
    )
    def test_clock_is_compared_with_the_portals(
        self, tmp_path: Path, server: LoopbackServer, difference: timedelta, verdict: Verdict
    ) -> None:
        assert self.findings(tmp_path, server.origin, self.NOON + difference)["clock"].verdict is verdict

    @pytest.mark.parametrize(
        "date",
        ["", "soon", "Fri, 31 Dec 99999 23:59:59 GMT", "1 Jan 2026 +99999999"],
    )
    def test_date_that_is_none_is_ignored(self, tmp_path: Path, date: str) -> None:
        with serve(lambda _: reply(404, Date=date)) as server:
            assert "clock" not in self.findings(tmp_path, server.origin, self.NOON)

    def test_only_a_bare_head_request_is_sent(self, tmp_path: Path, server: LoopbackServer) -> None:
        self.findings(tmp_path, server.origin, self.NOON)
        (request,) = server.requests
        assert (request.method, request.target, request.body) == ("HEAD", "/", b"")
        assert not {"authorization", "cookie"} & request.headers.keys()

    def test_portal_of_an_account_that_is_handed_over_is_not_contacted(self, tmp_path: Path) -> None:
        account = UscisAccount(name="family", portal="uscis", sign_in="handover")
        settings = Settings(state_dir=tmp_path, accounts={"family": account})
        assert not list(check_portals(settings, FakeClock(self.NOON)))

    def test_unreachable_portal_is_reported_with_the_reason(self, tmp_path: Path) -> None:
        with serve(lambda _: b"") as stopped:
            origin = stopped.origin
        (finding,) = self.findings(tmp_path, origin, self.NOON).values()
        assert finding.verdict is Verdict.FAILED
        assert "account family cannot reach it" in finding.text


def test_size_of_the_database_includes_the_log_beside_it(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    with closing(open_store(settings)) as store:
        store.accounts.set_next_read("family", datetime(2026, 11, 22, tzinfo=UTC))
        (finding,) = check_database(settings)
        log = tmp_path / "watcher.sqlite3-wal"
        assert log.stat().st_size > 0
        size = (tmp_path / "watcher.sqlite3").stat().st_size + log.stat().st_size
    assert f"{size // 1024} KiB" in finding.text
