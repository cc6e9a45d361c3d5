"""What lies on disk: sealed by the first key, opened by any, sealed anew when the keys change."""

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
def test_what_was_sealed_comes_back_whole(content: bytes, keys: tuple[SecretStr, ...]) -> None:
    seal = Seal("a name 1", keys)
    assert seal.open(seal.close(content)) == content
    assert seal.is_current(seal.close(content))


def test_damage_of_any_byte_is_noticed() -> None:
    for seal in (Seal("a name 1"), Seal("a name 1", [NEW])):
        kept = seal.close(BODY)
        for place in range(len(kept)):
            with pytest.raises(Unsealable):
                seal.open(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])


def test_an_old_key_still_opens_and_no_key_does_not() -> None:
    kept = Seal("a name 1", [OLD]).close(BODY)
    assert Seal("a name 1", [NEW, OLD]).open(kept) == BODY
    assert not Seal("a name 1", [NEW, OLD]).is_current(kept)
    for keys, fault in (((), SealFault.KEY_MISSING), ((NEW,), SealFault.KEY_WRONG)):
        with pytest.raises(Unsealable) as caught:
            Seal("a name 1", keys).open(kept)
        assert caught.value.fault is fault


def _answers(folder: Path, *keys: SecretStr, write: bool = False) -> dict[tuple[str, str], bytes]:
    store = Store(f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks", keys=keys)
    if write:
        news = WriteSet(account="family", case_number="IOE0000000001", answers={"status": BODY})
        store.record([news], now=datetime(2026, 11, 22, tzinfo=UTC))
    found = store.answers("family", "IOE0000000001")
    store.close()
    return found


def _on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("watcher.sqlite3*")))


def test_with_a_key_no_answer_lies_in_the_database_in_the_clear(tmp_path: Path) -> None:
    assert _answers(tmp_path, NEW, write=True) == {("good", "status"): BODY}
    assert b"A Person Nobody" not in _on_disk(tmp_path)


def test_a_key_that_is_set_later_seals_what_was_there_and_leaves_nothing_behind(tmp_path: Path) -> None:
    _answers(tmp_path, write=True)
    assert b"A Person Nobody" in _on_disk(tmp_path)
    assert _answers(tmp_path, NEW) == {("good", "status"): BODY}
    assert b"A Person Nobody" not in _on_disk(tmp_path)


def test_keys_change_hands_and_the_old_one_can_go(tmp_path: Path) -> None:
    _answers(tmp_path, OLD, write=True)
    assert _answers(tmp_path, NEW, OLD) == {("good", "status"): BODY}
    assert _answers(tmp_path, NEW) == {("good", "status"): BODY}


def test_without_its_key_an_answer_is_gone_and_the_store_opens_all_the_same(tmp_path: Path) -> None:
    _answers(tmp_path, OLD, write=True)
    assert _answers(tmp_path, NEW) == {}
