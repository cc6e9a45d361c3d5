"""What a check on recorded answers must find: `expected.json` in their folder, and how a result differs from it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import Enum
from pathlib import Path
from typing import Any, Final

from watcher.messages import _

EXPECTED: Final = "expected.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The account's own values, where they matter, and the result: by case number, or an error of the whole check."""

    account: Mapping[str, Any] = field(default_factory=dict)
    cases: Mapping[str, Any] = field(default_factory=dict)
    raises: str | None = None

    @property
    def text(self) -> str:
        """The content of the file."""
        content = {"account": dict(self.account), "cases": dict(self.cases), "raises": self.raises}
        filled = {name: value for name, value in content.items() if value}
        return json.dumps(filled, indent=1, ensure_ascii=False) + "\n"


def expectation_in(folder: Path) -> Expectation | None:
    """Return what is expected of a folder, None if it does not say. Raises `OSError` or `ValueError`."""
    file = folder / EXPECTED
    if not file.exists():
        return None
    try:
        return Expectation(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError):
        text = _("{file}: this is not a result as `watcher recipe check --accept` writes it", file=file)
        raise ValueError(text) from None


def as_json(value: Any) -> Any:
    """Return a snapshot, or any part of one, as plain JSON without empty fields."""
    if is_dataclass(value):
        contents = {part.name: getattr(value, part.name) for part in fields(value)}
        return {name: as_json(content) for name, content in contents.items() if content not in (None, "", frozenset())}
    if isinstance(value, tuple | frozenset):
        return [as_json(entry) for entry in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def differences(expected: Expectation, found: Expectation, file: Path) -> Iterator[str]:
    """Yield a line for each line in which a result differs, with its number in the file."""
    lines, others = (each.text.splitlines() for each in (expected, found))
    for kind, start, end, other_start, other_end in SequenceMatcher(None, lines, others, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for number in range(start, end):
            yield _(
                "{file}:{line}: expected, not found: {text}", file=file, line=number + 1, text=lines[number].strip()
            )
        for text in others[other_start:other_end]:
            yield _("{file}:{line}: found, not expected: {text}", file=file, line=start + 1, text=text.strip())
