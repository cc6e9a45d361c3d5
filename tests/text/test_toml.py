"""TOML of strangers: it is read in a time that grows with its length alone, or refused with its line."""

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import SettingsFaults
from watcher.recipe.parse.check import RecipeFaults, load_recipe
from watcher.recipe.parse.toml_lines import Lines
from watcher.settings.config_files import read_document
from watcher.text.toml import MAX_PARTS, NotToml, read_toml

_MANY = 60_000
ENDLESS_KEY = "title = 1\n\na" + ".a" * _MANY + " = 1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENDLESS_KEY, "line 3: a key has more than"),
        ("\n[a" + ' . "b"' * _MANY + "]", "line 2: a key has more than"),
        ("a = [\n{ b" + ".'c'" * MAX_PARTS + " = 1 }]", "line 2: a key has more than"),
        ("\n\na = " + "9" * _MANY, "line 3: a number has more digits"),
        ("\na = " + "1_2" * _MANY, "line 2: a number has more digits"),
        ("a = " + "[" * _MANY, "nested more deeply"),
        ("a = 1\na = b", "line 2"),
        ("a" * _MANY, "not TOML"),
        ((("a" + " " * 50 + ".") * (MAX_PARTS - 1) + "!") * 500, "not TOML"),
        ('"' * _MANY, "not TOML"),
    ],
    ids=[
        "a dotted key",
        "a table's name",
        "a key within a list",
        "a number",
        "a number with underscores",
        "a nest",
        "no value",
        "a long word",
        "many keys that are nearly too long",
        "quotation marks",
    ],
)
def test_what_would_take_for_ever_or_fail_strangely_is_refused_at_once(text: str, said: str) -> None:
    begun = time.monotonic()
    with pytest.raises(NotToml, match=said):
        read_toml(text)
    assert time.monotonic() - begun < 5


def test_a_configuration_and_a_recipe_name_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "hostile.toml"
    file.write_text(ENDLESS_KEY)
    with pytest.raises(SettingsFaults, match=r"hostile\.toml: line 3: a key has more than"):
        read_document(file)
    with pytest.raises(RecipeFaults, match=r"hostile\.toml: line 3: a key has more than"):
        load_recipe(file)


def test_a_key_of_as_many_parts_as_may_be_is_read() -> None:
    assert read_toml(".".join("a" * MAX_PARTS) + " = 1")


@given(st.text(alphabet="ab.=\"'[]{},# \n_1-\\", max_size=60))
def test_whatever_the_standard_library_reads_is_read_the_same(text: str) -> None:
    try:
        keys = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(NotToml):
            read_toml(text)
    else:
        assert read_toml(text) == keys


def test_the_lines_of_a_recipe_of_the_largest_size_are_found_in_time() -> None:
    begun = time.monotonic()
    lines = Lines("a = [" + "1,\n" * 80_000 + "]")
    assert lines.line_of(("a", 79_999)) == 80_000
    assert time.monotonic() - begun < 10
