import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.privacy.masking import mask_case_number, mask_numbers


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("IOE0000000001", "IOE••••••0001"),
        ("EAC*999910001", "EAC••••••0001"),
        ("E000000001", "E•••••0001"),
        ("AA00ABCD0E", "AA••••CD0E"),
        ("CDJ2022123456", "CDJ••••••3456"),
        ("1100000001", "••••••0001"),
        ("12345678", "••••••78"),
        ("1234", "••••"),
        ("", "••••"),
        ("MARIA SAMPLE", "••••••••••••"),
        ("Maria2020", "•••••2020"),
    ],
)
def test_middle_of_a_number_is_hidden(number: str, masked: str) -> None:
    assert mask_case_number(number) == masked


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="•"), max_size=40))
def test_at_least_four_characters_are_hidden(number: str) -> None:
    masked = mask_case_number(number)
    assert masked.count("•") >= min(4, len(number))
    assert len(masked) >= len(number)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Receipt Number IOE0000000001, thanks", "Receipt Number IOE••••••0001, thanks"),
        ("receipt IOE 0000000001", "receipt IOE•••••••0001"),
        ("A-number A012345678", "A-number A•••••5678"),
        ("UCI 11-0000-0001", "UCI ••••••••0001"),
        ("tracking 9400111899223817", "tracking ••••••••••••3817"),
        ("Form I-485 of 2026-07-09, 30 days", "Form I-485 of 2026-07-09, 30 days"),
    ],
)
def test_numbers_in_a_text_are_masked_and_the_rest_is_unchanged(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


def test_known_number_is_masked_whatever_it_looks_like() -> None:
    assert mask_numbers("about case Maria-2, again Maria-2", "Maria-2") == f"about case {'•' * 5}-2, again {'•' * 5}-2"
