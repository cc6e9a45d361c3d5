import pytest

from watcher.text.loopback import is_loopback


@pytest.mark.parametrize("url", ["http://localhost", "http://127.0.0.1:80", "http://127.8.9.1", "https://[::1]:8443/x"])
def test_loopback_urls_are_recognized(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://[",
        "http://localhost.example.org",
        "http://example.org",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://127.0.0.1.example.org",
        "http://user@example.org:127/",
    ],
)
def test_other_urls_are_not_loopback(url: str) -> None:
    assert not is_loopback(url)
