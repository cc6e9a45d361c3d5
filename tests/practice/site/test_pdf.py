import io

from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from watcher.practice.site.pdf import letter


def test_letter_opens_in_strict_mode_and_contains_its_text() -> None:
    reader = PdfReader(
        io.BytesIO(letter("Notice (Form I-797C)", ["Receipt number: IOE0000000001", r"a \ b"])), strict=True
    )
    text = reader.pages[0].extract_text()

    assert len(reader.pages) == 1
    assert "Notice (Form I-797C)" in text
    assert "IOE0000000001" in text
    assert r"a \ b" in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Notice (Form I-797C)"


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=4))
def test_any_text_makes_a_valid_letter(title: str, lines: list[str]) -> None:
    assert len(PdfReader(io.BytesIO(letter(title, lines)), strict=True).pages) == 1


def test_same_text_gives_the_same_bytes() -> None:
    assert letter("A", ["b"]) == letter("A", ["b"])
