"""A backup that a disk or a transfer damaged is named as damaged, whichever of its pages was hit."""

from pathlib import Path

import pytest

from tests.store.backup.test_older_database import LATER, backup_of, older, restore
from watcher.errors import StoreUnusable

__all__ = ["older"]

BLOCK = 512


@pytest.mark.parametrize("content", [b"\xff", b"\x00", b"A"], ids=["ones", "zeros", "letters"])
def test_damage_is_never_called_a_newer_release(older: Path, tmp_path: Path, content: bytes) -> None:
    copy = backup_of(tmp_path / "newer", checked_at=LATER)
    sound = copy.read_bytes()
    refusals = []
    for start in range(0, len(sound), BLOCK):
        copy.write_bytes(sound[:start] + content * (8 * BLOCK) + sound[start + 8 * BLOCK :])
        try:
            restore(copy, older, LATER)
        except StoreUnusable as error:
            refusals.append(str(error))
    assert [refusal for refusal in refusals if "damaged" not in refusal and "not a database" not in refusal] == []
    # Damage to the free space of a page, or inside a text, is not recognizable.
    assert len(refusals) > len(sound) // BLOCK // 2
