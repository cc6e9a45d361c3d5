import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sign_in.code_mails import SENDER, letter
from watcher.sign_in.code_mail import MailVerdict, Verdict, find_code

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=20)


def _judge(raw: bytes, sender: str = SENDER.lower()) -> Verdict:
    return find_code(raw, sender=sender, since=NOON)


def _plain(text: str) -> Verdict:
    return _judge(letter("", dated=LATER, kind="text/plain", page=text.replace("=", "=3D")))


def test_code_comes_out_of_html_that_is_full_of_six_digit_colours_and_links() -> None:
    verdict = _judge(letter("012345", dated=LATER))
    assert (verdict.kind, verdict.code) == (MailVerdict.CODE, "012345")


def test_colors_alone_are_not_a_code() -> None:
    assert _judge(letter("", dated=LATER)).kind is MailVerdict.NO_CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your secure MFA code is: 012345", "012345"),
        ("code:123456.", "123456"),
        ("123456", "123456"),
        ("Use 123456, then 123456 again.", "123456"),
        ("Your code: 123 456. It expires in 10 minutes. Call 800 375 5283.", "123456"),
        ("Your code is 123-456", "123456"),
        ("Verification code: 1 2 3 4 5 6", "123456"),
        ("C\u00f3digo de verificaci\u00f3n: 12 34 56", "123456"),
        ("code\r\n123\u00a0456", "123456"),
        ("Order 777777 of 22 November. Your verification code is 123456. Not you? Call us.", "123456"),
    ],
)
def test_code_in_plain_text(text: str, code: str) -> None:
    assert _plain(text).code == code


@pytest.mark.parametrize(
    "text",
    [
        "colour #333333",
        "1234567 or 12345",
        "https://example.gov/verify/123456",
        "id=123456",
        "123456.78 dollars",
        "A123456",
        "202604-123456",
        "case 12/123456",
        "Call 123 456 about it",
        "code 123 456 789",
        "code 800-375-5283",
        "code 12 345 678",
        "\N{ARABIC-INDIC DIGIT ONE}23456",
    ],
)
def test_digits_that_are_something_else_are_no_code(text: str) -> None:
    assert _plain(text).kind is MailVerdict.NO_CODE


def test_several_numbers_are_no_code() -> None:
    for text in ("111111 and 222222", "Your code is 111111 or 222222", "Your code is 111 111 or 222 222"):
        verdict = _plain(text)
        assert (verdict.kind, verdict.code) == (MailVerdict.SEVERAL, None)


@pytest.mark.parametrize(
    "sender",
    [
        SENDER,
        SENDER.upper(),
        f"<{SENDER}>",
        f'"USCIS, MyAccount" <{SENDER}>',
        f"=?utf-8?q?US=43IS?= <{SENDER}>",
        f"USCIS\r\n <{SENDER}>",
    ],
)
def test_expected_sender_however_it_is_written(sender: str) -> None:
    assert _judge(letter("123456", dated=LATER, sender=sender)).code == "123456"


@pytest.mark.parametrize(
    "sender",
    [
        "someone@example.org",
        f'"{SENDER}" <thief@example.org>',
        f"{SENDER} <thief@example.org>",
        f"<{SENDER}> <thief@example.org>",
        f"thief@example.org, {SENDER}",
        f"{SENDER}, thief@example.org",
        f"{SENDER}.example.org",
        f"x{SENDER}",
        "",
        f"{SENDER}\r\nFrom: thief@example.org",
    ],
)
def test_other_sender_is_rejected_whatever_its_display_name(sender: str) -> None:
    assert _judge(letter("123456", dated=LATER, sender=sender)).kind is MailVerdict.OTHER_SENDER


def test_whole_domain_may_be_the_expected_sender() -> None:
    assert _judge(letter("123456", dated=LATER), "@uscis.dhs.gov").code == "123456"
    assert _judge(letter("123456", dated=LATER, sender="x@evil-uscis.dhs.gov"), "@uscis.dhs.gov").code is None


@pytest.mark.parametrize(
    "dated", [None, "", "yesterday", NOON - timedelta(seconds=1), "Sun, 22 Nov 2026 12:00:20 +0300", "Sun, 99 Nov 2026"]
)
def test_mail_from_before_the_request_or_without_a_date_is_too_old(dated: datetime | str | None) -> None:
    assert _judge(letter("123456", dated=dated)).kind is MailVerdict.TOO_OLD


def test_date_counts_in_its_own_zone() -> None:
    assert _judge(letter("123456", dated="Sun, 22 Nov 2026 07:00:20 -0500")).code == "123456"
    assert _judge(letter("123456", dated="Sun, 22 Nov 2026 12:00:20 -0000")).code == "123456"


def _multipart(kind: str, *parts: bytes) -> bytes:
    head = (
        f"From: {SENDER}\r\nDate: Sun, 22 Nov 2026 12:00:20 +0000\r\nContent-Type: {kind}; boundary=B\r\n\r\n".encode()
    )
    return head + b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


def test_both_halves_of_an_alternative_may_say_the_same_code() -> None:
    plain, page = (
        b"Content-Type: text/plain\r\n\r\ncode 123456",
        b"Content-Type: text/html\r\n\r\n<p>code <b>123456</b></p>",
    )
    assert _judge(_multipart("multipart/alternative", plain, page)).code == "123456"


