"""Sessions that earlier versions saved as files."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.portals.context import InMemorySession
from watcher.privacy.sealing import Seal
from watcher.sign_in.session_takeover import take_over_session

KEY = SecretStr("the key of the files")


@pytest.mark.parametrize("keys", [(), (KEY,)], ids=["plain", "encrypted"])
@pytest.mark.parametrize(("account", "name"), [("family", "family"), ("Family", "family~bd2d677b2ed4381b")])
def test_session_is_taken_over_and_its_files_are_deleted(
    tmp_path: Path, keys: tuple[SecretStr, ...], account: str, name: str
) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    for purpose in ("session", "totp"):
        (folder / f"{name}.{purpose}").write_bytes(Seal("watcher-session 1", keys).seal(b"cookies"))
    session = InMemorySession()
    take_over_session(folder, account, keys, session)
    assert session.content == b"cookies"
    assert not folder.exists()


def test_newer_session_and_other_accounts_are_left_alone(tmp_path: Path) -> None:
    for name in ("family", "other"):
        (tmp_path / f"{name}.session").write_bytes(Seal("watcher-session 1").seal(b"cookies"))
    session = InMemorySession(b"newer")
    take_over_session(tmp_path, "family", (), session)
    assert session.content == b"newer"
    assert [file.name for file in tmp_path.iterdir()] == ["other.session"]


def test_file_that_cannot_be_decrypted_stays(tmp_path: Path) -> None:
    (tmp_path / "family.session").write_bytes(Seal("watcher-session 1", (KEY,)).seal(b"cookies"))
    session = InMemorySession()
    take_over_session(tmp_path, "family", (), session)
    assert session.content is None
    assert (tmp_path / "family.session").exists()
