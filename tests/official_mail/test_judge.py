"""Only a mail that is proven to be the agency's, and is about a case, counts. Everything else triggers nothing."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.official_mail.mails import (
    AGENCY,
    ARRIVED,
    DOMAIN,
    SENDERS,
    dns,
    mail,
    no_dns,
    signed,
)
from watcher.official_mail.dns import text_record
from watcher.official_mail.judge import MailKind, judge
from watcher.official_mail.proof import Lookup

SERVER = "mx.example.org"


def kind_of(
    raw: bytes, *, senders: tuple[str, ...] = SENDERS, authserv_id: str = "", lookup: Lookup | None = None
) -> MailKind:
    return judge(raw, arrived=ARRIVED, senders=senders, authserv_id=authserv_id, lookup=lookup or dns())


@pytest.mark.parametrize("senders", [SENDERS, ("@example.gov",), (AGENCY,)])
def test_signed_mail_about_a_case_is_official(senders: tuple[str, ...]) -> None:
    assert kind_of(signed(mail()), senders=senders) is MailKind.OFFICIAL


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail(), id="no signature"),
        pytest.param(signed(mail(), domain="example.com"), id="signed by somebody else"),
        pytest.param(signed(mail(), domain="gov"), id="signed by a parent that nobody confirmed"),
        pytest.param(signed(mail()).replace(b"Sign in", b"Pay now"), id="another text"),
        pytest.param(signed(mail(), length=True) + b"Pay now\r\n", id="text after the signed length"),
        pytest.param(signed(mail(), headers=("from", "date")), id="the subject is not signed"),
        pytest.param(b"Subject: Pay now\r\n" + signed(mail()), id="a second subject"),
        pytest.param(b"From: other@example.com\r\n" + signed(mail()), id="a second sender"),
        pytest.param(signed(mail(sender=f"{AGENCY}, other@example.com")), id="two senders in one line"),
        pytest.param(signed(mail(sender=f'"{AGENCY}" <other@example.com>')), id="the address as a name"),
        pytest.param(signed(mail(sender=f"x@{DOMAIN}.example.com")), id="the domain as a beginning"),
        pytest.param(
            mail(sender=f"=?utf-8?q?{AGENCY.replace('@', '=40')}?= <x@example.com>"), id="the address encoded"
        ),
        pytest.param(mail(sender=f"=?x-none?q?A?= {AGENCY} <x@example.com>"), id="an unknown encoding"),
        pytest.param(
            mail(headers=f"Authentication-Results: {SERVER}; dmarc=pass header.from={DOMAIN}\r\n"), id="results"
        ),
    ],
)
def test_mail_that_claims_to_be_the_agencys_is_possible_phishing(raw: bytes) -> None:
    assert kind_of(raw) is MailKind.FORGED


@pytest.mark.parametrize("sender", ["friend@example.com", "Agency <x@agency.example.com>", "", "a, b"])
def test_mail_of_others_is_unrelated(sender: str) -> None:
    assert kind_of(signed(mail(sender=sender), domain="example.com")) is MailKind.UNRELATED


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Your one-time verification code", "Your verification code for your case account is 123456"),
        ("Newsletter", "The office is closed on Monday."),
        ("Su código de verificación", "123456"),
    ],
)
def test_other_mail_of_the_agency_triggers_nothing(subject: str, text: str) -> None:
    assert kind_of(signed(mail(text, subject=subject))) is MailKind.OTHER


@pytest.mark.parametrize(
    "text", ["Hay noticias sobre su caso.", "Votre dossier a été mis à jour.", "IOE0000000001", "Case status update"]
)
def test_case_is_recognized_in_each_language(text: str) -> None:
    assert kind_of(signed(mail(text, subject="-"))) is MailKind.OFFICIAL


def test_mail_that_somebody_sends_again_later_triggers_nothing() -> None:
    assert kind_of(signed(mail(date=ARRIVED - timedelta(days=4)))) is MailKind.OTHER


def test_mail_whose_key_cannot_be_looked_up_is_judged_later() -> None:
    assert kind_of(signed(mail()), lookup=no_dns) is MailKind.UNSURE
    assert kind_of(signed(mail(), domain="example.com"), lookup=no_dns) is MailKind.FORGED, (
        "no foreign key is looked up"
    )


@pytest.mark.parametrize(
    "results",
    [
        f"{SERVER}; dkim=pass header.d={DOMAIN}",
        f"{SERVER}; spf=pass smtp.mailfrom=x; dkim=pass (2048) header.i=@{DOMAIN} header.s=key",
        f"{SERVER} 1; dmarc=pass (p=REJECT; sp=none)\r\n header.from={DOMAIN}",
    ],
)
def test_results_of_the_users_own_server_are_a_proof(results: str) -> None:
    raw = mail(headers=f"Authentication-Results: {results}\r\n")
    assert kind_of(raw, authserv_id=SERVER, lookup=no_dns) is MailKind.OFFICIAL


@pytest.mark.parametrize(
    "results",
    [
        f"mx.example.com; dmarc=pass header.from={DOMAIN}",
        f"{SERVER}; dmarc=fail header.from={DOMAIN}",
        f"{SERVER}; dkim=pass header.d=example.com; spf=pass smtp.mailfrom={DOMAIN}",
        f"{SERVER}; dkim=pass header.d=example.com header.i=@{DOMAIN}",
        f"{SERVER}; dkim=pass header.s=header.d={DOMAIN} header.b=x",
        f"{SERVER}; dmarc=pass x-header.from={DOMAIN}",
        f'{SERVER}; spf=pass smtp.mailfrom="x; dmarc=pass header.from={DOMAIN}; "@example.com',
        f"{SERVER}; spf=pass (x; dmarc=pass header.from={DOMAIN};",
        f"{SERVER}; spf=pass (a) ) (x; dmarc=pass header.from={DOMAIN}; )",
        f"mx.example.com; x=y\r\nAuthentication-Results: {SERVER}; dmarc=pass header.from={DOMAIN}",
        "",
    ],
)
def test_results_of_others_or_of_other_domains_are_none(results: str) -> None:
    raw = mail(headers=f"Authentication-Results: {results}\r\n")
    assert kind_of(raw, authserv_id=SERVER) is MailKind.FORGED


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_signed_mail_is_never_official(data: st.DataObject) -> None:
    """Change one byte of what is signed, of its headers or of its text."""
    raw = signed(mail())
    begin = raw.index(b"From: ")
    place = data.draw(st.sampled_from([n for n in range(begin, len(raw)) if raw[n : n + 1].isalnum()]))
    unsigned = (b"Message-ID", b"MIME-Version", b"Content-Type")
    line = raw[raw.rindex(b"\n", 0, place) + 1 : place + 1]
    if line.startswith(unsigned) or any(name.startswith(line) for name in unsigned):
        return
    byte = data.draw(
        st.integers(0x61, 0x7A).filter(lambda other: bytes([other]).lower() != raw[place : place + 1].lower())
    )
    assert kind_of(raw[:place] + bytes([byte]) + raw[place + 1 :]) is not MailKind.OFFICIAL


@settings(max_examples=100)
@given(st.binary(max_size=400), st.sampled_from([b"", b"From: x@agency.example.gov\r\n", signed(mail())[:300]]))
def test_any_bytes_are_judged(raw: bytes, beginning: bytes) -> None:
    assert kind_of(beginning + raw) is not MailKind.OFFICIAL


@pytest.mark.parametrize("selector", [".".join(["a" * 60] * 5), "a" * 70, "a..b", "\N{REPLACEMENT CHARACTER}", "\\300"])
def test_key_with_a_name_that_cannot_exist_does_not_exist(selector: str) -> None:
    assert text_record(f"{selector}._domainkey.{DOMAIN}") is None
