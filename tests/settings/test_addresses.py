import pytest

from watcher.settings.addresses import is_loopback, listening_address, web_address


@pytest.mark.parametrize("url", ["http://localhost", "http://127.0.0.1:80", "http://127.8.9.1", "https://[::1]:8443/x"])
def test_these_are_this_machine(url: str) -> None:
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
def test_these_are_not_this_machine(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("written", "read"),
    [("", ""), ("https://x.example.org/", "https://x.example.org"), ("http://[::1]:1/a", "http://[::1]:1/a")],
)
def test_a_web_address_loses_its_last_slash(written: str, read: str) -> None:
    assert web_address(written) == read


@pytest.mark.parametrize(
    "written",
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
def test_what_is_no_safe_web_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"address"):
        web_address(written)


@pytest.mark.parametrize("written", ["", "127.0.0.1:8787", "[::1]:0", "localhost:80"])
def test_a_host_and_a_port_may_be_listened_on(written: str) -> None:
    assert listening_address(written) == written


@pytest.mark.parametrize(
    "written", ["8787", "localhost", ":80", "localhost:x", "localhost:99999", "http://localhost:80", "[::1"]
)
def test_what_is_no_host_and_port_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="host and a port"):
        listening_address(written)
