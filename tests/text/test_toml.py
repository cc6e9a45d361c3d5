"""Untrusted TOML is parsed in time proportional to its length, or refused with the line number."""

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

_REPEATS = 60_000
LONG_KEY = "title = 1\n\na" + ".a" * _REPEATS + " = 1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LONG_KEY, "line 3: a key has more than"),
        ("\n[a" + ' . "b"' * _REPEATS + "]", "line 2: a key has more than"),
        ("a = [\n{ b" + ".'c'" * MAX_PARTS + " = 1 }]", "line 2: a key has more than"),
        ("\n\na = " + "9" * _REPEATS, "line 3: a number has too many digits"),
        ("\na = " + "1_2" * _REPEATS, "line 2: a number has too many digits"),
        ("a = " + "[" * _REPEATS, "nested too deeply"),
        ("a = 1\na = b", "line 2"),
        ("a" * _REPEATS, "not valid TOML"),
        ((("a" + " " * 50 + ".") * (MAX_PARTS - 1) + "!") * 500, "not valid TOML"),
        ('"' * _REPEATS, "not valid TOML"),
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
def test_text_that_tomllib_handles_badly_is_refused_at_once(text: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(NotToml, match=message):
        read_toml(text)
    assert time.monotonic() - started < 5


def test_configuration_and_recipe_name_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "hostile.toml"
    file.write_text(LONG_KEY)
    with pytest.raises(SettingsFaults, match=r"hostile\.toml: line 3: a key has more than"):
        read_document(file)
    with pytest.raises(RecipeFaults, match=r"hostile\.toml: line 3: a key has more than"):
        load_recipe(file)


def test_key_with_the_maximum_number_of_parts_is_read() -> None:
    assert read_toml(".".join("a" * MAX_PARTS) + " = 1")


@given(st.text(alphabet="ab.=\"'[]{},# \n_1-\\", max_size=60))
def test_content_is_the_same_as_from_the_standard_library(text: str) -> None:
    try:
        keys = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(NotToml):
            read_toml(text)
    else:
        assert read_toml(text) == keys


def test_lines_of_the_largest_recipe_are_found_quickly() -> None:
    started = time.monotonic()
    lines = Lines("a = [" + "1,\n" * 80_000 + "]")
    assert lines.line_of(("a", 79_999)) == 80_000
    assert time.monotonic() - started < 10
