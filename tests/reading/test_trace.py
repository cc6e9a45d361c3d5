"""Saved answers contain no secrets."""

import json
import stat
from pathlib import Path

import pytest

from watcher.reading.trace import TraceFolder

SECRET = "correct horse battery"


def save(folder: Path, body: bytes, **extra_headers: str) -> tuple[dict[str, object], str]:
    """Save one answer and return the two files: its metadata and its body."""
    headers = {"content-type": "application/json", **extra_headers}
    url = f"https://portal.example/case?password={SECRET.replace(' ', '')}&q=1"
    TraceFolder(folder, {SECRET, SECRET.replace(" ", ""), "ab"}).save(
        "GET /case status", status=200, url=url, headers=headers, body=body
    )
    metadata, answer = sorted(folder.iterdir(), key=lambda file: not file.name.endswith(".answer.json"))
    return json.loads(metadata.read_text("utf-8")), answer.read_text("utf-8")


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
def test_secrets_and_tokens_are_blanked(tmp_path: Path, body: str) -> None:
    metadata, answer = save(tmp_path / "trace", body.encode(), authorization="Bearer " + SECRET, cookie="s=" + SECRET)
    output = json.dumps(metadata) + answer
    assert SECRET not in output
    assert SECRET[::-1] not in output
    assert SECRET.replace(" ", "") not in output
    assert "(blanked)" in answer


def test_everything_else_is_saved_verbatim(tmp_path: Path) -> None:
    metadata, answer = save(tmp_path / "trace", b'{"status": "Case Was Received, ab"}')
    assert (metadata["status"], answer) == (200, '{"status": "Case Was Received, ab"}')


def test_the_files_are_numbered_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "trace"
    trace = TraceFolder(folder, ())
    for _ in range(2):
        trace.save("a/b", status=200, url="https://x.example/", headers={}, body=b"x")
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["001-a-b.answer.json", "001-a-b.bin", "002-a-b.answer.json", "002-a-b.bin"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
