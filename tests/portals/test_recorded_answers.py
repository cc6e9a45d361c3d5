"""One test over every portal, naming none.

Whoever adds a portal adds a folder of recorded answers (see `recordings.py`), and learns here whether its `read`
keeps promise 4: a broken portal is not news about a case. Each answer is damaged in every place in turn. `read` may
then refuse it, with an error of ours; or give a snapshot that is silent where the answer is damaged. What it may never
do is tell something that the portal did not say, or fail in any other way.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import pytest

from tests.portals.recordings import Damage, Recording, as_json, damages, recordings
from watcher.errors import ReadFailed
from watcher.model.case import Snapshot, Stage
from watcher.portal import RawAnswers
from watcher.portals import find, names

_TEXTS = frozenset(
    {"form", "title", "status", "status_key", "description", "office", "place", "code", "hint", "download"}
)
_COLLECTIONS = frozenset({"parts", "pending", "notices", "history"})
_FREE = frozenset({"partial", "language"})
_TAG = re.compile(r"<[^>]*>")


@pytest.mark.parametrize("portal", names())
def test_a_portal_whose_answers_can_be_recorded_has_some(portal: str) -> None:
    recorded = any(recording.portal == portal for recording in recordings())
    assert recorded == find(portal).has_recordings, f"recorded answers belong under tests/portals/recorded/{portal}"


@pytest.mark.parametrize("recording", recordings(), ids=str)
def test_recorded_answers_read_to_the_expected_snapshot(recording: Recording) -> None:
    try:
        told = as_json(recording.read(recording.answers))
    except ReadFailed as error:
        told = {"raises": type(error).__name__}
    assert told == recording.expected, f"what was read:\n{json.dumps(told, indent=1, ensure_ascii=False)}"


@pytest.mark.parametrize("recording", recordings(), ids=str)
def test_no_damaged_answer_tells_what_the_portal_did_not_say(recording: Recording) -> None:
    if "raises" in recording.expected:
        return
    whole = recording.read(recording.answers)
    lies = [f"{damage.what}: {lie}" for damage in damages(recording.answers) for lie in _lies(recording, whole, damage)]
    assert not lies, "\n".join(lies)


def _lies(recording: Recording, whole: Snapshot, damage: Damage) -> Iterator[str]:
    try:
        told = recording.read(damage.answers)
    except ReadFailed:
        return
    except Exception as error:  # noqa: BLE001 - said with the damage that brought it out
        yield f"failed with {type(error).__name__}: {error}"
        return
    if told.case_number != whole.case_number:
        yield f"it is about {told.case_number}"
    yield from _differences(whole, told, _Evidence(whole, damage))


class _Evidence:
    """What the portal did say: its words, damaged as they came, and every day in the undamaged snapshot.

    A text that was cut in two is another text (half a code may be another code): what words are made of it is not
    judged. The stage, the days, the kinds of things and their number still are.
    """

    def __init__(self, whole: Snapshot, damage: Damage) -> None:
        self.words = _plain(" ".join(_strings(damage.answers)))
        self.days = frozenset(_days(whole))
        self.shortened = damage.shortened

    def supports(self, name: str, value: Any) -> bool:
        if name in _FREE or value is None or value is Stage.UNKNOWN:
            return True
        if name == "key":
            return self.shortened
        if isinstance(value, date):
            return str(value)[:10] in self.days
        return name in _TEXTS and (self.shortened or _plain(str(value)) in self.words)


def _differences(whole: Any, told: Any, evidence: _Evidence) -> Iterator[str]:
    for field in fields(whole):
        expected, value = getattr(whole, field.name), getattr(told, field.name)
        if value == expected:
            continue
        if field.name in _COLLECTIONS:
            if value is not None and field.name not in told.partial:
                yield from _collection(field.name, expected, value, evidence)
        elif not evidence.supports(field.name, value):
            yield f"{field.name} became {value!r}, was {expected!r}"


def _collection(
    name: str, expected: tuple[Any, ...] | None, told: tuple[Any, ...], evidence: _Evidence
) -> Iterator[str]:
    if len(told) != len(expected or ()):
        yield f"{name} has {len(told)} entries, had {len(expected or ())}"
        return
    for entry in told:
        best = min((list(_differences(was, entry, evidence)) for was in expected or ()), key=len)
        yield from (f"{name}: {difference}" for difference in best)


def _strings(answers: RawAnswers) -> Iterator[str]:
    for body in answers.values():
        text = body.decode("utf-8", errors="replace")
        try:
            yield from _strings_in(json.loads(text))
        except (ValueError, RecursionError):
            yield text


def _strings_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from _strings_in(child)


def _days(value: Any) -> Iterator[str]:
    if isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}", value):
        yield value[:10]
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _days(child)
    elif isinstance(value, Snapshot):
        yield from _days(as_json(value))
    elif isinstance(value, datetime):
        yield str(value)[:10]


def _plain(text: str) -> str:
    """Letters and digits alone, without markup: whether a text is in another, whatever became of its blanks."""
    return re.sub(r"\W+", "", html.unescape(_TAG.sub("", html.unescape(text)))).lower()
