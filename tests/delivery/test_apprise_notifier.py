"""`AppriseNotifier` against servers on loopback. Tests with third-party servers are in `tests/servers/`."""

import importlib
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from pydantic import SecretStr

from tests.servers.webhook import Webhook, webhook
from watcher.delivery.apprise_notifier import AppriseNotifier, check_url
from watcher.delivery.channel_url import delivery_caveat, schema
from watcher.delivery.message_traits import Traits
from watcher.errors import DeliveryFailed
from watcher.model.change import Severity

TEXT = {
    "title": "I-485: *asked* for :smile: evidence",
    "body": "Line one\\n is no line break.\n# no heading, #no tag, [no](http://link), <b>no markup</b> & _none_",
    "html": "<p>Line <b>one</b></p>",
    "short": "I-485: evidence asked for",
}
SECRET = "canaryToken42"


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


class Inbox(MessageHandler):
    """A mail server's inbox."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    def prepare_message(self, _session: Any, envelope: Any) -> Message:
        return message_from_bytes(envelope.content)

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)


@pytest.fixture
def mail_server() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


def send(url: str, *, timeout: float = 20, attachments: tuple[Path, ...] = (), **text: Any) -> None:
    AppriseNotifier(timeout=timeout).send(SecretStr(url), **TEXT | text, attachments=attachments)


def failure(url: str, *, timeout: float = 20) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as raised:
        send(url, timeout=timeout)
    return raised.value


def test_text_arrives_unchanged(hook: Webhook) -> None:
    send(f"json://{hook.host}/hook")
    (message,) = hook.messages
    assert (message["title"], message["message"]) == (TEXT["title"], TEXT["body"])


def test_url_cannot_enable_emojis_or_escapes(hook: Webhook) -> None:
    send(f"json://{hook.host}/hook?emojis=yes")
    (message,) = hook.messages
    assert (message["title"], message["message"]) == (TEXT["title"], TEXT["body"])


def test_message_refers_to_no_icon_of_a_third_party(hook: Webhook) -> None:
    send(f"ntfy://{hook.host}/topic?image=yes")
    ((_, headers, body),) = hook.requests
    assert "http" not in " ".join([*headers.values(), body.decode()]).replace("http://link", "")


def test_text_is_escaped_for_a_service_that_uses_markdown(hook: Webhook) -> None:
    send(f"rocket://{'a' * 20}%2F{'b' * 40}@{hook.host}/#room?mode=webhook")
    ((_, _, body),) = hook.requests
    assert r"\[no\]\(http://link\)" in body.decode().replace("\\\\", "\\")


def test_sms_has_the_short_text(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.freemobile import NotifyFreeMobile  # noqa: PLC0415 - Apprise is imported late on purpose

    monkeypatch.setattr(NotifyFreeMobile, "notify_url", f"http://{hook.host}/sms")
    send("freemobile://12345678@abcdefgh")
    ((_, _, body),) = hook.requests
    assert b"evidence asked for" in body
    assert b"heading" not in body


def test_email_has_the_html(mail_server: tuple[Inbox, int]) -> None:
    inbox, port = mail_server
    send(f"mailto://127.0.0.1:{port}/to@example.org?from=from@example.org&mode=insecure")
    (mail,) = inbox.mails
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()}
    assert TEXT["html"].encode() in (parts["text/html"] or b"")
    assert str(mail["Subject"]).startswith("I-485")


def test_email_is_plain_text_if_the_url_says_so(mail_server: tuple[Inbox, int]) -> None:
    inbox, port = mail_server
    send(f"mailto://127.0.0.1:{port}/to@example.org?from=from@example.org&mode=insecure&format=text")
    (mail,) = inbox.mails
    types = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert types == ["text/plain"]


def test_attachment_arrives_and_a_missing_one_is_left_out(mail_server: tuple[Inbox, int], tmp_path: Path) -> None:
    inbox, port = mail_server
    notice = tmp_path / "notice of action?.pdf"
    notice.write_bytes(b"%PDF-1.4 made up")
    url = f"mailto://127.0.0.1:{port}/to@example.org?from=from@example.org&mode=insecure"
    send(url, attachments=(notice, tmp_path / "gone.pdf"))
    (mail,) = inbox.mails
    (attachment,) = [part for part in mail.walk() if part.get_content_type() == "application/pdf"]
    assert attachment.get_payload(decode=True) == b"%PDF-1.4 made up"
    assert attachment.get_filename() == "notice of action?.pdf"


def test_text_that_is_too_long_is_split_into_several_messages(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.discord import NotifyDiscord  # noqa: PLC0415

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{hook.host}/hooks")
    body = " ".join(f"word{number}" for number in range(600))
    send("discord://4711/abcdefghijklmnop", body=body)
    assert len(hook.requests) > 1
    assert "word599" in str(hook.messages[-1])


def test_messages_to_one_service_do_not_wait_for_each_other(hook: Webhook) -> None:
    started = time.monotonic()
    for _ in range(3):
        send(f"ntfy://{hook.host}/topic")
    assert len(hook.requests) == 3
    assert time.monotonic() - started < 5, "Apprise waits 5.5 seconds between messages of one object"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_error_status_is_a_temporary_failure_with_its_reason(hook: Webhook, status: int) -> None:
    hook.status = status
    failed = failure(f"json://{hook.host}/hook")
    assert str(failed).startswith("JSON: ")
    assert str(status) in str(failed)
    assert not failed.permanent


def test_unreachable_server_is_a_temporary_failure() -> None:
    failed = failure("json://127.0.0.1:1/hook")
    assert not failed.permanent


def test_redirect_is_not_followed(hook: Webhook) -> None:
    with webhook() as elsewhere:
        hook.status, hook.location = 307, f"http://{elsewhere.host}/caught"
        failure(f"json://someone:{SECRET}@{hook.host}/hook")
        assert not elsewhere.requests


def test_server_that_does_not_answer_causes_a_timeout(hook: Webhook) -> None:
    hook.hold.clear()
    started = time.monotonic()
    failed = failure(f"json://{hook.host}/hook", timeout=0.3)
    assert str(failed) == "JSON: no answer within 0.3 seconds"
    assert not failed.permanent
    assert time.monotonic() - started < 3


def test_optional_service_still_reports_failures(hook: Webhook) -> None:
    hook.status = 500
    failure(f"json://{hook.host}/hook?optional=yes")


@pytest.mark.parametrize(
    "url",
    [
        f"json://reader:{SECRET}@HOST/{SECRET}?+X-Token={SECRET}",
        f"ntfy://{SECRET}@HOST/topic-{SECRET}",
        f"gotify://HOST/{SECRET}",
        f"mmost://{SECRET}@HOST/abcdefghijklmnopqrstuvwx{SECRET}",
        f"form://HOST/{SECRET}?:field={SECRET}",
    ],
)
def test_failure_and_log_show_neither_the_url_nor_a_secret(
    hook: Webhook, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 500
    with caplog.at_level(logging.INFO):
        failed = failure(url.replace("HOST", hook.host))
    assert SECRET not in str(failed)
    assert SECRET not in repr(failed)
    assert SECRET not in caplog.text.replace("%2B", "")


@pytest.mark.parametrize(
    "url", ["", "garbage", "nosuch://x", f"json://{SECRET}:99999x/", "discord://", "tgram://short"]
)
def test_invalid_url_is_a_permanent_failure(url: str) -> None:
    failed = failure(url)
    assert failed.permanent
    assert SECRET not in str(failed)
    assert check_url(SecretStr(url)) == str(failed)


@pytest.mark.parametrize("url", [SECRET, f"nosuch://{SECRET}", f"json://{SECRET}:99999x/"])
def test_invalid_url_is_not_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="apprise"):
        assert check_url(SecretStr(url)) is not None
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("xmpps://bot:pw@localhost/you@localhost", "slixmpp"),
        ("growl://localhost", "gntp"),
        ("smpp://u:p@h/1/2", "smpplib"),
    ],
)
def test_failure_names_the_package_that_a_plugin_lacks(url: str, package: str) -> None:
    failed = failure(url)
    assert failed.permanent
    assert f"needs {package}" in str(failed)


@pytest.mark.parametrize(
    "url", ["ntfy://", "ntfy://ntfy.example.org", "ntfys://ntfy.example.org/", "ntfys://u:p@x.org:8/"]
)
def test_ntfy_url_without_a_topic_is_refused(url: str) -> None:
    assert check_url(SecretStr(url)) == "ntfy: the address has no topic; use ntfys://SERVER/TOPIC"


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://topic",
        "ntfys://ntfy.example.org/topic",
        "mailtos://someone:secret@mail.example.org/?to=else@example.org",
        "json://localhost",
        "https://discord.com/api/webhooks/4711/abcdefghijklmnop",
        "matrixs://bot:pw@matrix.example.org/#room",
    ],
)
def test_valid_url_passes_the_check(url: str) -> None:
    assert check_url(SecretStr(url)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [("json://localhost", True), ("mailto://u:p@example.org", True), ("gotify://h/abcdef", False), ("garbage", False)],
)
def test_can_attach_tells_which_services_accept_attachments(url: str, *, expected: bool) -> None:
    assert AppriseNotifier().can_attach(SecretStr(url)) is expected


@pytest.mark.parametrize("url", ["irc://h/#c", "ircs://h/#c", "xmpp://u:p@h/x", "matrixs://u:p@h/#r", "mqtt://h/t"])
def test_services_that_confirm_little_have_a_caveat(url: str) -> None:
    assert delivery_caveat(SecretStr(url))


@pytest.mark.parametrize("url", ["json://localhost", "ntfys://ntfy.sh/topic", "garbage"])
def test_services_that_confirm_delivery_have_no_caveat(url: str) -> None:
    assert delivery_caveat(SecretStr(url)) is None


def test_schema_is_the_only_visible_part_of_a_url() -> None:
    assert schema(SecretStr(f" NTFYS://{SECRET}")) == "ntfys"
    assert not schema(SecretStr(SECRET))


def test_apprise_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, watcher.delivery.apprise_notifier; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


ABOUT_RFE = Traits(
    severity=Severity.URGENT, tag="rfe_received", link="https://my.uscis.gov/", thread="family IOE0000000001"
)


def test_ntfy_has_a_button_that_marks_the_alert_as_seen(hook: Webhook) -> None:
    seen = "https://watcher.example.org/watcher/a/T-_0/seen"
    traits = replace(ABOUT_RFE, seen=seen, seen_label="Marcar como visto")
    send(f"ntfy://{hook.host}/topic", traits=traits)
    send(f"ntfy://{hook.host}/topic?actions=view,Mine,https://mine.example.org", traits=traits)
    send(f"ntfy://{hook.host}/topic", traits=ABOUT_RFE)
    actions = [headers.get("X-Actions") for _, headers, _ in hook.requests]
    button = f"http, Marcar como visto, {seen}, method=POST, clear=true"
    assert actions == [button, "view,Mine,https://mine.example.org", None]


def test_ntfy_shows_priority_tag_and_page(hook: Webhook) -> None:
    for severity in Severity:
        send(f"ntfy://{hook.host}/topic", traits=replace(ABOUT_RFE, severity=severity))
    headers = [headers for _, headers, _ in hook.requests]
    assert [header.get("X-Priority") for header in headers] == [None, "high", "max"]  # ntfy's own is 3
    assert {header["X-Tags"] for header in headers} == {"rfe_received"}
    assert {header["X-Click"] for header in headers} == {"https://my.uscis.gov/"}


def test_option_that_the_user_set_stays(hook: Webhook) -> None:
    send(f"ntfy://{hook.host}/topic?priority=min", traits=ABOUT_RFE)
    ((_, headers, _),) = hook.requests
    assert headers["X-Priority"] == "min"
    assert headers["X-Tags"] == "rfe_received"


def test_gotify_and_pushover_show_the_priority(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.pushover import NotifyPushover  # noqa: PLC0415 - Apprise is imported late on purpose

    monkeypatch.setattr(NotifyPushover, "notify_url", f"http://{hook.host}/pushover")
    send(f"gotify://{hook.host}/{'A' * 15}", traits=ABOUT_RFE)
    send(f"pover://{'u' * 30}@{'a' * 30}", traits=ABOUT_RFE)
    (_, _, gotify), (_, _, pushover) = hook.requests
    assert json.loads(gotify)["priority"] == 8
    fields = dict(parse_qsl(pushover.decode()))
    assert (fields["priority"], fields["url"]) == ("1", "https://my.uscis.gov/")


def test_mails_about_one_case_are_one_thread_with_a_priority(mail_server: tuple[Inbox, int]) -> None:
    inbox, port = mail_server
    url = f"mailto://127.0.0.1:{port}/to@example.org?from=from@example.org&mode=insecure"
    for traits in (ABOUT_RFE, replace(ABOUT_RFE, severity=Severity.ROUTINE), replace(ABOUT_RFE, thread="family X")):
        send(url, traits=traits)
    first, second, other = inbox.mails
    assert first["References"] == first["In-Reply-To"] == second["References"] != other["References"]
    assert "0001" not in str(first["References"])
    assert [str(mail["X-Priority"]) for mail in inbox.mails] == ["1", "5", "1"]
    assert len({str(mail["Message-ID"]) for mail in inbox.mails}) == 3
    assert all(len(mail.get_all("Message-ID") or ()) == 1 for mail in inbox.mails)


@pytest.mark.parametrize(
    ("url", "plug_in", "name"),
    [
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "apprise.plugins.telegram", "NotifyTelegram"),
        (f"discord://{'1' * 18}/{'b' * 64}", "apprise.plugins.discord", "NotifyDiscord"),
    ],
)
def test_text_of_the_agency_stays_text_in_chats(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch, url: str, plug_in: str, name: str
) -> None:
    service = getattr(importlib.import_module(plug_in), name)
    monkeypatch.setattr(service, "notify_url", f"http://{hook.host}/chat/")
    send(url, body="<b>no</b> & plain", title="A <i>title</i>")
    sent = " ".join(body.decode() for _, _, body in hook.requests)
    if "HTML" in sent:
        assert "<b>no</b>" not in sent
        assert "&lt;b&gt;no&lt;/b&gt; &amp; plain" in sent
    else:
        assert "<b>no</b> & plain" in sent
