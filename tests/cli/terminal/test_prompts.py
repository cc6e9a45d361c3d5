from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from watcher.cli.terminal.prompts import ask, confirm
from watcher.messages import use_language

Speak = Callable[[str], None]


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Speak]:
    monkeypatch.setenv("LANGUAGE", "en")
    yield use_language
    use_language("en")


@pytest.mark.parametrize(
    ("language", "line", "expected"),
    [
        ("en", "yes", True),
        ("en", "N", False),
        ("es", "s", True),
        ("es", "Sí", True),
        ("es", "y", True),
        ("fr", "o", True),
        ("fr", "non", False),
        ("fr", "", True),
    ],
)
def test_yes_and_no_are_understood_in_english_and_in_the_users_language(
    monkeypatch: pytest.MonkeyPatch, speak: Speak, language: str, line: str, *, expected: bool
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{line}\n"))
    speak(language)
    assert confirm("?") is expected


def test_other_answers_are_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], speak: Speak
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("oui\nn\n"))
    speak("es")
    assert not confirm("¿Seguir?")
    assert capsys.readouterr().err == "¿Seguir? (S/n): Escriba s o n.\n¿Seguir? (S/n): "


@pytest.mark.parametrize(("default", "shown"), [("", "Name: "), ("ann", "Name [ann]: ")])
def test_an_empty_answer_means_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], default: str, shown: str
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("\n"))
    assert ask("Name", default) == default
    assert capsys.readouterr().err == shown
