"""The request that follows a redirect."""

import httpx
import pytest

from watcher.http.redirects import next_request


@pytest.mark.parametrize("status", [302, 303, 307])
def test_redirect_is_followed_although_a_cookie_has_a_byte_beyond_ascii(status: int) -> None:
    request = httpx.Request("GET", "https://portal.example/cases", headers={"Accept": "text/html"})
    request.headers.update(httpx.Headers([(b"Cookie", b"a b=\xe9")]))
    following = next_request(request, status, "/login")
    assert str(following.url) == "https://portal.example/login"
    assert following.headers["accept"] == "text/html"
    assert "cookie" not in following.headers  # the client adds those of the new address
