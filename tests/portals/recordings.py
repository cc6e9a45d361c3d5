"""The answers recorded under `recorded/PORTAL/CASE/`, and the ways in which an answer can be damaged.

The folder of a case contains the body of each answer as `ENDPOINT.json` or `ENDPOINT.html`, and `expected.json` with
the fields of the snapshot, or `{"raises": "UnexpectedAnswer"}`. The answers are read in the language of the expected
snapshot. Nothing in them is about a real person.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from watcher.model.case import Snapshot
from watcher.portal import CaseRead, RawAnswers
from watcher.portals import find
from watcher.recipe.model import Recipe
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.parse.shipped import FOLDER, shipped_names
from watcher.recipe.run.kept_answers import RECIPE
from watcher.recipe.workshop.expected import Expectation, expectation_in
from watcher.recipe.workshop.recorded import open_recorded, recorded_folders

RECORDED = Path(__file__).parent / "recorded"
_CUTS = 40
_REPLACEMENTS = {
    "nothing": b"",
    "a maintenance page": b"<!DOCTYPE html><html><title>Maintenance</title><body>Be back soon.</body></html>",
    "a sign-in page": b'<html><body><form action="/sign-in"><input type="password" name="p"></form></body></html>',
    "null": b"null",
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a text": b'"Access Denied"',
    "an error": b'{"data":null,"error":{"message":"Something went wrong"}}',
    "no text at all": b"\xff\xfe\x00\xd8",
    "too deep": b"[" * 5000,
}
_MARKUP: dict[re.Pattern[str], dict[str, str]] = {
    re.compile(r"(?P<part><(\w+)[^>]*>[^<]*</\2>)"): {"gone": ""},
    re.compile(r">(?P<part>[^<>]*\S[^<>]*)<"): {"gone": "", "is a snowman": "\N{SNOWMAN}"},
    re.compile(r"(?P<part> [\w-]+=\"[^\"]*\")"): {"gone": ""},
}
"""Parts of a page, and what may stand in their place."""
JsonPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The answers of one case and the expected snapshot."""

    portal: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.portal}/{self.folder.name}"

    @property
    def answers(self) -> dict[str, bytes]:
        bodies = (file for file in sorted(self.folder.iterdir()) if file.name != "expected.json")
        return {file.stem: file.read_bytes() for file in bodies}

    @property
    def expected(self) -> dict[str, Any]:
        file = self.folder / "expected.json"
        expected: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return expected

    @property
    def language(self) -> str:
        return str(self.expected.get("language", "en"))

    def read(self, answers: RawAnswers) -> Snapshot:
        return find(self.portal).read(answers, self.language)


def recordings() -> list[Recording]:
    """Return every recorded case. Imports no portal, so that a broken portal does not hide the others."""
    return [
        Recording(portal=folder.parent.name, folder=folder)
        for folder in sorted(RECORDED.glob("*/*"))
        if folder.is_dir()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeRecording:
    """One case in the recorded answers of a shipped recipe: the bodies of its pages and the expected snapshot."""

    recipe: str
    folder: Path
    kept: Mapping[str, bytes]
    expected: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.recipe}/{self.folder.name}"

    @property
    def answers(self) -> dict[str, bytes]:
        return {name: json.loads(kept)["body"].encode() for name, kept in self.kept.items() if name != RECIPE}

    def read(self, answers: RawAnswers) -> Snapshot:
        changed = {
            name: json.dumps({**json.loads(self.kept[name]), "body": body.decode("utf-8", "replace")}).encode()
            for name, body in answers.items()
        }
        return find("recipe").read({**changed, RECIPE: self.kept[RECIPE]}, "en")


def recipe_recordings() -> Iterator[RecipeRecording]:
    """Yield the recorded cases of the shipped recipes that could be read, one of those that differ only in words."""
    seen: set[tuple[str, ...]] = set()
    for recording in _all_recipe_recordings():
        bodies = (body.decode() for body in recording.answers.values())
        shape = (recording.recipe, *(re.sub(r"\w+|\s+|[.,'\u2013\u2019-]", "", body) for body in bodies))
        if shape not in seen:
            seen.add(shape)
            yield recording


