"""One test of every portal's recorded answers.

A new portal comes with a folder of recorded answers (see `recordings.py`). These tests check that a broken
portal never looks like a change of a case. Each answer is damaged in every place in turn. `read` may then raise
`ReadFailed`, or return a snapshot that leaves the damaged part out. It must never report anything that the portal did
not say, and never fail in any other way.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import pytest

from tests.portals.recordings import Damage, RecipeRecording, Recording, damages, recipe_recordings, recordings
from watcher.errors import ReadFailed
from watcher.model.case import Snapshot, Stage
from watcher.portal import RawAnswers
from watcher.portals import find, names
from watcher.recipe.workshop.expected import as_json

_TEXTS = frozenset(
    {"form", "title", "status", "status_key", "description", "office", "place", "code", "hint", "download"}
)
_COLLECTIONS = frozenset({"parts", "pending", "notices", "history"})
_AMBIGUOUS = frozenset({"kr-visa-mission/two-applications-newest-first"})
"""Pages that repeat an id for each application, so that without the first one, the second one is the first."""
_FREE = frozenset({"silent", "answered_sources", "sources", "source", "portal_id", "language"})
_TAG = re.compile(r"<!\[CDATA\[|\]\]>|<[^>]*>")


@pytest.mark.parametrize("portal", names())
def test_portal_has_recorded_answers_if_they_can_be_recorded(portal: str) -> None:
    recorded = any(recording.portal == portal for recording in recordings())
    assert recorded == find(portal).has_recordings, f"recorded answers belong under tests/portals/recorded/{portal}"


@pytest.mark.parametrize("recording", recordings(), ids=str)
def test_recorded_answers_give_the_expected_snapshot(recording: Recording) -> None:
    try:
        snapshot = as_json(recording.read(recording.answers))
    except ReadFailed as error:
        snapshot = {"raises": type(error).__name__}
    assert snapshot == recording.expected, f"the snapshot:\n{json.dumps(snapshot, indent=1, ensure_ascii=False)}"


@pytest.mark.parametrize("recording", [*recordings(), *recipe_recordings()], ids=str)
def test_damaged_answers_report_nothing_that_the_portal_did_not_say(recording: Recording | RecipeRecording) -> None:
    if "raises" in recording.expected or str(recording) in _AMBIGUOUS:
        return
    undamaged = recording.read(recording.answers)
    violations = [
        f"{damage.description}: {violation}"
        for damage in damages(recording.answers)
        for violation in _violations(recording, undamaged, damage)
    ]
    assert not violations, "\n".join(violations)


def _violations(recording: Recording | RecipeRecording, undamaged: Snapshot, damage: Damage) -> Iterator[str]:
    try:
        snapshot = recording.read(damage.answers)
    except ReadFailed:
        return
    except Exception as error:  # noqa: BLE001 - reported with the damage that caused it
        yield f"failed with {type(error).__name__}: {error}"
        return
    if snapshot.case_number != undamaged.case_number:
        yield f"it is about {snapshot.case_number}"
    of_recipe = isinstance(recording, RecipeRecording)
    yield from _differences(undamaged, snapshot, _Evidence(undamaged, damage, of_recipe=of_recipe))


class _Evidence:
    """What the portal said: the words of the damaged answers, and every day in the undamaged snapshot.

    A text that was cut in half is another text (half a code may be another code), so texts made of it are not checked.
    The stage, the days, the kinds, and the number of entries still are. A recipe makes keys of titles and an item of a
    status, reads a number as a text, takes an entry that is null for none, and may select fewer entries of a history,
    which is not reported.
    """

    def __init__(self, undamaged: Snapshot, damage: Damage, *, of_recipe: bool) -> None:
        self.of_recipe, self.lacks_entry = of_recipe, of_recipe and damage.description.endswith(" null")
        self.words = _plain(" ".join(_strings(damage.answers, numbers=of_recipe)))
        self.days = frozenset(_days(undamaged))
        self.shortened = damage.shortened

    def supports(self, name: str, value: Any) -> bool:
        if name in _FREE or value is None or value is Stage.UNKNOWN:
            return True
        if name == "stage":
            return self.of_recipe and self.shortened
        if name == "key":
            if self.of_recipe and str(value).startswith("asked:"):
                return True
            last = str(value).rpartition(":")[2]
            return self.shortened or last in self.days or (self.of_recipe and _plain(last) in self.words)
        if isinstance(value, date):
            return str(value)[:10] in self.days
        return name in _TEXTS and (self.shortened or _plain(str(value)) in self.words)


def _differences(undamaged: Any, snapshot: Any, evidence: _Evidence) -> Iterator[str]:
    for field in fields(undamaged):
        expected, value = getattr(undamaged, field.name), getattr(snapshot, field.name)
        if value == expected:
            continue
        if field.name in _COLLECTIONS:
            if value is not None:
                complete = field.name not in snapshot.silent and snapshot.silent <= undamaged.silent
                is_asked = not evidence.of_recipe or snapshot.status == undamaged.status
                may_lack = evidence.lacks_entry or (evidence.of_recipe and field.name == "history")
                complete = complete and is_asked and not may_lack
                yield from _collection(field.name, expected, value, evidence, complete=complete)
        elif not evidence.supports(field.name, value):
            yield f"{field.name} became {value!r}, was {expected!r}"


def _collection(
    name: str, expected: tuple[Any, ...] | None, entries: tuple[Any, ...], evidence: _Evidence, *, complete: bool
) -> Iterator[str]:
    """Yield what is wrong in a collection. One that lacks a source (`complete` is false) may have fewer entries."""
    is_wrong = len(entries) != len(expected or ()) if complete else len(entries) > len(expected or ())
    if is_wrong:
        yield f"{name} has {len(entries)} entries, had {len(expected or ())}"
        return
    for entry in entries:
        best = min((list(_differences(was, entry, evidence)) for was in expected or ()), key=len)
        yield from (f"{name}: {difference}" for difference in best)


def _strings(answers: RawAnswers, *, numbers: bool) -> Iterator[str]:
    for body in answers.values():
        text = body.decode("utf-8", errors="replace")
        try:
            yield from _strings_in(json.loads(text), numbers=numbers)
        except (ValueError, RecursionError):
            yield text


def _strings_in(node: Any, *, numbers: bool) -> Iterator[str]:
    if isinstance(node, str) or (numbers and isinstance(node, int | float) and not isinstance(node, bool)):
        yield str(node)
    elif isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from _strings_in(child, numbers=numbers)


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
    """Return letters and digits only, without markup, to search for a text regardless of white space."""
    return re.sub(r"\W+", "", html.unescape(_TAG.sub("", html.unescape(text)))).lower()
