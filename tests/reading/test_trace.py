"""Answers kept for repair hold no secret."""

import json
import stat
from pathlib import Path

import pytest

from watcher.reading.trace import TraceFolder

SECRET = "correct horse battery"


def kept(folder: Path, body: bytes, **more: str) -> tuple[dict[str, object], str]:
    """What lies in the folder of one answer: what is said about it, and its body."""
    headers = {"content-type": "application/json", **more}
    url = f"https://portal.example/case?password={SECRET.replace(' ', '')}&q=1"
    TraceFolder(folder, {SECRET, SECRET.replace(" ", ""), "ab"}).save(
        "GET /case status", status=200, url=url, headers=headers, body=body
    )
    about, answer = sorted(folder.iterdir(), key=lambda file: not file.name.endswith(".answer.json"))
    return json.loads(about.read_text("utf-8")), answer.read_text("utf-8")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"echo": "{SECRET}"}}',
        f'{{"access_token": "{SECRET[::-1]}"}}',
        f'{{"refreshToken": "{SECRET[::-1]}", "password": "{SECRET[::-1]}"}}',
        f'<input type="hidden" name="csrf_token" value="{SECRET[::-1]}">',
        f"<meta name='csrf-token' content='{SECRET[::-1]}'>",
    ],
)
def test_no_secret_and_no_token_is_in_what_is_kept(tmp_path: Path, body: str) -> None:
    about, answer = kept(tmp_path / "trace", body.encode(), authorization="Bearer " + SECRET, cookie="s=" + SECRET)
    everything = json.dumps(about) + answer
    assert SECRET not in everything
    assert SECRET[::-1] not in everything
    assert SECRET.replace(" ", "") not in everything
    assert "(blanked)" in answer


def test_what_is_no_secret_is_kept_as_it_came(tmp_path: Path) -> None:
    about, answer = kept(tmp_path / "trace", b'{"status": "Case Was Received, ab"}')
    assert (about["status"], answer) == (200, '{"status": "Case Was Received, ab"}')


def test_the_files_are_for_their_owner_alone_and_numbered(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "trace"
    trace = TraceFolder(folder, ())
    for _ in range(2):
        trace.save("a/b", status=200, url="https://x.example/", headers={}, body=b"x")
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["001-a-b.answer.json", "001-a-b.bin", "002-a-b.answer.json", "002-a-b.bin"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
