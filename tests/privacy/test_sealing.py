"""Content is sealed with the first key, unsealed with any, and sealed again when the keys change."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from watcher.model.writes import WriteSet
from watcher.privacy.sealing import Seal, SealFault, Unsealable
from watcher.store import Store

OLD, NEW = SecretStr("an old key, long enough"), SecretStr("a new key, long enough")
BODY = b'{"applicantName": "A Person Nobody Should Read Of"}'


@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=300), st.sampled_from([(), (NEW,), (NEW, OLD)]))
def test_sealed_content_is_unsealed_unchanged(content: bytes, keys: tuple[SecretStr, ...]) -> None:
    seal = Seal("a name 1", keys)
    assert seal.unseal(seal.seal(content)) == content
    assert seal.is_current(seal.seal(content))


def test_damage_of_any_byte_is_detected() -> None:
    for seal in (Seal("a name 1"), Seal("a name 1", [NEW])):
        sealed = seal.seal(BODY)
        for offset in range(len(sealed)):
            with pytest.raises(Unsealable):
                seal.unseal(sealed[:offset] + bytes([sealed[offset] ^ 1]) + sealed[offset + 1 :])


def test_old_key_unseals_and_no_key_does_not() -> None:
    sealed = Seal("a name 1", [OLD]).seal(BODY)
    assert Seal("a name 1", [NEW, OLD]).unseal(sealed) == BODY
    assert not Seal("a name 1", [NEW, OLD]).is_current(sealed)
    for keys, fault in (((), SealFault.KEY_MISSING), ((NEW,), SealFault.KEY_WRONG)):
        with pytest.raises(Unsealable) as caught:
            Seal("a name 1", keys).unseal(sealed)
        assert caught.value.fault is fault


def _answers(folder: Path, *keys: SecretStr, write: bool = False) -> dict[tuple[str, str], bytes]:
    store = Store(f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks", keys=keys)
    if write:
        write_set = WriteSet(account="family", case_number="IOE0000000001", answers={"status": BODY})
        store.record([write_set], now=datetime(2026, 11, 22, tzinfo=UTC))
    answers = store.answers("family", "IOE0000000001")
    store.close()
    return answers


def _on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("watcher.sqlite3*")))


def test_no_answer_is_in_plain_text_in_the_database_with_a_key(tmp_path: Path) -> None:
    assert _answers(tmp_path, NEW, write=True) == {("good", "status"): BODY}
    assert b"A Person Nobody" not in _on_disk(tmp_path)


def test_key_that_is_set_later_seals_older_answers_completely(tmp_path: Path) -> None:
    _answers(tmp_path, write=True)
    assert b"A Person Nobody" in _on_disk(tmp_path)
    assert _answers(tmp_path, NEW) == {("good", "status"): BODY}
    assert b"A Person Nobody" not in _on_disk(tmp_path)


def test_old_key_can_be_removed_after_a_key_change(tmp_path: Path) -> None:
    _answers(tmp_path, OLD, write=True)
    assert _answers(tmp_path, NEW, OLD) == {("good", "status"): BODY}
    assert _answers(tmp_path, NEW) == {("good", "status"): BODY}


def test_answer_without_its_key_is_missing_and_the_store_still_opens(tmp_path: Path) -> None:
    _answers(tmp_path, OLD, write=True)
    assert _answers(tmp_path, NEW) == {}
