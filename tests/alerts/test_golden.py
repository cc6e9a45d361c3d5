"""The words of every kind of change, in every language, at every level of privacy, as they were read and approved.

After changing words on purpose: `UPDATE_GOLDEN=1 python -m pytest tests/render/test_golden.py`, then read what moved,
as somebody would who is worried about their case.
"""

import os
import re
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import CEAC, LINKS, examples
from watcher.alerts.digest import render_batch, render_digest
from watcher.alerts.rendering import render, summarize
from watcher.alerts.style import Privacy
from watcher.language.catalogue import LANGUAGES
from watcher.model.alert import AlertContext, AlertText

GOLDEN = Path(__file__).parents[1] / "golden"
ZONE = ZoneInfo("America/New_York")
PRIVACIES: tuple[Privacy, ...] = get_args(Privacy)


def told(occasion: AlertContext, privacy: Privacy, language: str) -> AlertText:
    return render(occasion, privacy=privacy, language=language, zone=ZONE)


def page(privacy: Privacy, language: str) -> str:
    words = {name: told(occasion, privacy, language) for name, occasion in examples().items()}
    several = [words["rfe_received"], words["stage_changed"], words["blind"]]
    words["a digest of three"] = render_digest(several, language=language)
    words["a flood of three"] = render_batch([words["status_changed"], *several[:2]], language=language)
    return "\n".join(_section(name, each) for name, each in words.items())


def _section(name: str, words: AlertText) -> str:
    return f"##### {name}\n\n{words.title}\n[{words.short}]\n\n{words.body}\n"


def golden(name: str, text: str) -> str:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("privacy", PRIVACIES)
def test_every_alert_reads_as_it_was_approved(privacy: Privacy, language: str) -> None:
    text = page(privacy, language)
    assert text == golden(f"alerts-{language}-{privacy}.txt", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_the_history_reads_as_it_was_approved(language: str) -> None:
    lines = [f"{name}\n    {summarize(each.changes[0], language)}\n" for name, each in examples().items()]
    text = "".join(lines)
    assert text == golden(f"history-{language}.txt", text)


def test_the_html_of_an_alert_reads_as_it_was_approved() -> None:
    text = told(examples()["stage_changed and rfe_received, one alert"], "full", "en").html + "\n"
    assert text == golden("alert-en-full.html", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("privacy", PRIVACIES)
@pytest.mark.parametrize("name", list(examples()))
def test_the_only_links_are_those_of_the_table(name: str, privacy: Privacy, language: str) -> None:
    words = told(examples()[name], privacy, language)
    table = {LINKS.sign_in, LINKS.help, LINKS.reset, CEAC.sign_in, CEAC.help}
    assert set(re.findall(r"\w+://\S+", words.body)) <= table
    assert "://" not in words.title + words.short
    assert set(re.findall(r'href="([^"]*)"', words.html)) <= table


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
def test_minimal_says_nothing_but_that_something_changed(name: str, language: str) -> None:
    minimal = told(examples()[name], "minimal", language)
    full = told(examples()[name], "full", language)
    assert minimal.title == minimal.short
    for telling in ("IOE", "0001", "USCIS", "I-485", "family", "https", full.title):
        assert telling not in minimal.title + minimal.body + minimal.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
def test_masked_shows_no_case_number_no_file_name_and_no_account(name: str, language: str) -> None:
    words = told(examples()[name], "masked", language)
    for text in (words.title, words.body, words.html, words.short):
        assert "0000001" not in text
        assert "MARIA" not in text
        assert "family" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
@pytest.mark.parametrize("privacy", PRIVACIES)
def test_no_template_shows_through_and_short_is_short(name: str, language: str, privacy: Privacy) -> None:
    words = told(examples()[name], privacy, language)
    assert len(words.short) <= 140
    assert len(words.title) <= 120
    for text in (words.title, words.body, words.short):
        assert not re.search(r"[{}\[\]]|  |\( |: ?\n\n|: ?\Z|,,|\bNone\b", text)
