"""Which proxy a host is reached through."""

import pytest

from watcher.http.proxies import Proxy, UnusableProxy, proxy_for

HOST = "my.portal.example"
ORIGIN = "http://proxy.example:3128"


def origin(host: str = HOST, **environ: str) -> str | None:
    proxy = proxy_for(host, environ)
    return None if proxy is None else proxy.origin


def test_first_variable_that_is_set_and_not_empty_counts() -> None:
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    for position in range(len(names)):
        environ = dict.fromkeys(names[:position], " ") | {name: f"http://{name}" for name in names[position:]}
        assert origin(**environ) == f"http://{names[position].lower()}"
    assert origin(http_proxy=ORIGIN, HTTP_PROXY=ORIGIN, ftp_proxy=ORIGIN) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_reached_directly(host: str) -> None:
    assert origin(host, ALL_PROXY=ORIGIN) is None


@pytest.mark.parametrize(
    ("exceptions", "host", "direct"),
    [
        ("my.portal.example", HOST, True),
        ("portal.example", HOST, True),
        (".portal.example", HOST, True),
        (".portal.example", "portal.example", True),
        ("Portal.EXAMPLE.", HOST, True),
        ("portal.example", "MY.portal.example.", True),
        ("ortal.example", HOST, False),
        ("other.my.portal.example", HOST, False),
        ("other.example,portal.example", HOST, True),
        (" other.example ,, portal.example ", HOST, True),
        ("other.example portal.example", HOST, True),
        ("*", HOST, True),
        ("*.portal.example", HOST, False),
        ("*,other.example", HOST, False),
        ("portal.example:443", HOST, False),
        (".", HOST, False),
        ("", HOST, False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.2.99/24", "10.1.2.3", True),
        ("10.1.2.3/33", "10.1.2.3", False),
        ("11.0.0.0/8", "10.1.2.3", False),
        ("2.3", "10.1.2.3", False),
        ("2001:db8::/32", "2001:db8::7", True),
        ("[2001:db8::7]", "[2001:db8::7]", True),
        ("10.0.0.0/8", "2001:db8::7", False),
        ("10.0.0.0/8", HOST, False),
    ],
)
def test_exceptions_are_those_of_curl(exceptions: str, host: str, direct: bool) -> None:  # noqa: FBT001
    for name in ("no_proxy", "NO_PROXY"):
        assert (origin(host, ALL_PROXY=ORIGIN, **{name: exceptions}) is None) == direct


def test_lower_case_exceptions_count_before_upper_case_ones() -> None:
    assert origin(ALL_PROXY=ORIGIN, no_proxy="other.example", NO_PROXY="*") == ORIGIN
    assert origin(ALL_PROXY=ORIGIN, no_proxy="", NO_PROXY="*") is None


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("proxy.example", Proxy(origin="http://proxy.example")),
        ("HTTP://proxy.example:3128/", Proxy(origin=ORIGIN)),
        ("http://[2001:db8::7]:3128", Proxy(origin="http://[2001:db8::7]:3128")),
        ("us%40er:p%C3%A1ss@proxy.example:3128", Proxy(origin=ORIGIN, credentials=("us@er", "p\u00e1ss"))),
        ("http://user@proxy.example:3128", Proxy(origin=ORIGIN, credentials=("user", ""))),
    ],
)
def test_address_is_parsed(value: str, proxy: Proxy) -> None:
    assert proxy_for(HOST, {"ALL_PROXY": value}) == proxy


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("socks5://user:secret@proxy.example:1080", r"=socks5://.*not supported; use http://"),
        ("socks5h://proxy.example", "not supported"),
        ("https://proxy.example", "not supported"),
        ("http://user:secret@proxy.example:no", "not an address; use http://HOST:PORT"),
        ("http://user:secret@proxy.example:99999", "not an address"),
        ("http://", "not an address"),
        ("http://[::1", "not an address"),
    ],
)
def test_unusable_proxy_is_the_same_fault_in_every_variable(variable: str, value: str, fault: str) -> None:
    with pytest.raises(UnusableProxy, match=fault) as caught:
        proxy_for(HOST, {variable: value})
    assert variable in str(caught.value)
    assert "secret" not in str(caught.value)


def test_credentials_do_not_show_in_the_repr() -> None:
    assert "secret" not in repr(proxy_for(HOST, {"ALL_PROXY": "user:secret@proxy.example"}))
