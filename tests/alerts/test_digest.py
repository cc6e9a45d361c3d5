import pytest

from watcher.alerts.digest import MAX_CHAT_BYTES, render_batch, render_digest
from watcher.alerts.text_blocks import Paragraph, append_note, as_html, as_plain
from watcher.messages import LANGUAGES
from watcher.model.alert import AlertText

SITE = "Official site: https://my.uscis.gov/"


def alert(number: int, text: str = "Respond by March 26, 2026 (date from USCIS).") -> AlertText:
    blocks = [Paragraph(text), Paragraph("«Enviada»"), Paragraph(SITE)]
    title = f"IOE••••••{number:04} (I-485): USCIS asks for evidence"
    return AlertText(title=title, body=as_plain(blocks, gap="\n"), html=as_html(blocks), short=title)


def size(text: AlertText) -> int:
    return len(f"{text.title}\n\n{text.body}".encode())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [2, 12, 40, 200])
def test_digest_for_a_chat_fits_and_says_how_many_are_left_out(number: int, language: str) -> None:
    alerts = [alert(index) for index in range(number)]
    for text in (
        render_digest(alerts, language=language, max_bytes=MAX_CHAT_BYTES),
        render_batch(alerts, language=language, max_bytes=MAX_CHAT_BYTES),
    ):
        assert size(text) <= MAX_CHAT_BYTES
        named = sum(f"IOE••••••{index:04}" in text.body for index in range(number))
        assert named == number or f" {number - named} " in text.body.splitlines()[-1] or "more" not in text.body
        assert named >= min(number, 40)


def test_digest_names_every_alert_before_it_includes_one_completely() -> None:
    alerts = [alert(index, "A long text. " * 20) for index in range(30)]
    text = render_digest(alerts, language="en", max_bytes=MAX_CHAT_BYTES)
    assert all(f"IOE••••••{index:04}" in text.body for index in range(30))
    assert 5 < text.body.count("A long text. " * 20) < 30


def test_digest_for_email_has_no_limit_of_bytes_and_shows_the_site_once() -> None:
    text = render_digest([alert(index, "A long text. " * 50) for index in range(20)], language="en")
    assert size(text) > MAX_CHAT_BYTES
    assert text.body.count(SITE) == 1


def test_note_has_room_in_a_short_alert() -> None:
    full = AlertText(title="T", body="\n".join(["a" * 100, "b" * 100, "c" * 100, "d" * 40]), html="<p>x</p>", short="T")
    body = append_note(full, "A note of some length, too.").body
    assert len(body) <= 350
    assert body.startswith("a" * 100)
    assert body.endswith("\n".join(["d" * 40, "A note of some length, too."]))