def _all_recipe_recordings() -> Iterator[RecipeRecording]:
    for name in shipped_names():
        recipe = load_recipe(FOLDER / f"{name}.toml")
        for folder in recorded_folders(FOLDER / f"{name}.toml"):
            expected = expectation_in(folder)
            assert expected is not None
            if expected.raises is None and not all("raises" in case for case in expected.cases.values()):
                yield from _recorded_cases(name, recipe, folder, expected)


def _recorded_cases(name: str, recipe: Recipe, folder: Path, expected: Expectation) -> Iterator[RecipeRecording]:
    with open_recorded(recipe, folder, expected) as reader:
        for result in reader.read():
            if isinstance(result, CaseRead):
                snapshot = expected.cases[result.snapshot.case_number]
                yield RecipeRecording(recipe=name, folder=folder, kept=result.answers, expected=snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Answers with one defect. `shortened`: a text was cut, which no program can distinguish from a short text."""

    description: str
    answers: dict[str, bytes]
    shortened: bool = False


def damages(answers: RawAnswers) -> Iterator[Damage]:
    """Yield every damaged variant of each answer in turn."""
    for endpoint, body in answers.items():
        yield Damage(description=f"{endpoint} is missing", answers={e: b for e, b in answers.items() if e != endpoint})
        for what, other in _REPLACEMENTS.items():
            yield Damage(description=f"{endpoint} is {what}", answers={**answers, endpoint: other})
        for cut in range(0, len(body.rstrip()), max(1, len(body) // _CUTS)):
            yield Damage(description=f"{endpoint} is cut off at {cut}", answers={**answers, endpoint: body[:cut]})
        yield from _damaged_nodes(endpoint, answers)


def _damaged_nodes(endpoint: str, answers: RawAnswers) -> Iterator[Damage]:
    try:
        document = json.loads(answers[endpoint])
    except ValueError:
        yield from _damaged_markup(endpoint, answers)
        return
    for path, node in _nodes(document, ()):
        for what, other in _alternatives(node):
            body = json.dumps(_with(document, path, other)).encode()
            place = ".".join(map(str, path))
            yield Damage(
                description=f"{endpoint}: {place} {what}", answers={**answers, endpoint: body}, shortened=what == "cut"
            )
        if isinstance(path[-1], str):
            body = json.dumps(_without(document, path)).encode()
            description = f"{endpoint}: {'.'.join(map(str, path))} gone"
            yield Damage(description=description, answers={**answers, endpoint: body})


def _damaged_markup(endpoint: str, answers: RawAnswers) -> Iterator[Damage]:
    """Yield the page without each of its innermost elements, and with each of its texts and attributes changed."""
    page = answers[endpoint].decode("utf-8", "replace")
    for pattern, others in _MARKUP.items():
        for match in pattern.finditer(page):
            old = match["part"]
            for what, other in {**others, "cut": old[: len(old) // 2]}.items():
                body = page[: match.start("part")] + other + page[match.end("part") :]
                yield Damage(
                    description=f"{endpoint}: {old.strip()!r} {what}",
                    answers={**answers, endpoint: body.encode()},
                    shortened=what == "cut",
                )


def _nodes(node: Any, path: JsonPath) -> Iterator[tuple[JsonPath, Any]]:
    if path:
        yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in children:
        yield from _nodes(child, (*path, step))


def _alternatives(node: Any) -> Iterator[tuple[str, Any]]:
    if node is not None:
        yield "null", None
    for other in (7, "\N{SNOWMAN}", {"x": 1}, ["x"], True):
        if type(other) is not type(node) and not (isinstance(node, int) and isinstance(other, int)):
            yield f"is {other!r}", other
    if isinstance(node, str) and len(node) > 1:
        yield "cut", node[: len(node) // 2]


def _with(document: Any, path: JsonPath, value: Any) -> Any:
    changed = copy.deepcopy(document)
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _without(document: Any, path: JsonPath) -> Any:
    changed = copy.deepcopy(document)
    del _at(changed, path[:-1])[path[-1]]
    return changed


def _at(document: Any, path: JsonPath) -> Any:
    for step in path:
        document = document[step]
    return document
