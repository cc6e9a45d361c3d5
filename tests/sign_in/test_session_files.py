import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from watcher.errors import StoreUnusable
from watcher.sign_in.session_files import SessionFault, SessionFile, SessionFiles, UnusableSession

OLD_KEY, NEW_KEY = SecretStr("the first key of all"), SecretStr("the key that came after")


class ReportedSessions(list[UnusableSession]):
    """What was said about files that could not be used."""

    @property
    def faults(self) -> list[SessionFault]:
        return [unusable.fault for unusable in self]


@pytest.fixture
def reported() -> ReportedSessions:
    return ReportedSessions()


def _file(
    folder: Path, *keys: SecretStr, reported: ReportedSessions | None = None, account: str = "family"
) -> SessionFile:
    return SessionFiles(folder, keys, on_unusable=(reported if reported is not None else ReportedSessions()).append).of(
        account
    )


def _only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_saved_session_is_loaded_by_another_process_with_the_same_settings(tmp_path: Path) -> None:
    _file(tmp_path / "a" / "sessions").save(b"\x00tokens\n")
    assert _file(tmp_path / "a" / "sessions").load() == b"\x00tokens\n"


def test_missing_session_is_not_an_error(tmp_path: Path, reported: ReportedSessions) -> None:
    assert _file(tmp_path / "none", reported=reported).load() is None
    _file(tmp_path / "none").delete()
    assert reported == []


def test_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        _file(folder).save(b"tokens")
        _file(folder).save(b"tokens again")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(_only_file(folder).stat().st_mode) == 0o600


def test_with_a_key_the_session_is_not_stored_in_the_clear(tmp_path: Path) -> None:
    _file(tmp_path, NEW_KEY).save(b"refresh-token-of-somebody")
    kept = _only_file(tmp_path).read_bytes()
    assert b"refresh-token" not in kept
    assert NEW_KEY.get_secret_value().encode() not in kept
    assert _file(tmp_path, NEW_KEY).load() == b"refresh-token-of-somebody"


def test_equal_sessions_do_not_look_equal_on_disk(tmp_path: Path) -> None:
    _file(tmp_path, NEW_KEY).save(b"same")
    first = _only_file(tmp_path).read_bytes()
    _file(tmp_path, NEW_KEY).save(b"same")
    assert _only_file(tmp_path).read_bytes() != first


def test_after_key_rotation_the_old_key_opens_and_the_new_key_seals(tmp_path: Path, reported: ReportedSessions) -> None:
    _file(tmp_path, OLD_KEY).save(b"tokens")
    assert _file(tmp_path, NEW_KEY, OLD_KEY, reported=reported).load() == b"tokens"
    _file(tmp_path, NEW_KEY, OLD_KEY).save(b"tokens")
    assert _file(tmp_path, NEW_KEY, reported=reported).load() == b"tokens"
    assert reported == []
    assert _file(tmp_path, OLD_KEY, reported=reported).load() is None
    assert reported.faults == [SessionFault.KEY_WRONG]


def test_file_from_before_the_key_was_set_is_still_used_and_sealed_at_the_next_save(tmp_path: Path) -> None:
    _file(tmp_path).save(b"tokens")
    assert _file(tmp_path, NEW_KEY).load() == b"tokens"
    _file(tmp_path, NEW_KEY).save(b"tokens")
    assert b"tokens" not in _only_file(tmp_path).read_bytes()


def test_empty_key_is_no_key(tmp_path: Path) -> None:
    _file(tmp_path, SecretStr("")).save(b"tokens")
    assert _file(tmp_path).load() == b"tokens"


def test_encrypted_file_without_its_key_is_no_session_and_is_reported(
    tmp_path: Path, reported: ReportedSessions
) -> None:
    _file(tmp_path, NEW_KEY).save(b"tokens")
    assert _file(tmp_path, reported=reported).load() is None
    assert reported.faults == [SessionFault.KEY_MISSING]
    assert "no state_key is set" in str(reported[0])
    assert "family" in str(reported[0])


@pytest.mark.parametrize("keys", [(), (NEW_KEY,)], ids=["plain", "encrypted"])
def test_damage_anywhere_is_no_session_and_never_a_crash(
    tmp_path: Path, reported: ReportedSessions, keys: tuple[SecretStr, ...]
) -> None:
    _file(tmp_path, *keys).save(b"tokens")
    file = _only_file(tmp_path)
    whole = file.read_bytes()
    step = 1 if not keys else 7
    damaged = [whole[:cut] for cut in range(0, len(whole), step)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :] for at in range(0, len(whole), step)]
    for content in damaged:
        file.write_bytes(content)
        assert _file(tmp_path, *keys, reported=reported).load() is None
    assert len(reported) == len(damaged)
    assert set(reported.faults) <= {SessionFault.DAMAGED, SessionFault.KEY_WRONG}


