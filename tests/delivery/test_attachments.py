"""The letters attached to one message."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from watcher.delivery.attachments import (
    MAX_ATTEMPTS,
    MAX_BYTES,
    MAX_FILES,
    select_attachments,
    with_missing_letter_note,
)
from watcher.messages import LANGUAGES
from watcher.model.alert import AlertText
from watcher.model.case import Notice
from watcher.model.ledger import TrackedNotice
from watcher.settings import ChannelSettings

CHANNEL = ChannelSettings(name="phone", url=SecretStr("json://127.0.0.1/"), attach_notices=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def letters(folder: Path, *sizes: int) -> list[TrackedNotice]:
    notices = []
    for number, size in enumerate(sizes, start=1):
        file = folder / f"{number}.pdf"
        with file.open("wb") as stream:
            stream.truncate(size)
        notice = Notice(key=str(number), title="Letter", download="/letter")
        notices.append(
            TrackedNotice(
                id=number,
                account="a",
                case_number="1",
                notice=notice,
                first_seen_at=NOW,
                saved_as=file.name,
                sha256="-",
            )
        )
    return notices


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((1000,), ["1.pdf"]),
        ((MAX_BYTES,), ["1.pdf"]),
        ((MAX_BYTES + 1,), []),
        ((MAX_BYTES - 10, 11, 9), ["1.pdf", "3.pdf"]),
        ((1,) * (MAX_FILES + 1), [f"{number}.pdf" for number in range(1, MAX_FILES + 1)]),
    ],
)
def test_letters_beyond_the_limits_are_left_out_and_reported_missing(
    tmp_path: Path, sizes: tuple[int, ...], expected: list[str]
) -> None:
    attachments = select_attachments(letters(tmp_path, *sizes), CHANNEL, tmp_path, can_attach=True, attempts=0)
    assert [file.name for file in attachments.files] == expected
    assert attachments.has_missing == (len(expected) < len(sizes))


def test_no_letters_without_support_or_after_repeated_failures(tmp_path: Path) -> None:
    notices = letters(tmp_path, 10)
    assert select_attachments(notices, CHANNEL, tmp_path, can_attach=False, attempts=0).has_missing
    attachments = select_attachments(notices, CHANNEL, tmp_path, can_attach=True, attempts=MAX_ATTEMPTS)
    assert (attachments.files, attachments.has_missing) == ((), True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_note_is_added_to_the_plain_text_and_the_html(language: str) -> None:
    text = with_missing_letter_note(AlertText(title="t", body="b", html="<p>b</p>", short="s"), language=language)
    assert (text.title, text.short) == ("t", "s")
    assert text.body.startswith("b\n")
    assert len(text.body) > 20
    assert text.html.startswith("<p>b</p>\n<p>")
