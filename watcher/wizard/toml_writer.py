"""Write a configuration as TOML for people who do not know TOML, with comments in the user's language."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watcher.messages import _, mark

_HEAD = (
    mark(
        "The configuration of case-watcher, written by `watcher init`. To change it, run that again or edit this file."
    ),
    mark("Lines that begin with # are comments. watcher.example.toml lists every key with its meaning."),
    mark(
        "Passwords and channel addresses are not in this file. They are in secrets_dir, one file each, readable only by"
        " you."
    ),
)
_COMMENTS: Mapping[tuple[str, ...], str] = {
    ("timezone",): mark("For quiet hours and for the dates in alerts."),
    ("language",): mark("Language of alerts, and of the website's texts if it offers several: en, es, or fr."),
    ("state_dir",): mark("Folder for the database with its sessions, and for letters."),
    ("secrets_dir",): mark("Folder for secrets, one file each."),
    ("accounts", "*"): mark("One login at one portal. You choose the name."),
    ("accounts", "*", "portal"): mark("`watcher portals` lists them."),
    ("accounts", "*", "cases"): mark("Case numbers. If the website lists your cases, empty means all of them."),
    ("accounts", "*", "every"): mark("Time between two checks. Each portal has a shortest allowed time."),
    ("channels", "*"): mark("Where alerts go. The address is a secret."),
    ("channels", "*", "min_severity"): mark("The lowest severity that is sent here: urgent, important, or routine."),
    ("channels", "*", "privacy"): mark("full, masked (IOE••••••0001), or minimal (says only that something changed)."),
    ("web",): mark("Your cases in a browser. `watcher web link` prints a link that signs a device in."),
    ("web", "url"): mark("How a phone reaches the page. Links in alerts begin with it."),
    ("web", "insecure_lan"): mark("The page is not encrypted; use it only in a network that you trust."),
    ("channels", "*", "quiet_hours"): mark("Alerts that are not urgent wait until the quiet hours end."),
}


def as_toml(keys: Mapping[str, Any]) -> str:
    """Return the keys with their comments: plain keys first, then each section. `tomllib` reads the same keys back."""
    head = [f"# {_(line)}" for line in _HEAD]
    return "\n".join([*head, *_lines(keys, ())]) + "\n"


def _lines(keys: Mapping[str, Any], key_path: tuple[str, ...]) -> Iterator[str]:
    sections = {name: value for name, value in keys.items() if isinstance(value, Mapping)}
    plain = {name: value for name, value in keys.items() if name not in sections}
    if key_path and (plain or not sections):
        yield ""
        yield from _comment(key_path)
        yield f"[{'.'.join(map(_key, key_path))}]"
    for name, value in plain.items():
        yield from _comment((*key_path, name))
        yield f"{_key(name)} = {_value(value)}"
    for name, section in sections.items():
        yield from _lines(section, (*key_path, name))


def _comment(key_path: tuple[str, ...]) -> Iterator[str]:
    comment = _COMMENTS.get(key_path) or _COMMENTS.get((key_path[0], "*", *key_path[2:]))
    if comment:
        yield f"# {_(comment)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(item)}" for name, item in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return str(value)


def _text(text: str) -> str:
    """Return a basic string. TOML's escapes are JSON's, except that TOML also requires DEL to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
