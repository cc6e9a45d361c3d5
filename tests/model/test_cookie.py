"""The jar keeps and sends cookies as browsers do."""

from hypothesis import given
from hypothesis import strategies as st

from watcher.model.cookie import Cookie, CookieJar

NOW = 1_795_348_800.0
HOST = "my.portal.example"


def cookie(name: str, value: str = "1", *, domain: str = HOST, path: str = "/", expires: int | None = None) -> Cookie:
    """Return a cookie of one host, or of a domain if that begins with a dot."""
    host_only = not domain.startswith(".")
    return Cookie(
        name=name, value=value, domain=domain.removeprefix("."), host_only=host_only, path=path, expires=expires
    )


def sent(*cookies: Cookie, host: str = HOST, path: str = "/", now: float = NOW) -> bytes | None:
    return CookieJar(cookies).header(host, path, now)


def test_host_only_cookie_goes_to_its_host_alone() -> None:
    assert sent(cookie("a"), host="sub.my.portal.example") is None
    assert sent(cookie("a", domain=".portal.example")) == b"a=1"
    assert sent(cookie("a", domain=".portal.example"), host="notportal.example") is None
    assert sent(cookie("a", domain=".example")) is None
    assert sent(cookie("a", domain=".0.0.1"), host="127.0.0.1") is None


def test_path_covers_its_folders() -> None:
    assert [
        sent(cookie("a", path="/case"), path=path) is not None for path in ("/case", "/case/1", "/cases", "/", "/CASE")
    ] == [True, True, False, False, False]
    assert sent(cookie("a", path="/case/"), path="/case/1") == b"a=1"


def test_longer_paths_come_first_and_then_older_cookies() -> None:
    first, second, deep = cookie("b"), cookie("a"), cookie("c", path="/case")
    assert sent(first, second, deep, cookie("b", "2"), path="/case") == b"c=1; b=2; a=1"


def test_expired_cookie_is_not_sent() -> None:
    assert sent(cookie("a", expires=int(NOW) + 1), cookie("b", expires=int(NOW))) == b"a=1"


def test_same_name_in_another_path_or_domain_is_another_cookie() -> None:
    jar = CookieJar((cookie("a"), cookie("a", path="/x"), cookie("a", domain=f".{HOST}"), cookie("a", "2")))
    assert len(jar) == 3
    jar.remove(cookie("a", "other value"))
    assert len(jar) == 2
    jar.clear()
    assert list(jar) == []


def test_oldest_cookies_of_a_domain_are_dropped_beyond_180() -> None:
    jar = CookieJar((cookie("other", domain="portal.example"), *(cookie(str(number)) for number in range(200))))
    assert [one.name for one in jar] == ["other", *map(str, range(20, 200))]


_WIRE = st.binary(min_size=1, max_size=20).filter(lambda wire: not set(wire) & set(b";\r\n\0"))


@given(_WIRE, _WIRE)
def test_any_bytes_are_sent_as_they_are(name: bytes, value: bytes) -> None:
    texts = (part.decode("utf-8", "surrogateescape") for part in (name, value))
    assert sent(cookie(*texts)) == name + b"=" + value


def test_values_do_not_show_in_the_repr() -> None:
    assert "secret" not in repr(cookie("a", "secret"))
