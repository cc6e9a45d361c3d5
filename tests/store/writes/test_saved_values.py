"""Sessions and the like in the database, on both databases: encrypted, shared by machines, never half-written."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.temporary_store import TemporaryStore, temporary_store
from watcher.privacy.sealing import SealFault
from watcher.sign_in.totp import StoredUsedSteps

OLD_KEY, NEW_KEY = "the first key of all", "the key that came after"


def stored(temporary: TemporaryStore) -> list[bytes]:
    return [bytes(row[0]) for row in temporary.rows("SELECT content FROM sealed ORDER BY owner, purpose")]


def test_saved_value_is_loaded_by_another_machine_with_the_same_key(temporary: TemporaryStore) -> None:
    temporary.values(NEW_KEY).of("family").save(b"\x00tokens\n")
    assert temporary.values(NEW_KEY, machine="other").of("family").load() == b"\x00tokens\n"


def test_missing_value_is_not_an_error(temporary: TemporaryStore) -> None:
    value = temporary.values(NEW_KEY).of("family")
    assert (value.load(), value.fault()) == (None, None)
    value.delete()


@pytest.mark.parametrize("keys", [(), (NEW_KEY,)], ids=["no key set", "key set"])
def test_nothing_is_stored_in_the_clear(temporary: TemporaryStore, keys: tuple[str, ...]) -> None:
    temporary.values(*keys).of("family").save(b"refresh-token-of-somebody")
    (content,) = stored(temporary)
    assert b"refresh-token" not in content
    assert content.startswith(b"watcher-session 1 fernet ")
    assert temporary.values(*keys).of("family").load() == b"refresh-token-of-somebody"


def test_without_a_key_a_file_gets_a_private_one_of_its_own(on_disk: TemporaryStore) -> None:
    on_disk.values().of("family").save(b"tokens")
    key = on_disk.folder / "machine" / "state_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    assert on_disk.values().of("family").fault() is SealFault.KEY_MISSING
    assert on_disk.values(NEW_KEY).of("family").fault() is SealFault.KEY_WRONG


def test_without_a_key_machines_share_the_one_made_from_the_password_of_the_server(temporary: TemporaryStore) -> None:
    temporary.values().of("family").save(b"tokens")
    shared = temporary.values(machine="other").of("family").load()
    assert shared == (b"tokens" if temporary.store.shared else None)


def test_equal_values_do_not_look_equal(temporary: TemporaryStore) -> None:
    for name in ("one", "two"):
        temporary.values(NEW_KEY).of(name).save(b"same")
    assert len(set(stored(temporary))) == 2


def test_after_key_rotation_the_old_key_opens_and_the_new_key_encrypts(temporary: TemporaryStore) -> None:
    temporary.values(OLD_KEY).of("family").save(b"tokens")
    temporary.values(OLD_KEY).of("mailbox", "mails").save(b"mails")
    assert temporary.values(NEW_KEY, OLD_KEY).of("family").load() == b"tokens"
    temporary.values(NEW_KEY, OLD_KEY).reseal()
    assert temporary.values(NEW_KEY).of("family").load() == b"tokens"
    assert temporary.values(NEW_KEY).of("mailbox", "mails").load() == b"mails"
    assert temporary.values(OLD_KEY).of("family").load() is None
    assert temporary.values(OLD_KEY).of("family").fault() is SealFault.KEY_WRONG


def test_key_that_is_set_later_encrypts_what_the_own_key_encrypted(temporary: TemporaryStore) -> None:
    temporary.values().of("family").save(b"tokens")
    temporary.values(NEW_KEY).reseal()
    assert temporary.values(NEW_KEY, machine="other").of("family").load() == b"tokens"


def test_value_that_no_key_opens_stays_until_it_is_replaced(temporary: TemporaryStore) -> None:
    temporary.values(OLD_KEY).of("family").save(b"tokens")
    temporary.values(NEW_KEY, "another key").reseal()
    assert temporary.values(OLD_KEY).of("family").load() == b"tokens"
    temporary.values(NEW_KEY).of("family").save(b"new tokens")
    assert temporary.values(NEW_KEY).of("family").load() == b"new tokens"


@pytest.mark.parametrize("cut", [0, 1, 25, 60, -1])
def test_damage_anywhere_is_no_session_and_never_a_crash(on_disk: TemporaryStore, cut: int) -> None:
    on_disk.values().of("family").save(b"tokens")
    (content,) = stored(on_disk)
    with closing(sqlite3.connect(on_disk.file)) as database, database:
        for damaged in (content[:cut], content[:cut] + b"\x80" + content[cut + 1 :]):
            database.execute("UPDATE sealed SET content = ?", (damaged,))
            database.commit()
            value = on_disk.values().of("family")
            assert value.load() is None
            assert value.fault() in {SealFault.DAMAGED, SealFault.KEY_WRONG}


def test_any_owner_and_purpose_has_a_value_of_its_own(temporary: TemporaryStore) -> None:
    names = ["../../etc/passwd", "family", "Family", "a" * 300, "", "\N{LATIN CAPITAL LETTER U WITH DIAERESIS}", "a'b"]
    values = temporary.values(NEW_KEY)
    for name in names:
        values.of(name).save(name.encode())
        values.of(name, "code").save(b"code " + name.encode())
    for name in names:
        assert values.of(name).load() == name.encode()
        assert values.of(name, "code").load() == b"code " + name.encode()
    values.of("family").delete()
    assert (values.of("family").load(), values.of("Family").load()) == (None, b"Family")


def test_a_step_is_claimed_once_however_many_machines_try_at_once(temporary: TemporaryStore) -> None:
    won: list[str] = []

    def try_all(machine: str) -> None:
        steps = StoredUsedSteps(temporary.values(NEW_KEY, machine=machine).of("login", "totp"))
        won.extend(f"{step} {machine}" for step in range(6) if steps.claim(step))

    threads = [Thread(target=try_all, args=(machine,)) for machine in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.split()[0] for entry in won) == list("012345")


def test_change_that_raises_leaves_the_old_content(temporary: TemporaryStore) -> None:
    value = temporary.values(NEW_KEY).of("family")
    value.save(b"old")

    def fail(_content: bytes | None) -> bytes | None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        value.update(fail)
    assert value.load() == b"old"


def test_deleted_content_is_not_left_in_the_file(on_disk: TemporaryStore) -> None:
    on_disk.values().of("family").save(b"tokens")
    (content,) = stored(on_disk)
    on_disk.values().of("family").delete()
    with closing(sqlite3.connect(on_disk.file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert content[-40:] not in on_disk.file.read_bytes()


@settings(max_examples=20)
@given(content=st.binary(max_size=200))
def test_any_content_is_returned_as_it_was(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "any-content"
    folder.mkdir(exist_ok=True)
    with temporary_store(folder) as opened:
        opened.values().of("family").save(content)
        assert opened.values().of("family").load() == content
