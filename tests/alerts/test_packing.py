from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts.packing import Form, Part, cut, pack
from watcher.alerts.text_blocks import as_plain

WORDS = st.text("abc ", min_size=1, max_size=60).map(str.strip).filter(bool)
PIECES = st.lists(WORDS, min_size=1, max_size=6).map(tuple)
LABELS = st.sampled_from(["", "Label"])
RANKS = st.integers(0, 3)
PARTS = st.lists(
    st.builds(Part, pieces=PIECES, rank=RANKS, rest=RANKS, label=LABELS)
    | st.builds(Part, pieces=PIECES, rank=RANKS, rest=RANKS, label=LABELS, form=st.just(Form.LINES))
    | st.builds(Part, pieces=st.tuples(WORDS, WORDS), rank=RANKS, form=st.just(Form.LINK)),
    max_size=6,
)
LIST = st.builds(Part, pieces=PIECES, rank=RANKS, form=st.just(Form.LINES), counted=st.sampled_from([True]))


def packed(*parts: Part, limit: int = 40) -> str:
    return as_plain(pack(parts, limit=limit, gap="\n", more=lambda number: f"and {number} more"), gap="\n")


@given(PARTS, LIST, st.integers(30, 300), st.sampled_from(["\n", "\n\n"]))
def test_parts_never_exceed_the_limit(parts: list[Part], counted: Part, limit: int, gap: str) -> None:
    blocks = pack([*parts, counted], limit=limit, gap=gap, more=lambda number: f"and {number} more")
    assert len(as_plain(blocks, gap=gap)) <= limit


def test_what_matters_most_is_kept_and_the_order_stays() -> None:
    fact, means = Part(pieces=("Fact.",), rank=0), Part(pieces=("What it means, at length and twice.",), rank=4)
    link = Part(pieces=("Site", "https://x.gov"), rank=0, form=Form.LINK)
    assert packed(fact, means, link) == "Fact.\nSite: https://x.gov"
    assert packed(fact, means, link, limit=80) == "Fact.\nWhat it means, at length and twice.\nSite: https://x.gov"


def test_text_is_left_out_by_whole_sentences() -> None:
    assert packed(Part(pieces=("One two.", "Three four five six.", "Seven."), rank=1), limit=12) == "One two."


def test_lines_that_are_left_out_are_counted() -> None:
    lines = Part(pieces=("first", "second", "third", "fourth", "fifth"), rank=1, form=Form.LINES, counted=True)
    assert packed(lines, limit=36) == "- first\n- second\n- and 3 more"


def test_a_part_that_must_be_there_is_cut_at_a_word() -> None:
    assert packed(Part(pieces=("word " * 20,), rank=0), limit=24) == "word word word word…"
    assert cut("one two three", 9) == "one two…"
    assert cut("short", 9) == "short"
