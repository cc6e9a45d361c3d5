"""Faults of a configuration as lines for the user: the file, the key, and what would be valid.

No line shows the value of a secret: pydantic's errors have no inputs, and our own validators quote only values that are
not secret.
"""

from collections.abc import Iterable, Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from watcher.messages import _, mark
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, toml_key

_TABLE = mark("must be a section with its own keys, not a single value")
_LIST = mark('must be a list in square brackets, such as ["one", "two"]')
_TEXT = mark('must be text in quotes, such as "text"')
_MESSAGES = {
    "string_type": _TEXT,
    "path_type": _TEXT,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "missing": mark("is missing and has no default"),
    "too_short": mark("must not be empty"),
    "string_too_short": mark("must not be empty"),
    "greater_than_equal": mark("must be at least {ge}"),
    "less_than_equal": mark("must be at most {le}"),
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: the most similar of `known`, else all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only for a fault

    by_lower = {name.lower(): name for name in sorted(known)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    if near:
        return _('did you mean "{name}"?', name=by_lower[near[0]])
    if not by_lower:
        return _("none can be used here")
    return _("possible: {names}", names=", ".join(by_lower.values()))


def types_within(annotation: object) -> Iterator[Any]:
    """Yield the members of a type annotation, X and NoneType for `X | None`, but not the items of a container."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from types_within(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for part in get_args(annotation):
            yield from types_within(part)
    else:
        yield annotation


def section_at(model: type[BaseModel], key_path: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model of the section at `key_path` within `model`, or None."""
    current: object = model
    for part in key_path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = _section_of(field.annotation) if field else None
        else:
            # A dictionary of sections by name: continue with its values.
            current = _section_of(get_args(current)[1]) if get_origin(current) is dict else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _section_of(annotation: object) -> object:
    for kind in types_within(annotation):
        if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return kind
    return None


def fault_lines(error: ValidationError, *, model: type[BaseModel], key_path: KeyPath = ()) -> list[str]:
    """Return one line for each fault that pydantic found in the section at `key_path`, validated by `model`.

    A validator that finds several faults at once (in a file that a key names) separates them by line breaks.
    """
    return [
        f"{toml_key((*key_path, *fault['loc']))}: {line}"
        for fault in error.errors(include_input=False, include_url=False)
        for line in _message(fault, model, key_path).splitlines()
    ]


def _message(fault: Any, model: type[BaseModel], key_path: KeyPath) -> str:
    kind, location = fault["type"], fault["loc"]
    if kind == "extra_forbidden":
        section = section_at(model, location[:-1])
        known = set(section.model_fields) - {"name"} if section else ()
        return _("unknown key; {hint}", hint=did_you_mean(location[-1], known))
    if kind in {"enum", "literal_error"}:
        return _("must be one of {values}", values=fault["ctx"]["expected"].replace(" or ", ", "))
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind == "missing" and _is_secret(model, location):
        full_path = (*key_path, *location)
        file = secret_file_name(full_path)
        return _(
            "is missing; set the environment variable {variable}, write it here, or write it to the file {file} "
            "in secrets_dir",
            variable=env_name(full_path),
            file=file,
        )
    return _(_MESSAGES[kind], **fault.get("ctx", {})) if kind in _MESSAGES else str(fault["msg"])


def missing_secret_text(what: str, key_path: KeyPath) -> str:
    """Return that something needs a secret, and where to set it. `what` names what needs it."""
    return _(
        "{what} needs {key}; set the environment variable {variable}, write it here, or write it to the file {file} "
        "in secrets_dir",
        what=what,
        key=key_path[-1],
        variable=env_name(key_path),
        file=secret_file_name(key_path),
    )


def _is_secret(model: type[BaseModel], location: Sequence[str | int]) -> bool:
    section = section_at(model, location[:-1])
    field = section.model_fields.get(str(location[-1])) if section else None
    return field is not None and SecretStr in types_within(field.annotation)
