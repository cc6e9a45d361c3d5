"""The token of a form is found however the body arrives, and the page still receives the whole body."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from watcher.privacy.web_tokens import form_token
from watcher.web.form_token import has_token

TOKEN = form_token("made up")
TYPES = URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=----made-up"


def multipart(*parts: tuple[str, bytes]) -> bytes:
    start = b'------made-up\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(start % (name.encode(), value) for name, value in parts) + b"------made-up--\r\n"


def received(content_type: str, body: bytes, sizes: list[int]) -> tuple[bool, bytes]:
    """Send a body in chunks of these sizes; return whether it has the token, and what the page receives."""
    chunks = [body[sum(sizes[:index]) : sum(sizes[: index + 1])] for index in range(len(sizes))]
    chunks.append(body[sum(sizes) :])
    messages = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def take() -> tuple[bool, bytes]:
        found, again = await has_token(Headers({"content-type": content_type}), receive, TOKEN)
        content, more = b"", True
        while more:
            message = await again()
            content, more = content + message["body"], message["more_body"]
        return found, content

    return asyncio.run(take())


sizes = st.lists(st.integers(0, 400), max_size=6)


@settings(max_examples=40)
@given(sizes=sizes, text=st.text(max_size=200), is_ours=st.booleans())
def test_field_is_found_in_any_chunks(sizes: list[int], text: str, *, is_ours: bool) -> None:
    token = TOKEN if is_ours else form_token("another")
    body = urlencode({"csrf": token, "text": text}).encode()
    assert received(URLENCODED, body, sizes) == (is_ours, body)


@settings(max_examples=40)
@given(sizes=sizes, content=st.binary(max_size=9000), is_first=st.booleans())
def test_first_part_is_found_in_any_chunks(sizes: list[int], content: bytes, *, is_first: bool) -> None:
    parts = [("csrf", TOKEN.encode()), ("file", content)]
    body = multipart(*(parts if is_first else reversed(parts)))
    assert received(MULTIPART, body, sizes) == (is_first, body)


@settings(max_examples=60)
@given(
    st.sampled_from([URLENCODED, MULTIPART, "multipart/form-data", "text/plain", ""]), st.binary(max_size=300), sizes
)
def test_other_bodies_have_no_token_and_arrive_whole(content_type: str, body: bytes, sizes: list[int]) -> None:
    assert received(content_type, body, sizes) == (False, body)
