"""One change in words: its line for the history, its title, its first sentences, and what it means. Pure.

The text is made from the stored JSON of the change. If a key is missing or has the wrong type, only the part of the
line that needs it is left out.
"""

import re
from collections.abc import Iterator
from functools import cache

from watcher.alerts.change_facts import message_key
from watcher.alerts.change_fields import Fields, bare_title, fields_of
from watcher.alerts.style import TextStyle
from watcher.language.catalogue import format_text
from watcher.model.change import Change


def line_of(change: Change, style: TextStyle, *, visible: str = "") -> str:
    """Return what happened, in one line. Leaves out a status or title that the reader sees in `visible` anyway."""
    fields = fields_of(change, style)
    title = bare_title(change, style)
    if title and title in visible:
        quoted = style.in_quotes(title)
        fields |= {name: "" for name in ("status", "title") if fields.get(name) == quoted}
    return _in_words(change, style, "line", fields)


def headlines_of(change: Change, style: TextStyle) -> Iterator[str]:
    """Yield what happened, in a few words: for a new status in the agency's own. Shorter versions may follow."""
    fields = fields_of(change, style)
    bare = bare_title(change, style)
    if bare and "words" in fields:
        fields["words"] = bare
    with_months = fields | {"short_when": fields.get("brief_when", "")}
    variants = (("headline", fields), ("headline_brief", with_months), ("headline_brief", fields))
    return filter(None, (_in_words(change, style, *variant) for variant in variants))


def fact_of(change: Change, style: TextStyle, *, title: str) -> str:
    """Return what the alert's `title` does not say of the change: its dates, place, and the agency's title of it."""
    fields = fields_of(change, style)
    if fields.get("since", "") in title:
        fields["since"] = ""
    text = _in_words(change, style, "fact", fields)
    bare = bare_title(change, style)
    quoted = style.in_quotes(bare)
    if not bare or "words" in fields or bare in title or quoted in text:
        return text
    return f"{quoted}. {text}".rstrip()


def meaning_of_change(change: Change, style: TextStyle, part: str) -> str:
    """Return the catalogue's text for this kind of change; `part` is `plain` (what it means) or `next`."""
    fields = fields_of(change, style)
    with_page = _in_words(change, style, f"{part}_page", fields) if style.page else ""
    return with_page or _in_words(change, style, part, fields)


_SENTENCE_START = re.compile(r"((?:^|[.!?] ?)\[? ?|[.!?]\]\[? ?)\{([a-z_]+)\}")
_SPACES = re.compile(" {2,}")


def _in_words(change: Change, style: TextStyle, part: str, fields: Fields) -> str:
    """Return a message with its fields filled in; a field at the beginning of a sentence begins with a capital."""
    template = style.catalogue.message("change", message_key(change), part)
    if not template:
        return ""
    started, names = _with_starts(template)
    texts = ((name, fields.get(name, "")) for name in names)
    capitals = {f"{name}_start": text[:1].upper() + text[1:] for name, text in texts}
    return _SPACES.sub(" ", format_text(started, fields | capitals)).strip()


@cache
def _with_starts(template: str) -> tuple[str, frozenset[str]]:
    """Return the template with other names for the fields that begin a sentence, and their own names."""
    names = frozenset(start[2] for start in _SENTENCE_START.finditer(template))
    return _SENTENCE_START.sub(r"\1{\2_start}", template), names
