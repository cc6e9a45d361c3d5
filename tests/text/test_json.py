import pytest

from watcher.text.json import load_or_none


@pytest.mark.parametrize("content", [None, b"", "", b"{", b"\xff", "[" * 100_000, b"null"])
def test_damaged_file_has_no_content(content: str | bytes | None) -> None:
    assert load_or_none(content) is None


@pytest.mark.parametrize("content", [b'{"a": 1}', '{"a": 1}'])
def test_content_is_loaded(content: str | bytes) -> None:
    assert load_or_none(content) == {"a": 1}
