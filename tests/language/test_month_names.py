"""The names of months in many languages."""

import re

import pytest
from babel import Locale

from watcher.language.month_names import month_names, month_number

LANGUAGES = "ar bg ca cs da de el en es et fi fr hu id is it lt lv nb nl pl pt ro ru sk sl sv tl tr uk"


def test_every_language_has_twelve_months() -> None:
    assert sorted(month_names()) == LANGUAGES.split()
    assert {len(months) for months in month_names().values()} == {12}


def test_every_name_means_one_month_in_all_languages() -> None:
    for language, months in month_names().items():
        for number, names in enumerate(months, start=1):
            assert names, language
            for name in names:
                assert {month_number(form) for form in (name, name.upper(), name.title(), f"{name}.")} == {number}, name


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_every_name_of_cldr_is_known(language: str) -> None:
    locale = Locale.parse("fil" if language == "tl" else language)
    for months in locale.months.values():
        for number, name in (*months["wide"].items(), *months["abbreviated"].items()):
            assert month_number(re.sub(r"^(?:de |d\W)", "", name)) == number, name  # Catalan: "de març"


@pytest.mark.parametrize("name", ["", ".", "x", "1", "listo", "mars 2026"])
def test_other_words_are_no_months(name: str) -> None:
    assert month_number(name) is None
