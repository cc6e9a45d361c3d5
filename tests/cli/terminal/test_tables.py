import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.cli.terminal.tables import aligned, cut_to, width_of, wrapped

few = settings(max_examples=50, deadline=None)
cells = st.text(alphabet="ab é\u0301王秀👩\u200d\n", max_size=30)


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("王秀英", 6), ("e\u0301", 1), ("\x1b[31mred\x1b[0m", 3), ("", 0)]
)
def test_width_is_that_on_a_terminal(text: str, width: int) -> None:
    assert width_of(text) == width


@few
@given(cells, st.integers(min_value=1, max_value=40))
def test_cut_text_is_not_wider_and_only_a_cut_one_has_an_ellipsis(text: str, width: int) -> None:
    cut = cut_to(text, width)
    assert width_of(cut) <= width
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@few
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=5))
def test_columns_begin_at_the_same_place_in_every_line_and_fit(rows: list[tuple[str, str, str]]) -> None:
    marked = [(f"|{one}", f"|{two}", "|end") for one, two, _ in rows]
    lines = aligned(("A", "B", "C"), marked, flexible=(0, 1), width=40)
    assert all(width_of(line) <= 40 for line in lines)
    starts = {width_of(line[: line.rindex("|end")]) for line in lines[1:]}
    assert len(starts) == 1


def test_rigid_columns_are_never_cut() -> None:
    head, line = aligned(("NUMBER", "TITLE"), [("IOE0900000001", "t" * 100)], flexible=(1,), width=30)
    assert line == f"IOE0900000001  {'t' * 14}…"
    assert head == "NUMBER         TITLE"


@few
@given(cells, st.integers(min_value=5, max_value=40))
def test_wrapped_lines_have_all_words_and_break_only_between_them(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(width_of(line) <= width or len(line.split()) == 1 for line in lines)
