"""The reviewed text of every kind of change, in every language and at every level of privacy.

After an intended change run `UPDATE_GOLDEN=1 python -m pytest tests/alerts/test_golden.py`, then read the differences
as somebody who is worried about their case would.
"""

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import CEAC, LINKS, LIST_PAGES, examples
from watcher.alerts.digest import render_batch, render_digest
from watcher.alerts.rendering import render, summarize
from watcher.alerts.style import Detail, Privacy
from watcher.messages import LANGUAGES
from watcher.model.alert import AlertContext, AlertText
from watcher.text.gsm import gsm_length, gsm_text, is_gsm
from watcher.text.item_marks import with_item_numbers

GOLDEN = Path(__file__).parents[1] / "golden"
ZONE = ZoneInfo("America/New_York")
PRIVACIES: tuple[Privacy, ...] = get_args(Privacy)


def rendered(context: AlertContext, privacy: Privacy, language: str, detail: Detail = "full") -> AlertText:
    """Return the text as a person gets it: the item has the number 3."""
    text = render(context, privacy=privacy, language=language, zone=ZONE, detail=detail)
    return AlertText(**{name: with_item_numbers(part, {"n-1": 3}) for name, part in asdict(text).items()})


def page(privacy: Privacy, language: str) -> str:
    short, full = texts(privacy, language, "short"), texts(privacy, language, "full")
    return "\n".join(_section(name, text, full[name]) for name, text in short.items())


def texts(privacy: Privacy, language: str, detail: Detail) -> dict[str, AlertText]:
    texts = {name: rendered(context, privacy, language, detail) for name, context in examples().items()}
    several = [texts["rfe_received"], texts["stage_changed"], texts["blind"]]
    texts["a digest of three"] = render_digest(several, language=language)
    texts["a flood of three"] = render_batch([texts["status_changed"], *several[:2]], language=language)
    return texts


def _section(name: str, short: AlertText, full: AlertText) -> str:
    in_full = f"\n--- in full\n\n{full.body}\n" if full.body != short.body else ""
    return f"##### {name}\n\n{short.title}\n[{short.short}]\n\n{short.body}\n{in_full}"


def golden(name: str, text: str) -> str:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("privacy", PRIVACIES)
def test_alert_text_is_unchanged(privacy: Privacy, language: str) -> None:
    text = page(privacy, language)
    assert text == golden(f"alerts-{language}-{privacy}.txt", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_history_lines_are_unchanged(language: str) -> None:
    lines = [
        f"{name}\n    {summarize(context.changes[0], language, agency=context.agency)}\n"
        for name, context in examples().items()
    ]
    text = "".join(lines)
    assert text == golden(f"history-{language}.txt", text)


def test_html_of_an_alert_is_unchanged() -> None:
    text = rendered(examples()["stage_changed and rfe_received, one alert"], "full", "en").html + "\n"
    assert text == golden("alert-en-full.html", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("privacy", PRIVACIES)
@pytest.mark.parametrize("name", list(examples()))
def test_alert_contains_only_links_from_the_fixed_table(name: str, privacy: Privacy, language: str) -> None:
    alert = rendered(examples()[name], privacy, language)
    table = {LINKS.sign_in, LINKS.help, LINKS.reset, CEAC.sign_in, CEAC.help, *LIST_PAGES}
    assert set(re.findall(r"\w+://\S+", alert.body)) <= table
    assert "://" not in alert.title + alert.short
    assert set(re.findall(r'href="([^"]*)"', alert.html)) <= table


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
def test_minimal_text_says_only_that_something_changed(name: str, language: str) -> None:
    minimal = rendered(examples()[name], "minimal", language)
    full = rendered(examples()[name], "full", language)
    assert minimal.short == gsm_text(minimal.title)
    for detail in ("IOE", "0001", "USCIS", "I-485", "family", "https", full.title):
        assert detail not in minimal.title + minimal.body + minimal.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
def test_masked_text_shows_no_case_number_file_name_or_account(name: str, language: str) -> None:
    alert = rendered(examples()[name], "masked", language)
    for text in (alert.title, alert.body, alert.html, alert.short):
        assert "0000001" not in text
        assert "MARIA" not in text
        assert "family" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(examples()))
@pytest.mark.parametrize("privacy", PRIVACIES)
@pytest.mark.parametrize("detail", get_args(Detail))
def test_text_has_no_template_syntax_and_respects_length_limits(
    name: str, language: str, privacy: Privacy, detail: Detail
) -> None:
    alert = rendered(examples()[name], privacy, language, detail)
    assert is_gsm(alert.short)
    assert gsm_length(alert.short) <= 160
    assert len(alert.title) <= 65
    assert len(alert.body) <= (350 if detail == "short" else 1_500)
    for text in (alert.title, alert.body, alert.short):
        assert not re.search(r"[{}\[\]]|  |\( |: ?\n\n|: ?\Z|,,|\bNone\b", text)
