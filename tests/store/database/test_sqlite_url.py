"""A database in a folder with any name."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.temporary_store import temporary_store
from watcher.store.backup.backup_files import create_backup, examine, sqlite_path
from watcher.store.database.engine import parse_url
from watcher.store.database.sqlite_url import file_uri, split_sqlite_url
from watcher.store.readonly import open_read_only_store

NAMES = [
    "a b",
    "a%20b",
    "100%",
    "%s%(x)s",
    "a#b",
    "a?b",
    "a?mode=ro",
    "a?mode=ro&b=c",
    "a'b\"c",
    "a;b&c=d",
    "[a]*{b}",
    "a@b:c",
    "a\\b",
    "~a$HOME",
    "añ\N{SNOWMAN}",
    os.fsdecode(b"a\xffb"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_database_can_be_in_a_folder_with_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file = folder / "watcher.sqlite3"
    with temporary_store(folder):
        assert file.is_file()
        url = f"sqlite:///{file}"
        assert sqlite_path(url) == file
        read_only = open_read_only_store(url, locks=folder / "locks")
        assert read_only is not None
        read_only.close()
        create_backup(f"sqlite:///{file}", folder / f"{name}.sqlite3", force=False)
    assert examine(folder / f"{name}.sqlite3").cases == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_percent_encoded_url_is_decoded_if_only_that_leads_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    encoded = f"sqlite:///{tmp_path}/a%20b/x.sqlite3"
    assert sqlite_path(encoded) == tmp_path / "a b/x.sqlite3"
    (tmp_path / "a%20b").mkdir()
    assert sqlite_path(encoded) == tmp_path / "a%20b/x.sqlite3"


def test_query_of_a_url_is_kept() -> None:
    assert split_sqlite_url("sqlite:////srv/x.sqlite3?timeout=30") == ("/srv/x.sqlite3", "?timeout=30")
    parsed = parse_url("sqlite:///x.sqlite3?timeout=30")
    assert parsed is not None
    assert (parsed.database, dict(parsed.query)) == ("x.sqlite3", {"timeout": "30"})


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "postgresql://db.example.org/x", "/srv/x.sqlite3"])
def test_other_urls_name_no_file(url: str) -> None:
    assert split_sqlite_url(url) is None


def test_uri_of_a_file_opens_it(tmp_path: Path) -> None:
    file = tmp_path / "a?mode=rw#b%20c"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE x (y)")
    with closing(sqlite3.connect(file_uri(file, "ro"), uri=True)) as database:
        assert database.execute("SELECT count(*) FROM x").fetchone() == (0,)
