import tomllib
from datetime import date
from importlib import resources

import pytest

from watcher.language.status_meaning import meaning_of
from watcher.practice.state.wording import english_date, event_of, spanish_date, status_of

TITLES = tuple(tomllib.loads(resources.files("watcher.practice.state").joinpath("wording.toml").read_text("utf-8")))
DAY = date(2026, 7, 9)


@pytest.mark.parametrize("title", [title for title in TITLES if title != "*"])
def test_every_title_is_one_that_the_rules_for_stages_know(title: str) -> None:
    assert meaning_of(title).known


@pytest.mark.parametrize("title", TITLES)
def test_every_description_carries_its_date_and_number_in_both_languages(title: str) -> None:
    status = status_of(title, form="I-485", number="IOE0000000001", on=DAY)

    assert "July 9, 2026" in status.text_en
    assert "9 de julio de 2026" in status.text_es
    assert all("IOE0000000001" in text and "{" not in text for text in (status.text_en, status.text_es))
    assert status.title_es


@pytest.mark.parametrize("title", TITLES)
def test_every_status_leaves_a_sentence_in_the_history(title: str) -> None:
    event = event_of(title, key="1", form="I-485", on=DAY)

    assert all(text.endswith(".") and "{" not in text for text in (event.text_en, event.text_es))


def test_dates_are_written_out() -> None:
    assert english_date(date(2026, 12, 1)) == "December 1, 2026"
    assert spanish_date(date(2026, 12, 1)) == "1 de diciembre de 2026"
