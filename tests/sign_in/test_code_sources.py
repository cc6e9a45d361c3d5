from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import CodeNeeded
from watcher.sign_in.code_sources import FirstAvailable, NoCodeSource, PromptedCode, tidy_code

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Has:
    """A source with one code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def code(self, *, asked_at: datetime) -> str:
        assert asked_at == NOON
        return self._code


class Lacks:
    """A source with a reason instead."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def code(self, *, asked_at: datetime) -> str:
        assert asked_at == NOON
        raise CodeNeeded(self._reason)


def _types(*lines: str) -> tuple[Callable[[str], str], list[str]]:
    questions: list[str] = []
    left = list(lines)

    def ask(question: str) -> str:
        questions.append(question)
        if not left:
            raise EOFError
        return left.pop(0)

    return ask, questions


@pytest.mark.parametrize("typed", ["012345", " 012345\n", "012 345", "012-345", "0 1 2 3 4 5"])
def test_code_keeps_its_leading_zero_however_it_is_typed(typed: str) -> None:
    assert tidy_code(typed) == "012345"


@pytest.mark.parametrize("typed", ["", "123", "12345678901", "12345a", "\N{ARABIC-INDIC DIGIT ONE}23456", "+12345"])
def test_text_that_cannot_be_a_code_is_rejected(typed: str) -> None:
    with pytest.raises(ValueError, match="4 to 10 digits"):
        tidy_code(typed)


@given(st.text(max_size=20))
def test_tidying_a_code_twice_changes_nothing(typed: str) -> None:
    try:
        code = tidy_code(typed)
    except ValueError:
        return
    assert code.isascii()
    assert tidy_code(code) == code


def test_account_without_codes_says_what_the_person_can_do() -> None:
    with pytest.raises(CodeNeeded, match=r"`watcher login family`"):
        NoCodeSource("family").code(asked_at=NOON)


def test_person_is_prompted_again_after_an_invalid_code() -> None:
    ask, questions = _types("oops", "012 345")
    assert PromptedCode(ask).code(asked_at=NOON) == "012345"
    assert questions == [
        "One-time code: ",
        "A one-time code has 4 to 10 digits, such as 012345. One-time code: ",
    ]


def test_third_invalid_code_is_the_last_prompt() -> None:
    ask, questions = _types("a", "b", "c", "012345")
    with pytest.raises(CodeNeeded, match="none was submitted"):
        PromptedCode(ask).code(asked_at=NOON)
    assert len(questions) == 3


def test_terminal_without_a_person_gives_no_code() -> None:
    ask, _ = _types()
    with pytest.raises(CodeNeeded):
        PromptedCode(ask).code(asked_at=NOON)


def test_first_source_that_has_a_code_gives_it() -> None:
    assert FirstAvailable([Lacks("no mail."), Has("111111"), Has("222222")]).code(asked_at=NOON) == "111111"


def test_without_a_code_the_reasons_of_all_sources_are_given() -> None:
    with pytest.raises(CodeNeeded, match=r"no mail\. Nobody came\."):
        FirstAvailable([Lacks("no mail."), Lacks("Nobody came.")]).code(asked_at=NOON)
