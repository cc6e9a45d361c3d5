"""Values that are secret by the name they are given in a page, a script, or an address, or by their form. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from watcher.privacy.sensitive_keys import is_secret_field, is_secret_key, is_secret_parameter, may_name_secret
from watcher.privacy.spellings import Span

# Every repetition that can start anywhere is bounded or possessive, so that matching takes linear time.
_NAME: Final = r"(?<![\w$.-])(?P<name>[A-Za-z_$@][\w$.-]{0,60})"
_DOUBLE: Final = r'"(?P<double>(?:[^"\\]|\\.)*+)"'
_SINGLE: Final = r"'(?P<single>(?:[^'\\]|\\.)*+)'"
_QUOTED: Final = f"(?:{_DOUBLE}|{_SINGLE})"

_MEMBER: Final = re.compile(
    rf"""{_NAME}["']?\s{{0,9}}[:=]\s{{0,9}}(?:{_QUOTED}|(?P<number>[0-9]{{4,40}}+))""", re.DOTALL
)
_ARGUMENT: Final = re.compile(rf"""["']{_NAME}["']\s{{0,9}},\s{{0,9}}{_QUOTED}""", re.DOTALL)
_PAIR: Final = re.compile(
    rf"""["']?(?:name|key|id)["']?\s{{0,9}}:\s{{0,9}}["']{_NAME}["']\s{{0,9}},\s{{0,9}}["']?value["']?\s{{0,9}}:\s{{0,9}}{_QUOTED}""",
    re.DOTALL,
)
_PARAMETER: Final = re.compile(rf"(?P<start>[?&;#]\s?)?{_NAME}=(?P<value>[^?&\s\"'<>#;]++)")
_BY_FORM: Final = re.compile(
    r"://(?P<user>[^\s/?#\"'<>]{1,2000})(?=@)"
    r"|/bot(?P<bot>[0-9]{1,20}:[A-Za-z0-9_-]++)"
    r"|\b(?i:bearer|basic)\s{1,9}(?P<credential>(?=[A-Za-z._~+/=-]{0,200}[0-9])[A-Za-z0-9._~+/=-]{16,}+)"
    r"|\b(?P<jwt>eyJ[A-Za-z0-9_-]{8,4000}+(?:\.[A-Za-z0-9_-]*+){1,4})"
)

_FORM_HINTS: Final = ("://", "/bot", "bearer", "basic", "eyj")
_FIELD: Final = r"<(?P<tag>(?i:input|meta|button|textarea|output|option|param|data)\b)"
_TAG: Final = re.compile(rf"""{_FIELD}(?P<attributes>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)""")
_TAG_WITHOUT_QUOTES: Final = re.compile(rf"{_FIELD}(?P<attributes>[^<>]*+)")
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w:.-])(?P<name>[A-Za-z][\w:.-]{0,60})\s{0,9}=\s{0,9}(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s"'<>`]++))"""
)
_TOKEN: Final = re.compile(r"(?=[A-Za-z+/_.=-]*[0-9])[A-Za-z0-9+/_.=-]{20,}")


def token_spans(text: str) -> Iterator[Span]:
    """Yield the parts of a page, a script, or an address that are secret by name or by form."""
    if may_name_secret(text):
        yield from _named_spans(text)
    if "=" in text:
        for match in _PARAMETER.finditer(text):
            if is_secret_parameter(match["name"]) if match["start"] else is_secret_key(match["name"]):
                yield match.span("value")
    lower = text.lower()
    if any(hint in lower for hint in _FORM_HINTS):
        for match in _BY_FORM.finditer(text):
            yield _first_span(match, "user", "bot", "credential", "jwt")
    if "<" in text:
        for pattern in (_TAG, _TAG_WITHOUT_QUOTES):
            for match in pattern.finditer(text):
                yield from _tag_spans(match)


def _named_spans(text: str) -> Iterator[Span]:
    for pattern in (_MEMBER, _ARGUMENT, _PAIR):
        for match in pattern.finditer(text):
            if is_secret_field(match["name"]):
                yield _first_span(match, "double", "single", *(["number"] if pattern is _MEMBER else []))


def _tag_spans(match: re.Match[str]) -> Iterator[Span]:
    """Yield the secret values of an element: of a field with a secret name, of a password, of a hidden token."""
    attributes = list(_ATTRIBUTE.finditer(match.string, *match.span("attributes")))
    if not attributes:
        return
    values = {attribute["name"].lower(): attribute for attribute in reversed(attributes)}
    named_secret = any(is_secret_field(_text(values[key])) for key in ("name", "id", "property") if key in values)
    kind = _text(values["type"]).lower() if "type" in values else ""
    for key in ("value", "content"):
        if key in values:
            attribute = values[key]
            if named_secret or kind == "password" or (kind == "hidden" and _TOKEN.fullmatch(_text(attribute))):
                yield _first_span(attribute, "double", "single", "bare")
    if named_secret and match["tag"].lower() in {"textarea", "output"}:
        start = match.string.find(">", match.end()) + 1
        end = match.string.find("<", start)
        if 0 < start < end:
            yield start, end


def _text(attribute: re.Match[str]) -> str:
    start, end = _first_span(attribute, "double", "single", "bare")
    return attribute.string[start:end]


def _first_span(match: re.Match[str], *groups: str) -> Span:
    """Return the place of the first of these groups that matched."""
    return next((match.span(group) for group in groups if match[group] is not None), match.span())
