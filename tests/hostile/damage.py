"""Damage recorded answers, files, and letters: bytes, words, and values in JSON."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

Hurt: TypeAlias = Callable[[st.DrawFn, bytes], bytes]

_WORDS: Final = (
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"null",
    b"NaN",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"2026-13-45",
    b"0000-00-00T99:99:99Z",
    b'"',
    b"'",
    b"\\",
    b"\\ud800",
    b"[",
    b"{",
    b"]}",
    b"=",
    b"\r\n\r\n",
    b"</div>",
    b"<!--",
    b"<![CDATA[",
    b"&#x110000;",
    b"../../",
    b"https://elsewhere.example/",
    "\u202e\u2066\ufeff".encode(),
    "e\u0301".encode() * 40,
    b"A" * 3000,
    b"[" * 3000,
)
_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    10**30,
    1.5e308,
    "",
    "x" * 5000,
    "\u202e\0\ud7ff",
    "2026-02-30",
    "9999-12-31T23:59:59.999999+14:00",
    "0001-01-01T00:00:00-12:00",
    [],
    {},
    [[[[{}]]]],
    {"": None},
)


@st.composite
def damaged(draw: st.DrawFn, whole: Sequence[bytes]) -> bytes:
    """Generate one of these, damaged once or a few times."""
    body = draw(st.sampled_from(whole))
    for hurt in draw(st.lists(st.sampled_from(_HURTS), min_size=1, max_size=4)):
        body = hurt(draw, body)
    return body


def _cut(draw: st.DrawFn, body: bytes) -> bytes:
    return body[: draw(_place(body))]


def _drop(draw: st.DrawFn, body: bytes) -> bytes:
    start, end = sorted((draw(_place(body)), draw(_place(body))))
    return body[:start] + body[end:]


def _repeat(draw: st.DrawFn, body: bytes) -> bytes:
    start, end = sorted((draw(_place(body)), draw(_place(body))))
    return body[:start] + body[start:end][:2000] * draw(st.integers(2, 40)) + body[end:]


def _turn(draw: st.DrawFn, body: bytes) -> bytes:
    place = draw(_place(body))
    return body[:place] + bytes([draw(st.integers(0, 255))]) + body[place + 1 :]


def _insert(draw: st.DrawFn, body: bytes) -> bytes:
    place = draw(_place(body))
    return body[:place] + draw(st.sampled_from(_WORDS)) + body[place:]


def _recode(draw: st.DrawFn, body: bytes) -> bytes:
    charset = draw(st.sampled_from(["utf-16", "utf-32", "utf-7", "cp1252", "utf-8-sig"]))
    return body.decode("utf-8", "replace").encode(charset, "replace")


def _change_value(draw: st.DrawFn, body: bytes) -> bytes:
    """Replace or remove one value of a JSON document; leave anything else unchanged."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    nodes = list(_containers(document))
    if not nodes:
        return body
    node = draw(st.sampled_from(nodes))
    key = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
    if draw(st.booleans()):
        node[key] = draw(st.sampled_from(_VALUES))
    else:
        del node[key]
    return json.dumps(document).encode()


def _containers(node: Any) -> list[Any]:
    """Yield every non-empty list and object."""
    found, rest = [], [node]
    while rest:
        node = rest.pop()
        if isinstance(node, dict | list) and node:
            found.append(node)
            rest += node.values() if isinstance(node, dict) else node
    return found


def _place(body: bytes) -> st.SearchStrategy[int]:
    return st.integers(0, len(body))


_HURTS: Final[Sequence[Hurt]] = (_cut, _drop, _repeat, _turn, _insert, _recode, _change_value, _change_value)