def test_attachments_and_forwarded_messages_are_not_read() -> None:
    attached = b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\ncode 123456"
    forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: old\r\n\r\ncode 654321"
    assert _judge(_multipart("multipart/mixed", attached, forwarded)).kind is MailVerdict.NO_CODE


@pytest.mark.parametrize(
    "page",
    [
        "<head><style>x</style><p>code {code}</p>",
        "<head><title>222222<body><p>code {code}",
        "<p>code</p><p>{code}</p><style>#a{color:#222222",
        "<p>code <span>{code}</span> <script>var a = 222222;</script>",
        "</style></head>code {code}<",
        "code&nbsp;{code}&nbsp;<br/>",
    ],
)
def test_broken_html_hides_no_code_and_shows_no_style(page: str) -> None:
    assert _judge(letter("123456", dated=LATER, page=page)).code in ("123456", None)
    assert _judge(letter("123456", dated=LATER, page=page)).code != "222222"


@pytest.mark.parametrize(
    "page",
    [
        "<p>code <span>{code}</span>",
        "<p>code <b>123</b> <b>456</b>",
        "<p>code <span>123</span><span>456</span>",
        "<p>code<table><tr><td>1<td>2<td>3<td>4<td>5<td>6</table>",
        "<p>code <span>123</span>&nbsp;<span>456</span>",
    ],
)
def test_code_may_be_in_several_elements(page: str) -> None:
    assert _judge(letter("123456", dated=LATER, page=page)).code == "123456"


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "utf-7", "us-ascii", "x", "cp037"])
def test_ascii_text_is_read_whatever_charset_it_declares(charset: str) -> None:
    raw = letter("123456", dated=LATER).replace(b"charset=utf-8", f"charset={charset}".encode())
    assert _judge(raw).code == "123456"


def test_utf16_text_is_read() -> None:
    body = base64.encodebytes("code: 123456".encode("utf-16"))
    raw = letter("", dated=LATER, kind="text/plain", page="").replace(b"charset=utf-8", b"charset=utf-16")
    assert _judge(raw.replace(b"quoted-printable", b"base64") + body).code == "123456"


@pytest.mark.parametrize(
    "result",
    ["mx.example.org; spf=pass; dkim=none; dmarc=fail (p=REJECT)", "mx.example.org;\r\n DMARC = fail action=none"],
)
def test_mail_that_failed_dmarc_is_forged(result: str) -> None:
    head = f"Authentication-Results: {result}\r\n".encode()
    assert _judge(head + letter("123456", dated=LATER)).kind is MailVerdict.FORGED


def test_mail_that_passed_dmarc_is_not_forged() -> None:
    head = b"Authentication-Results: mx.example.org; dmarc=pass header.from=uscis.dhs.gov\r\n"
    assert _judge(head + letter("123456", dated=LATER)).code == "123456"


def test_recipients_are_those_of_every_header_that_names_them() -> None:
    head = b"Delivered-To: Ann@Example.org\r\nCc: Bob <bob@example.org>, carl@example.org\r\n"
    assert _judge(head + letter("123456", dated=LATER)).recipients == {
        "ann@example.org",
        "bob@example.org",
        "carl@example.org",
        "someone@example.org",
    }


@pytest.mark.parametrize(
    "page",
    [
        "<a " * 66_000,
        "<a '" * 50_000,
        "<!--" * 50_000,
        "<p " + " ".join(f"a{number}" for number in range(30_000)) + ">",
        "<span>" * 9_000 + "</p>" * 30_000,
        "<i>" * 66_000,
        "&amp" * 50_000,
    ],
    ids=["tags", "quotes", "comments", "attributes", "end tags", "nesting", "entities"],
)
def test_hostile_page_is_given_up_soon(page: str) -> None:
    started = time.monotonic()
    _judge(letter("", dated=LATER, page=page))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number)
            for number in range(2_000)
        ),
        b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    ],
    ids=["multiparts", "forwarded messages"],
)
def test_deeply_nested_mail_is_unreadable(raw: bytes) -> None:
    head = f"From: {SENDER}\r\nDate: Sun, 22 Nov 2026 12:00:20 +0000\r\n".encode()
    started = time.monotonic()
    assert _judge(head + raw).kind is MailVerdict.UNREADABLE
    assert time.monotonic() - started < 2


def test_code_does_not_show_in_the_repr() -> None:
    assert "012345" not in repr(_judge(letter("012345", dated=LATER)))


def test_unknown_charset_and_broken_encodings_are_read_as_far_as_they_go() -> None:
    raw = letter("123456", dated=LATER).replace(b"charset=utf-8", b"charset=x-unheard-of")
    assert _judge(raw).code == "123456"
    assert _judge(raw.replace(b"quoted-printable", b"base64")).code is None


@given(st.binary(max_size=400))
def test_no_message_crashes_it(content: bytes) -> None:
    head = f"From: {SENDER}\r\nDate: Sun, 22 Nov 2026 12:00:20 +0000\r\n".encode()
    verdict = _judge(head + content)
    assert verdict.code is None or (len(verdict.code) == 6 and verdict.code.isdigit())
    _judge(content)
