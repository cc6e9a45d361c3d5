"""The TOML that the wizard writes parses back to the answers."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watcher.wizard import as_toml

TEXTS = st.text()
VALUES = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.lists(TEXTS))
KEYS = st.recursive(
    st.dictionaries(TEXTS, VALUES, max_size=4), lambda inner: st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


@given(KEYS)
def test_every_key_and_value_round_trips(keys: dict[str, Any]) -> None:
    assert tomllib.loads(as_toml(keys)) == keys


def test_keys_and_sections_are_commented() -> None:
    text = as_toml({"language": "en", "accounts": {"family": {"portal": "uscis"}}})
    assert "# One login at one portal. You choose the name.\n[accounts.family]\n" in text
    assert text.index("language = ") < text.index("[accounts.family]")
