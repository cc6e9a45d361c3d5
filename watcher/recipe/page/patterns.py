"""Regular expressions of a recipe, limited so that a search always ends soon.

Python's `re` backtracks, and nested open-ended repeats can make it take practically forever. Such patterns are refused
when the recipe is checked, and the searched text has at most `MAX_TEXT_LENGTH` characters.
"""

import re
import warnings
from re import _constants, _parser  # type: ignore[attr-defined]  # the parser is the only way to see inside a pattern
from typing import Any, Final

MAX_PATTERN_LENGTH: Final = 200
MAX_TEXT_LENGTH: Final = 100_000
"""Characters. A longer text must be narrowed first: `css:script | regex:…`."""
_MAX_OPEN_REPEATS: Final = 4
_OPEN_ABOVE: Final = 20
"""A repeat that may match more often than this counts as open-ended."""
_REPEATS: Final = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return a pattern that is safe to search with. Raises ValueError with what to correct."""
    if not text:
        raise ValueError("the pattern is empty")
    if len(text) > MAX_PATTERN_LENGTH:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="error"):
            pattern, parsed = re.compile(text), _parser.parse(text)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from None
    if _open_repeats(parsed, inside=False) > _MAX_OPEN_REPEATS:
        raise ValueError(f"the pattern has more than {_MAX_OPEN_REPEATS} open-ended repeats (*, +); use fewer")
    return pattern


def search(pattern: re.Pattern[str], text: str) -> str | None:
    """Return the first group of the first match, or the whole match if there is no group; None without a match.

    Raises ValueError if the text is too long.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(
            f"there are more than {MAX_TEXT_LENGTH} characters to search; narrow them with css: or json: first"
        )
    match = pattern.search(text)
    if match is None:
        return None
    group = match[1] if pattern.groups else match[0]
    return None if group is None else str(group)


def _open_repeats(parsed: Any, *, inside: bool) -> int:
    count = 0
    for operation, argument in parsed:
        if operation is _constants.GROUPREF or operation is _constants.GROUPREF_EXISTS:
            raise ValueError("the pattern refers back to a group; write it without")
        if operation is _constants.BRANCH and inside:
            raise ValueError("the pattern has alternatives (|) within a repeat; it could take for ever")
        if operation in _REPEATS and argument[1] > _OPEN_ABOVE:
            if inside:
                raise ValueError("the pattern has a repeat within a repeat; it could take for ever")
            count += 1 + _open_repeats(argument[2], inside=True)
            continue
        count += sum(_open_repeats(part, inside=inside) for part in _parts(operation, argument))
    return count


def _parts(operation: Any, argument: Any) -> list[Any]:
    """Return the patterns within one operation of the parser."""
    if operation is _constants.BRANCH:
        return list(argument[1])
    if operation in _REPEATS:
        return [argument[2]]
    if operation is _constants.SUBPATTERN:
        return [argument[3]]
    if operation in {_constants.ASSERT, _constants.ASSERT_NOT}:
        return [argument[1]]
    return [argument] if operation is _constants.ATOMIC_GROUP else []