@given(st.binary(max_size=200))
def test_no_bytes_on_disk_crash_it(content: bytes) -> None:
    import tempfile  # noqa: PLC0415 - a folder for each example, which a fixture cannot give

    with tempfile.TemporaryDirectory() as folder:
        file = _file(Path(folder))
        file.save(b"x")
        _only_file(Path(folder)).write_bytes(b"watcher-session 1 " + content)
        assert file.load() is None or content.startswith(b"plain ")


def test_folder_in_place_of_the_file_is_no_session_and_is_reported(tmp_path: Path, reported: ReportedSessions) -> None:
    _file(tmp_path).save(b"tokens")
    file = _only_file(tmp_path)
    file.unlink()
    file.mkdir()
    assert _file(tmp_path, reported=reported).load() is None
    assert reported.faults == [SessionFault.UNREADABLE]


HOSTILE_NAMES = [
    "../../etc/passwd",
    "/absolute",
    "family",
    "Family",
    "FAMILY",
    "a" * 300,
    "a" * 301,
    "..",
    ".",
    "",
    "\N{LATIN CAPITAL LETTER U WITH DIAERESIS}mit",
    "nul\0byte",
    "new\nline",
    "a.session",
    "a~b",
    "\udc80",
]


def test_any_account_name_is_a_file_of_its_own_within_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    for name in HOSTILE_NAMES:
        _file(folder, account=name).save(name.encode("utf-8", "surrogatepass"))
    for name in HOSTILE_NAMES:
        assert _file(folder, account=name).load() == name.encode("utf-8", "surrogatepass")
    assert len({file.name.lower() for file in folder.iterdir()}) == len(HOSTILE_NAMES)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sessions"]


def test_two_purposes_of_one_account_are_two_files(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path)
    files.of("family").save(b"session")
    files.of("family", "codes").save(b"codes")
    assert (files.of("family").load(), files.of("family", "codes").load()) == (b"session", b"codes")


def test_delete_removes_leftovers_of_a_killed_save_but_not_those_of_another_account(tmp_path: Path) -> None:
    _file(tmp_path).save(b"tokens")
    _file(tmp_path, account="other").save(b"others")
    left = tmp_path / f".{next(tmp_path.glob('family*')).name}.0123456789abcdef.tmp"
    left.write_bytes(b"half of a tok")
    _file(tmp_path).delete()
    assert [file.name for file in tmp_path.iterdir()] == ["other.session"]


def test_save_removes_old_temporary_files_but_not_those_of_another_process(tmp_path: Path) -> None:
    _file(tmp_path).save(b"tokens")
    old, new = tmp_path / ".family.session.01.tmp", tmp_path / ".family.session.02.tmp"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    _file(tmp_path).save(b"tokens")
    assert sorted(file.name for file in tmp_path.iterdir()) == [new.name, "family.session"]


def test_failed_save_keeps_the_old_session_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    _file(tmp_path).save(b"old")
    target = _only_file(tmp_path)
    content = target.read_bytes()
    target.unlink()
    target.mkdir()  # a file cannot replace a folder
    with pytest.raises(StoreUnusable, match=r"family\.session"):
        _file(tmp_path).save(b"new")
    target.rmdir()
    target.write_bytes(content)
    assert _only_file(tmp_path) == target
    assert _file(tmp_path).load() == b"old"


KILLED_AT_EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from watcher.privacy import private_file
from watcher.sign_in import session_files

folder, keys = Path(sys.argv[1]), tuple(SecretStr(key) for key in sys.argv[2:])
OLD, NEW = b"old " * 50_000, b"new " * 50_000
file = session_files.SessionFiles(folder, keys).of("family")

def save_and_die_at(last):
    lines = 0
    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_code.co_filename not in (session_files.__file__, private_file.__file__):
            return None
        lines += 1
        if lines == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    file.save(NEW)
    sys.settrace(None)
    os._exit(0)

deaths, seen, survived = 0, [], False
while not survived:
    file.delete()
    file.save(OLD)
    child = os.fork()
    if child == 0:
        save_and_die_at(deaths + 1)
    survived = os.waitpid(child, 0)[1] == 0
    deaths += not survived
    content = file.load()
    assert content in (OLD, NEW), f"half-written after {deaths} steps"
    seen.append(content == NEW)
    for left in folder.iterdir():
        assert left.stat().st_mode & 0o077 == 0, f"{left.name} is open to others"
assert seen == sorted(seen), "once written, a session does not go back"
assert seen[-1] and not seen[0]
print(deaths)
"""


@pytest.mark.parametrize("keys", [(), ("a key",)], ids=["plain", "encrypted"])
def test_kill_at_every_step_of_a_save_leaves_the_old_or_the_new_session(tmp_path: Path, keys: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_LINE, str(tmp_path / "sessions"), *keys],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
