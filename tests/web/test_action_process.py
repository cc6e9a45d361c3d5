from pathlib import Path

import pytest

from tests.web.household import MARIA, a_household
from watcher.errors import StoreUnusable
from watcher.messages import speaking
from watcher.web.action_process import ActionProcess


def test_action_is_performed_in_a_process_of_its_own_in_the_language_of_the_request(tmp_path: Path) -> None:
    site = a_household(tmp_path)
    perform = ActionProcess(settings=site.settings)
    with speaking("fr"):
        refused = perform("note", {"case": MARIA, "text": " "}).refused
    assert refused == "Le texte est vide."
    assert perform("note", {"case": MARIA, "text": "Called"}).texts
    with site.store() as store:
        assert "Called" in str(store.history(limit=1)[0].change.new)


def test_database_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    site = a_household(tmp_path)
    (tmp_path / "watcher.sqlite3").write_bytes(b"no database at all")
    with pytest.raises(StoreUnusable, match=r"watcher\.sqlite3"):
        ActionProcess(settings=site.settings)("note", {"case": MARIA, "text": "Called"})
