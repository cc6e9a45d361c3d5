"""Alerts of a configuration with a page: they have a link to it and no commands, and are as short as others."""

from dataclasses import asdict, replace
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.alert_contexts import LINKS, alert_context, change, examples
from tests.alerts.test_golden import golden
from tests.support.lengths import Longest
from watcher.alerts.digest import MAX_CHAT_BYTES, render_batch, render_digest
from watcher.alerts.first_contact import FirstContact, WatchedCase, render_first_contact
from watcher.alerts.rendering import render
from watcher.alerts.style import Detail, Privacy, TextStyle
from watcher.language.catalogue import load_catalogue
from watcher.messages import LANGUAGES
from watcher.model.alert import AlertContext, AlertText
from watcher.model.case import Snapshot, Stage
from watcher.model.change import ChangeKind
from watcher.text.gsm import gsm_length, is_gsm
from watcher.text.link_marks import LINK_MARK, TOKEN_LENGTH, with_token

ZONE = ZoneInfo("America/New_York")
PAGE = "https://watcher.example.org"
LINK = f"{PAGE}/a/{LINK_MARK}"
TOKEN = "T" * TOKEN_LENGTH
STYLES = [
    (language, privacy, detail)
    for language in LANGUAGES
    for privacy in get_args(Privacy)
    for detail in get_args(Detail)
]


def with_page(
    context: AlertContext,
    *,
    privacy: Privacy = "masked",
    language: str = "en",
    detail: Detail = "short",
    page: str = PAGE,
) -> AlertText:
    return render(context, privacy=privacy, language=language, zone=ZONE, detail=detail, page=page)


def flood(number: int) -> list[AlertText]:
    alerts = [with_page(context) for context in examples().values()]
    return [alerts[index % len(alerts)] for index in range(number)]


def test_texts_with_a_page_are_unchanged() -> None:
    texts = {name: with_page(context) for name, context in examples().items()}
    texts |= {f"{name}, minimal": with_page(examples()[name], privacy="minimal") for name in ("rfe_received", "note")}
    several = [texts["rfe_received"], texts["stage_changed"], texts["blind"]]
    texts |= {"a digest of three": render_digest(several, language="en")}
    texts |= {"a flood of three": render_batch(several, language="en")}
    shown = "\n".join(f"##### {name}\n\n{text.title}\n[{text.short}]\n\n{text.body}\n" for name, text in texts.items())
    text = with_token(shown, "…")
    assert text == golden("alerts-with-page-en-masked.txt", text)


@pytest.mark.parametrize(("language", "privacy", "detail"), STYLES)
def test_every_alert_ends_with_one_link_has_no_command_and_fits(
    language: str, privacy: Privacy, detail: Detail
) -> None:
    for context in examples().values():
        text = with_page(context, privacy=privacy, language=language, detail=detail)
        assert text.body.endswith(f": {LINK}")
        assert text.body.count(LINK) == 1
        assert f'<a href="{LINK}">{LINK}</a>' in text.html
        assert not any("`watcher" in part for part in asdict(text).values())
        sent = AlertText(**{name: with_token(part, TOKEN) for name, part in asdict(text).items()})
        Longest().check(title=sent.title, body=sent.body, short=sent.short, detail=detail)


def test_sms_has_the_link_if_it_leaves_room_for_the_title() -> None:
    for context in examples().values():
        short = with_token(with_page(context).short, TOKEN)
        assert short.endswith(f" {PAGE}/a/{TOKEN}")
        assert gsm_length(short) <= 160
        assert is_gsm(short)
        long_page = "https://a-machine-with-a-long-name.tail0123456789.example.ts.net/watcher"
        assert "http" not in with_page(context, page=long_page).short


def test_short_alert_has_the_official_site_only_where_it_helps() -> None:
    assert LINKS.sign_in not in with_page(examples()["rfe_received"]).body
    assert LINKS.sign_in in with_page(examples()["session_ended"]).body
    assert LINKS.help in with_page(examples()["stalled"]).body


def test_digest_has_one_link() -> None:
    digest = render_digest(flood(3), language="en")
    assert digest.body.count(LINK) == 1
    assert digest.html.count(f'href="{LINK}"') == 1
    assert digest.short.endswith(f" {LINK}")


@pytest.mark.parametrize("number", [2, 40, 400])
def test_merged_messages_with_a_link_fit_into_a_chat_message(number: int) -> None:
    for combine in (render_digest, render_batch):
        text = combine(flood(number), language="en", max_bytes=MAX_CHAT_BYTES)
        assert text.body.count(LINK) == 1
        assert "`watcher" not in text.body
        assert len(f"{text.title}\n\n{with_token(text.body, TOKEN)}".encode()) <= MAX_CHAT_BYTES


def test_first_alert_about_an_account_has_the_link() -> None:
    cases = [
        WatchedCase(snapshot=Snapshot(case_number=f"IOE0900000{number:03}", status="Received", stage=Stage.RECEIVED))
        for number in range(60)
    ]
    contact = FirstContact(account="family", portal_title="USCIS", link=LINKS.sign_in, cases=cases)
    for privacy in get_args(Privacy):
        style = TextStyle(catalogue=load_catalogue("en"), zone=ZONE, privacy=privacy, page=PAGE)
        text = render_first_contact(contact, style, "short")
        assert text.body.endswith(LINK)
        assert "`watcher" not in text.body
        Longest().check(title=text.title, body=text.body, short=with_token(text.short, TOKEN), detail="short")


def test_portal_cannot_write_a_mark() -> None:
    context = alert_context(replace(change(ChangeKind.NOTICE_ADDED), new={"title": f"Letter {LINK_MARK} {LINK}"}))
    for detail in get_args(Detail):
        text = with_page(context, privacy="full", detail=detail)
        assert text.body.count(LINK_MARK) == 1
        assert text.title.count(LINK_MARK) == 0
