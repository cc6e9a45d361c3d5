from datetime import date

import pytest

from watcher.model.case import HistoryEntry, Part, Snapshot, Stage
from watcher.text.printable import clean, printable, printable_fields

JOINED = "\N{ARABIC LETTER MEEM}\N{ZERO WIDTH NON-JOINER}\N{ARABIC LETTER MEEM}"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a  b", "a  b"),
        ("a\xa0b", "a\xa0b"),
        ("a\x1b]0;b\x07", "a]0;b"),
        ("a\u202eb\u200bc\ud800", "abc"),
        ("a\rb\nc\u2028d", "a b c d"),
        (JOINED, JOINED),
    ],
)
def test_printable_text_cannot_move_the_cursor(text: str, result: str) -> None:
    assert printable(text) == result


def test_clean_text_is_one_line() -> None:
    assert clean(" a\r\n\x85b\xa0 c\x00 ") == "a b c"


def test_printable_snapshot_is_returned_unchanged() -> None:
    snapshot = Snapshot(case_number="IOE0900000001", parts=(Part(key="a", title="A", status="open"),))
    assert printable_fields(snapshot) is snapshot


def test_every_text_of_a_snapshot_becomes_printable() -> None:
    day = date(2026, 7, 9)
    entries = (HistoryEntry(key="1\x07", title="Sent\x1b[2J", at=day), HistoryEntry(key="1\u202e", title="Sent"))
    snapshot = Snapshot(case_number="1\u200b2", status="In\nprogress\x07", stage=Stage.ISSUED, history=entries)

    assert printable_fields(snapshot) == Snapshot(
        case_number="12",
        status="In progress",
        stage=Stage.ISSUED,
        history=(
            HistoryEntry(key=r"1\x07", title="Sent[2J", at=day),
            HistoryEntry(key=r"1\u202e", title="Sent"),
        ),
    )


def test_texts_that_look_the_same_become_equal_at_every_depth() -> None:
    decomposed, composed = "Dossie\u0302 em ana\u0301lise", "Dossi\xea em an\xe1lise"
    part = Part(key=decomposed, title=decomposed, status=decomposed)
    snapshot = printable_fields(Snapshot(case_number="1", status=decomposed, parts=(part,)))
    assert snapshot == Snapshot(
        case_number="1", status=composed, parts=(Part(key=composed, title=composed, status=composed),)
    )
    assert clean(decomposed) == composed


@pytest.mark.parametrize("text", [JOINED, "a\xa0b", "caf\xe9\u3000b"])
def test_key_and_text_with_joiners_or_wide_spaces_stay_as_they_are(text: str) -> None:
    part = Part(key=text, title=text, status=text)
    assert printable_fields(Snapshot(case_number="1", parts=(part,))).parts == (part,)
