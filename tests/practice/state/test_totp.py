import base64

import pytest

from watcher.practice.state.totp import CodeChecker, code_at

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
SHORT_SECRET = "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("unix_time", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_the_last_six_digits_of_those_in_rfc_6238_appendix_b(unix_time: int, code: str) -> None:
    assert code_at(RFC_SECRET, unix_time // 30) == code


def test_secret_may_lack_its_padding_and_be_in_small_letters() -> None:
    assert code_at("jbswy3dpehpk3px", 7) == code_at("JBSWY3DPEHPK3PX=", 7)


def test_code_is_valid_once_and_invalidates_older_codes() -> None:
    checker = CodeChecker(SHORT_SECRET)
    newest = code_at(SHORT_SECRET, 101)

    assert checker.accept(newest, 100 * 30)
    assert not checker.accept(newest, 100 * 30)
    assert not checker.accept(code_at(SHORT_SECRET, 100), 100 * 30)
    assert checker.accept(code_at(SHORT_SECRET, 102), 101 * 30)


def test_rejected_code_does_not_use_up_a_code() -> None:
    checker = CodeChecker(SHORT_SECRET)

    assert not checker.accept("", 3000)
    assert not checker.accept("\N{ARABIC-INDIC DIGIT ONE}", 3000)
    assert checker.accept(code_at(SHORT_SECRET, 100), 3000)
