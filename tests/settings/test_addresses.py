import pytest

from watcher.settings.addresses import listening_address, web_address


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", ""), ("https://x.example.org/", "https://x.example.org"), ("http://[::1]:1/a", "http://[::1]:1/a")],
)
def test_web_address_loses_its_trailing_slash(value: str, expected: str) -> None:
    assert web_address(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "http://x.example.org",
        "ftp://localhost",
        "https://",
        "https://:443",
        "https://x:99999",
        "https://u:p@x.org",
        "https://x.org/?a=b",
        "https://x.org/#a",
        "https://[",
    ],
)
def test_unsafe_web_address_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"address"):
        web_address(value)


@pytest.mark.parametrize("value", ["", "127.0.0.1:8787", "[::1]:0", "localhost:80"])
def test_host_and_port_are_a_listening_address(value: str) -> None:
    assert listening_address(value) == value


@pytest.mark.parametrize(
    "value", ["8787", "localhost", ":80", "localhost:x", "localhost:99999", "http://localhost:80", "[::1"]
)
def test_invalid_listening_address_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="host and a port"):
        listening_address(value)
