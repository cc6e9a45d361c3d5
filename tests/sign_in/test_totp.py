import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.portals.context import InMemorySession
from watcher.errors import PortalUnavailable
from watcher.sign_in.totp import Algorithm, StoredUsedSteps, TotpCodes, TotpSecret, parse_totp_secret

SECRET = "JBSWY3DPEHPK3PXP"
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

RFC_6238 = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), RFC_6238)
def test_vectors_of_rfc_6238_appendix_b(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    seeds: dict[Algorithm, tuple[bytes, str]] = {
        "sha1": (b"12345678901234567890", sha1),
        "sha256": (b"12345678901234567890123456789012", sha256),
        "sha512": (b"1234567890" * 6 + b"1234", sha512),
    }
    for algorithm, (key, expected) in seeds.items():
        secret = TotpSecret(key=key, digits=8, algorithm=algorithm)
        assert secret.code_for(secret.step_at(datetime.fromtimestamp(seconds, UTC))) == expected


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.lower(),
        "  JBSW Y3DP EHPK 3PXP\n",
        "jbsw-y3dp-ehpk-3pxp",
        "JBSW\N{NO-BREAK SPACE}Y3DP\N{EN DASH}EHPK\N{NON-BREAKING HYPHEN}3PXP====",
        f"otpauth://totp/USCIS:someone%40example.org?secret={SECRET}&issuer=USCIS",
        f"OTPAUTH://TOTP/x?Secret={SECRET.lower()}&algorithm=SHA1&digits=6&period=30",
        "otpauth://totp/x?secret=JBSW%20Y3DP+EHPK-3PXP&algorithm=HmacSHA1",
    ],
)
def test_one_secret_however_it_is_pasted(text: str) -> None:
    assert parse_totp_secret(text) == TotpSecret(key=base64.b32decode(SECRET))


