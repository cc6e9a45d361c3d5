"""The line numbers of all keys in a TOML text."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watcher.recipe.parse.toml_lines import Lines
from watcher.settings.key_names import KeyPath

TEXT = '''
# [not.a.table]
name = "a # no comment"   # line 3
[[step]]
get = "/"
take = { csrf = "x", "odd key" = 'y' }
[[step]]
post = """
get = "not a key"
"""
form = [
]
[case.fields]
status.deep = 1
list = [
  "one",  # line 16

  { two = 2 }, [ "three",
  "four" ],
]
[[case.pending]]
each = 1
[case.pending.kinds]
"Request" = "rfe"
[[case.pending]]
each = 2
'''


def test_line_of_each_key() -> None:
    lines = Lines(TEXT)

    expected: dict[KeyPath, int] = {
        ("name",): 3,
        ("step", 0): 4,
        ("step", 0, "take", "csrf"): 6,
        ("step", 0, "take", "odd key"): 6,
        ("step", 1): 7,
        ("step", 1, "post"): 8,
        ("step", 1, "form"): 11,
        ("case", "fields"): 13,
        ("case", "fields", "status", "deep"): 14,
        ("case", "fields", "list", 0): 16,
        ("case", "fields", "list", 1, "two"): 18,
        ("case", "fields", "list", 2, 1): 19,
        ("case", "pending", 0, "each"): 22,
        ("case", "pending", 0, "kinds", "Request"): 24,
        ("case", "pending", 1, "each"): 26,
    }
    assert {path: lines.line_of(path) for path in expected} == expected


def test_missing_key_has_the_line_of_its_table() -> None:
    lines = Lines(TEXT)

    assert lines.line_of(("step", 1, "rejected")) == 7
    assert lines.line_of(("nothing", "here")) == 1


def test_every_key_that_tomllib_parses_has_its_line() -> None:
    lines, text_lines = Lines(TEXT), TEXT.splitlines()

    paths = list(keys_of(tomllib.loads(TEXT), ()))

    assert len(paths) >= 15
    assert [path for path in paths if str(path[-1]) not in text_lines[lines.line_of(path) - 1]] == []


def keys_of(content: Any, path: KeyPath) -> Iterator[KeyPath]:
    for key, part in content.items() if isinstance(content, dict) else ():
        yield (*path, key)
        yield from keys_of(part, (*path, key))
    for index, part in enumerate(content) if isinstance(content, list) else ():
        yield from keys_of(part, (*path, index))


@given(st.text(alphabet="[]{}=\"'\n#., ab\\", max_size=60))
def test_parser_terminates_on_any_text(text: str) -> None:
    Lines(text).line_of(("a",))
