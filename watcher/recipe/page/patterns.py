r"""Regular expressions of a recipe, in Python's syntax. The only module that imports RE2.

RE2 does not backtrack: the time of a search grows only with the length of the text and the size of the pattern, and
other threads run meanwhile. The texts that it reads differently from `re` are translated: `\w` and `\s` know the
letters and spaces of every script, `$` also matches before a last line break. `\d` and `\b` know ASCII only.
"""

import re
from typing import Final, TypeAlias

import re2

from watcher.messages import _, mark

MAX_PATTERN_LENGTH: Final = 200
MAX_TEXT_LENGTH: Final = 100_000
"""Characters. A longer text must be narrowed first: `css:script | regex:…`."""
_MAX_PROGRAM: Final = 5000
"""Instructions of RE2; with this many, it searches `MAX_TEXT_LENGTH` characters within ten seconds."""
_MAX_MEMORY: Final = 1 << 20

Pattern: TypeAlias = "re2._Regexp"  # noqa: SLF001 - it has no public name

_TOKEN: Final = re.compile(
    r"\\u(?P<short>[0-9a-fA-F]{4})|\\U(?P<long>[0-9a-fA-F]{8})|\\(?P<escape>.)|(?P<open>\[\^?\]?)|(?P<close>\])|\{,(?=[0-9]*\})",
    re.DOTALL,
)
_LETTERS: Final = r"\pL\pN_"
_SPACES: Final = r"\s\x{b}\x{1c}-\x{1f}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_ESCAPES: Final = {
    "w": f"[{_LETTERS}]",
    "W": f"[^{_LETTERS}]",
    "s": f"[{_SPACES}]",
    "S": f"[^{_SPACES}]",
    "Z": r"\z",
}
_ESCAPES_IN_BRACKETS: Final = {"w": _LETTERS, "s": _SPACES}
_CORRECTIONS: Final = {
    r"invalid perl operator: \(\?<?[=!]": mark(
        "it looks ahead or behind; match the words beside it, and put the part that you want in ( )"
    ),
    r"invalid perl operator: \(\?P$|invalid escape sequence: \\[1-9]": mark(
        "it refers back to a group; write the text in full"
    ),
    r"invalid perl operator: \(\?\(": mark("it depends on a group; write the alternatives, as in (?:a|b)"),
    r"invalid perl operator: \(\?>": mark("it has an atomic group; use (?:…)"),
    r"bad repetition operator: .\+": mark("it has a possessive repeat; remove the last +"),
    r"invalid repetition size": mark("it repeats something more than 1,000 times; use * or +"),
    r"pattern too large": mark("it is too large; use fewer or smaller repeats, and [A-Za-z] instead of \\w"),
}
"""What to write instead, by RE2's message."""


def compile_pattern(text: str) -> Pattern:
    """Return a pattern to search with. Raises ValueError with what to correct."""
    if not text:
        raise ValueError(_("the pattern is empty"))
    if len(text) > MAX_PATTERN_LENGTH:
        raise ValueError(_("the pattern is longer than {limit} characters", limit=MAX_PATTERN_LENGTH))
    options = re2.Options()
    options.max_mem, options.log_errors = _MAX_MEMORY, False
    try:
        pattern = re2.compile(_translate(text), options)
    except re2.error as error:
        raise ValueError(_fault(error.args[0].decode("utf-8", "replace"))) from None
    if pattern.programsize > _MAX_PROGRAM:
        raise ValueError(_fault("pattern too large"))
    return pattern


def search(pattern: Pattern, text: str) -> str | None:
    """Return the first group of the first match, or the whole match if there is no group; None without a match.

    Raises ValueError if the text is too long.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(
            _(
                "the text to search has more than {limit} characters; select a part with css: or json: first",
                limit=MAX_TEXT_LENGTH,
            )
        )
    match = pattern.search(text.removesuffix("\n") if "$" in pattern.pattern else text)
    if match is None:
        return None
    group = match[1] if pattern.groups else match[0]
    return None if group is None else str(group)


def _translate(pattern: str) -> str:
    """Return a pattern of `re` in RE2's syntax."""
    in_brackets = False

    def token(match: re.Match[str]) -> str:
        nonlocal in_brackets
        if code := match["short"] or match["long"]:
            return rf"\x{{{code}}}"
        if escape := match["escape"]:
            return _escape(escape, in_brackets=in_brackets)
        if in_brackets and match["open"]:
            return "\\" + match[0]
        if match["open"] or match["close"]:
            in_brackets = bool(match["open"])
            return match[0]
        return match[0] if in_brackets else "{0,"

    return _TOKEN.sub(token, pattern)


def _escape(letter: str, *, in_brackets: bool) -> str:
    if letter == "C" or (in_brackets and letter == "W"):
        if in_brackets:
            raise ValueError(
                _("the pattern has \\{letter} in brackets; use \\pL for letters and \\PL for others", letter=letter)
            )
        raise ValueError(_("the pattern has \\{letter}; use \\pL for letters and \\PL for others", letter=letter))
    return (_ESCAPES_IN_BRACKETS if in_brackets else _ESCAPES).get(letter, f"\\{letter}")


def _fault(message: str) -> str:
    """Return what to correct in a pattern that RE2 refuses with this message."""
    for found, correction in _CORRECTIONS.items():
        if re.match(found, message):
            return _("this pattern is not supported: {correction}", correction=_(correction))
    return _("this is not a regular expression: {message}", message=message)
