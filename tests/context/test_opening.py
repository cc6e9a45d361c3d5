"""Opening configuration and database, in the user's language."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher.context.opening import open_store, use_configured_language
from watcher.errors import StoreDamaged
from watcher.messages import current_language, use_language
from watcher.settings import Settings


@pytest.fixture(autouse=True)
def english_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    yield
    use_language("en")


@pytest.mark.parametrize(
    ("content", "language"),
    [
        ('language = "es"\nunknown_key = 1\n', "es"),
        ('language = "de"\n', "fr"),
        ("language = 1\n", "fr"),
        ('language = ["es"]\n', "fr"),
        ("state_dir = 1\n", "fr"),
        ('language = "es"\nnot toml', "fr"),
    ],
)
def test_language_of_a_configuration_counts_even_if_other_keys_have_faults(
    tmp_path: Path, content: str, language: str
) -> None:
    config = tmp_path / "watcher.toml"
    config.write_text(content)
    use_language("fr")
    use_configured_language(config, {})
    assert current_language() == language


def test_missing_configuration_leaves_the_language_as_it_is(tmp_path: Path) -> None:
    use_language("fr")
    use_configured_language(tmp_path / "missing.toml", {})
    use_configured_language(None, {"HOME": str(tmp_path)})
    assert current_language() == "fr"


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_advice_for_a_damaged_database_does_not_depend_on_the_language(tmp_path: Path, language: str) -> None:
    (tmp_path / "watcher.sqlite3").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    use_language(language)
    with pytest.raises(StoreDamaged, match="`watcher restore FILE`"):
        open_store(Settings(state_dir=tmp_path))