def test_address_sets_digits_period_and_algorithm() -> None:
    secret = parse_totp_secret(f"otpauth://totp/x?secret={SECRET}&algorithm=SHA512&digits=8&period=60")
    assert (secret.digits, secret.period, secret.algorithm) == (8, 60, "sha512")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("  --  ", "empty"),
        ("JBSWY3DPEHPK3P", "length|too short"),
        ("JBSWY3DPEHPK3PX0", "character 16"),
        ("JBSWY3DPEHPK3PXPA", "length"),
        ("JBSWY3DPEHPK3PÄP", "character 15"),
        ("JBSWY3DPEHPK", "length|too short"),
        ("JBSWY3DP", "too short"),
        (f"otpauth://hotp/x?secret={SECRET}&counter=1", "time-based"),
        ("otpauth://totp/x?issuer=y", "no secret"),
        ("otpauth://totp/x?secret=", "no secret"),
        (f"otpauth://totp/x?secret={SECRET}&secret=AAAA", "more than once"),
        (f"otpauth://totp/x?secret={SECRET}&digits=12", "'digits'"),
        (f"otpauth://totp/x?secret={SECRET}&digits=six", "'digits'"),
        (f"otpauth://totp/x?secret={SECRET}&period=0", "'period'"),
        (f"otpauth://totp/x?secret={SECRET}&period=\N{SUPERSCRIPT TWO}", "'period'"),
        (f"otpauth://totp/x?secret={SECRET}&algorithm=MD5", "SHA1, SHA256 or SHA512"),
        ("otpauth://[totp/x?secret=JBSWY3DPEHPK3PXP", "is not valid"),
        ("otpauth-migration://offline?data=AAAA", "export"),
    ],
)
def test_wrong_secret_is_named_and_not_shown(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        parse_totp_secret(text)
    assert caught.value.__cause__ is None
    assert "JBSW" not in str(caught.value).upper()


def _fault_of(text: str) -> str | None:
    try:
        parse_totp_secret(text)
    except ValueError as fault:
        return f"{type(fault).__name__}: {fault}"
    return None


@given(st.text(max_size=80))
def test_pasted_text_is_a_secret_or_an_error_that_does_not_show_it(text: str) -> None:
    fault = _fault_of(text)
    if fault is None:
        assert len(parse_totp_secret(text).key) >= 10
    else:
        assert fault.startswith("ValueError: ")
        assert len(text.strip()) < 8 or text.strip() not in fault


@given(st.binary(min_size=10, max_size=64))
def test_every_key_survives_base32_without_padding(key: bytes) -> None:
    assert parse_totp_secret(base64.b32encode(key).decode().rstrip("=")).key == key


def test_key_does_not_show_in_its_repr() -> None:
    secret = parse_totp_secret(SECRET)
    assert SECRET not in repr(secret)
    assert repr(secret.key) not in repr(secret)


class Time:
    """A wall clock that moves only while somebody waits."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.waited: list[float] = []
        self.stop = Event()

    def wait(self, seconds: float) -> bool:
        if self.stop.is_set():
            return True
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)
        return False

    def codes(self, value: InMemorySession) -> TotpCodes:
        used = StoredUsedSteps(value)
        return TotpCodes(parse_totp_secret(SECRET), used=used, wait=self.wait, now=lambda: self.now)


@pytest.fixture
def value() -> InMemorySession:
    return InMemorySession()


def test_code_of_the_current_step_is_returned_at_once(value: InMemorySession) -> None:
    time = Time(NOON + timedelta(seconds=11))
    secret = parse_totp_secret(SECRET)
    assert time.codes(value).code(asked_at=NOON) == secret.code_for(secret.step_at(time.now))
    assert time.waited == []


def test_second_code_waits_for_the_next_step(value: InMemorySession) -> None:
    time = Time(NOON + timedelta(seconds=11))
    codes = time.codes(value)
    first, second = codes.code(asked_at=NOON), codes.code(asked_at=NOON)
    assert first != second
    assert time.waited == [19.0]
    assert time.now == NOON + timedelta(seconds=30)


def test_used_codes_survive_a_restart(value: InMemorySession) -> None:
    time = Time(NOON)
    first = time.codes(value).code(asked_at=NOON)
    second = time.codes(value).code(asked_at=NOON)
    assert first != second
    assert time.waited == [30.0]


def test_clock_set_back_repeats_no_code_and_does_not_wait_for_hours(value: InMemorySession) -> None:
    time = Time(NOON)
    first = time.codes(value).code(asked_at=NOON)
    time.now = NOON - timedelta(hours=2)
    second = time.codes(value).code(asked_at=NOON)
    time.now = NOON
    third = time.codes(value).code(asked_at=NOON)
    assert len({first, second, third}) == 3
    assert time.waited == [30.0]


def test_code_about_to_expire_is_not_used(value: InMemorySession) -> None:
    time = Time(NOON + timedelta(seconds=29))
    secret = parse_totp_secret(SECRET)
    assert time.codes(value).code(asked_at=NOON) == secret.code_for(secret.step_at(NOON + timedelta(seconds=30)))
    assert time.waited == [1.0]


def test_wait_ends_with_the_daemon_and_uses_no_code(value: InMemorySession) -> None:
    time = Time(NOON)
    time.codes(value).code(asked_at=NOON)
    time.stop.set()
    with pytest.raises(PortalUnavailable, match="stopping"):
        time.codes(value).code(asked_at=NOON)
    assert len(StoredUsedSteps(value).used()) == 1


@given(st.lists(st.integers(min_value=0, max_value=200), max_size=25))
def test_no_step_is_used_twice_at_any_intervals(pauses: list[int]) -> None:
    time, memory, seen = Time(NOON), InMemorySession(), list[int]()
    for pause in pauses:
        time.now += timedelta(seconds=pause)
        secret = parse_totp_secret(SECRET)
        code = TotpCodes(secret, used=StoredUsedSteps(memory), wait=time.wait, now=lambda: time.now).code(asked_at=NOON)
        step = secret.step_at(time.now)
        assert code == secret.code_for(step)
        seen.append(step)
    assert len(seen) == len(set(seen))
    assert all(waited <= 60 for waited in time.waited)


def test_damaged_record_of_used_codes_counts_as_empty(value: InMemorySession) -> None:
    value.save(b"12 \xff -3 x 15")
    steps = StoredUsedSteps(value)
    assert steps.used() == {12, 15}
    for step in range(100, 130):
        assert steps.claim(step)
        assert not steps.claim(step)
    assert steps.used() == set(range(120, 130))


def test_step_that_another_machine_took_in_the_meantime_is_not_used(value: InMemorySession) -> None:
    """The other machine looks, waits, and signs in at the same moments as this one."""
    time, other = Time(NOON + timedelta(seconds=29)), InMemorySession()
    secret = parse_totp_secret(SECRET)
    taken = secret.step_at(NOON + timedelta(seconds=30))

    class Shared(InMemorySession):
        def load(self) -> bytes | None:
            seen = value.content
            if taken not in StoredUsedSteps(other).used():
                value.save(str(taken).encode())  # right after this machine has looked
                other.save(str(taken).encode())
            return seen

        def update(self, change: Callable[[bytes | None], bytes | None]) -> None:
            value.update(change)

    codes = TotpCodes(secret, used=StoredUsedSteps(Shared()), wait=time.wait, now=lambda: time.now)
    assert codes.code(asked_at=NOON) == secret.code_for(taken + 1)
