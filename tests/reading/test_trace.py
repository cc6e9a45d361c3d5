"""Saved answers contain no secrets."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from watcher.privacy.redaction import BLANK, register_secret
from watcher.reading.trace import TraceFolder

SECRET = "correct horse battery"
TOKEN = "made-up-token-7"


@pytest.fixture(autouse=True)
def registered() -> None:
    register_secret(SECRET)


def save(folder: Path, body: bytes, *, url: str = "https://portal.example/case?q=1", **extra: str) -> tuple[Any, str]:
    """Save one answer and return the two files: its metadata and its body."""
    headers = {"content-type": "text/html", **{name.replace("_", "-"): value for name, value in extra.items()}}
    TraceFolder(folder).save("GET /case status", status=200, url=url, headers=headers, body=body)
    metadata, answer = sorted(folder.iterdir(), key=lambda file: not file.name.endswith(".answer.json"))
    return json.loads(metadata.read_text("utf-8")), answer.read_bytes().decode("latin-1")


@pytest.mark.parametrize("body", [f'{{"echo": "{SECRET}"}}', f"<p>{SECRET}", f'{{"access_token": "{TOKEN}"}}'])
def test_secrets_and_tokens_are_blanked(tmp_path: Path, body: str) -> None:
    metadata, answer = save(tmp_path / "trace", body.encode(), authorization="Bearer " + SECRET, cookie="s=" + TOKEN)
    assert SECRET not in json.dumps(metadata) + answer
    assert TOKEN not in json.dumps(metadata) + answer
    assert BLANK in answer


def test_only_headers_that_describe_the_answer_keep_their_values(tmp_path: Path) -> None:
    metadata, _ = save(
        tmp_path / "trace",
        b"",
        server="nginx",
        retry_after="60",
        x_request="abc",
        location=f"/cb?code={TOKEN}&page=2#id_token={TOKEN}",
    )
    assert metadata["headers"] == {
        "content-type": "text/html",
        "server": "nginx",
        "retry-after": "60",
        "x-request": BLANK,
        "location": f"/cb?code={BLANK}&page={BLANK}",
    }


def test_address_keeps_the_names_of_its_query_only(tmp_path: Path) -> None:
    url = f"https://portal.example/a;jsessionid={TOKEN}?page=2&q&code={TOKEN}#{TOKEN}"
    metadata, _ = save(tmp_path / "trace", b"", url=url)
    assert metadata["url"] == (f"https://portal.example/a;jsessionid={BLANK}?page={BLANK}&q={BLANK}&code={BLANK}")


@pytest.mark.parametrize(
    "headers",
    [
        {"set_cookie": f"a=dark; Path=/, sid={TOKEN}; HttpOnly"},
        {"x_auth_token": TOKEN},
        {"x_session_id": TOKEN},
        {"authentication_info": f'nextnonce="{TOKEN}"'},
        {"location": f"/cb?code={TOKEN}"},
    ],
)
def test_token_of_a_header_is_blanked_where_the_page_repeats_it(tmp_path: Path, headers: dict[str, str]) -> None:
    _, answer = save(tmp_path / "trace", f"<a href='/x/{TOKEN}'>dark</a>".encode(), **headers)
    assert answer == f"<a href='/x/{BLANK}'>dark</a>"


def test_token_of_an_earlier_answer_is_blanked(tmp_path: Path) -> None:
    trace = TraceFolder(tmp_path / "trace")
    for body in (f'{{"access_token": "{TOKEN}"}}', f"<p>{TOKEN}</p>"):
        trace.save("GET /", status=200, url="https://x.example/", headers={}, body=body.encode())
    assert TOKEN.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "trace").iterdir())


@pytest.mark.parametrize(
    ("charset", "content_type"),
    [("utf-8", "text/html"), ("cp1252", "text/html"), ("utf-16", "text/html; charset=UTF-16")],
)
def test_secret_is_found_in_the_charset_of_the_page(tmp_path: Path, charset: str, content_type: str) -> None:
    register_secret("contrase\xf1a-7")
    _, answer = save(tmp_path / "trace", "<p>\xe9 contrase\xf1a-7".encode(charset), content_type=content_type)
    assert answer.encode("latin-1").decode(charset) == f"<p>\xe9 {BLANK}"


def test_everything_else_is_saved_verbatim(tmp_path: Path) -> None:
    body = bytes(range(256))
    metadata, answer = save(tmp_path / "trace", body)
    assert (metadata["status"], answer.encode("latin-1")) == (200, body)


def test_the_files_are_numbered_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "trace"
    trace = TraceFolder(folder)
    for _ in range(2):
        trace.save("a/b", status=200, url="https://x.example/", headers={}, body=b"x")
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["001-a-b.answer.json", "001-a-b.bin", "002-a-b.answer.json", "002-a-b.bin"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_folder_of_a_trace_is_open_to_others_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        TraceFolder(tmp_path / "deep" / "trace")
    finally:
        os.umask(umask)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.rglob("*")} == {0o700}
