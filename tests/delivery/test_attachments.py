"""How much goes along with one message."""

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
from watcher.language.catalogue import LANGUAGES
from watcher.model.alert import AlertText
from watcher.model.case import Notice
from watcher.model.ledger import TrackedNotice
from watcher.settings import ChannelSettings

CHANNEL = ChannelSettings(name="phone", url=SecretStr("json://127.0.0.1/"), attach_notices=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def letters(folder: Path, *sizes: int) -> list[TrackedNotice]:
    made = []
    for number, size in enumerate(sizes, start=1):
        file = folder / f"{number}.pdf"
        with file.open("wb") as opened:
            opened.truncate(size)
        notice = Notice(key=str(number), title="Letter", download="/letter")
        made.append(
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
    return made


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ((1000,), ["1.pdf"]),
        ((MAX_BYTES,), ["1.pdf"]),
        ((MAX_BYTES + 1,), []),
        ((MAX_BYTES - 10, 11, 9), ["1.pdf", "3.pdf"]),
        ((1,) * (MAX_FILES + 1), [f"{number}.pdf" for number in range(1, MAX_FILES + 1)]),
    ],
)
def test_what_does_not_fit_is_left_out_and_said_to_be_lacking(
    tmp_path: Path, sizes: tuple[int, ...], taken: list[str]
) -> None:
    found = select_attachments(letters(tmp_path, *sizes), CHANNEL, tmp_path, can_attach=True, attempts=0)
    assert [file.name for file in found.files] == taken
    assert found.has_missing == (len(taken) < len(sizes))


def test_a_service_without_attachments_gets_none_and_neither_does_one_that_failed_with_them(tmp_path: Path) -> None:
    kept = letters(tmp_path, 10)
    assert select_attachments(kept, CHANNEL, tmp_path, can_attach=False, attempts=0).has_missing
    found = select_attachments(kept, CHANNEL, tmp_path, can_attach=True, attempts=MAX_ATTEMPTS)
    assert (found.files, found.has_missing) == ((), True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_stands_in_the_plain_text_and_in_the_html(language: str) -> None:
    words = with_missing_letter_note(AlertText(title="t", body="b", html="<p>b</p>", short="s"), language=language)
    assert (words.title, words.short) == ("t", "s")
    assert words.body.startswith("b\n\n")
    assert len(words.body) > 20
    assert words.html.startswith("<p>b</p>\n<p>")
