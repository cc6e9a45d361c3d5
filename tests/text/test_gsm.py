# ruff: noqa: RUF001 - the tests are about characters that look like others
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.gsm import MAX_SMS_LENGTH, gsm_length, gsm_text, is_gsm


@given(st.text(max_size=400))
def test_any_text_fits_into_one_sms(text: str) -> None:
    converted = gsm_text(text)
    assert is_gsm(converted)
    assert gsm_length(converted) <= MAX_SMS_LENGTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IOE••••••0001 (I-485): “Approved”", 'IOE..0001 (I-485): "Approved"'),
        ("« Délivré » à Orléans, 1er août", '"Délivré" à Orléans, 1er aout'),
        ("Número no encontrado: ¿está bien?", "Número no encontrado: ¿esta bien?".replace("ú", "u")),
        ("Привет", "??????"),
        ("‹b› and ＜b＞", "(b) and ?b?"),
        ("tomorrow…", "tomorrow..."),
    ],
)  # fmt: skip
def test_characters_beyond_the_alphabet_are_replaced(text: str, expected: str) -> None:
    assert gsm_text(text) == expected


def test_characters_of_the_extension_table_count_twice() -> None:
    assert gsm_length("a{}€") == 7
    assert gsm_text("€" * 81).endswith("...")
    assert gsm_text("€" * 80) == "€" * 80
