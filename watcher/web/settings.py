"""The configuration as it is in force, the channels, and the wishes of this device."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher import portals
from watcher.clock.durations import format_duration
from watcher.errors import SettingsFaults
from watcher.messages import LANGUAGES, _, mark
from watcher.settings import Settings
from watcher.settings.key_names import KeyPath, toml_key
from watcher.web.context import WebContext
from watcher.web.device import LANGUAGE, THEME, THEMES, keep, theme_of
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.render import path_for, render
from watcher.web.request import context_of, require_all, sees_all

_LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}
_THEMES = {"": mark("The device's setting"), "light": mark("Light"), "dark": mark("Dark")}
_LEFT_OUT = frozenset({"name"})
_SOURCES = {
    "environment": mark("environment variable {name}"),
    "secret file": mark("secret file {name}"),
    "keyring": mark("keyring, {name}"),
    "configuration": mark("configuration file"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownValue:
    """A value of the configuration: its key in TOML, and where it comes from."""

    key: str
    value: str
    source: str
    is_default: bool


def show(request: Request) -> Response:
    """Show the configuration, without any secret, and what can be chosen for this device."""
    context, values = context_of(request), dict[str, Any]()
    if sees_all(request):
        origins, edited = _origins(context)
        values["groups"] = _groups(context.settings, origins)
        values["edited"] = edited
        values["file"] = str(context.config or "")
        values["channels"] = [(name, each.privacy) for name, each in context.settings.channels.items()]
    return render(
        request,
        "settings.html",
        all_seen=sees_all(request),
        languages=[(language, _LANGUAGES[language]) for language in LANGUAGES],
        chosen_language=request.cookies.get(LANGUAGE, ""),
        themes=[(theme, _(_THEMES[theme])) for theme in THEMES],
        chosen_theme=theme_of(request),
        **{"groups": [], "edited": "", "file": "", "channels": [], **values},
    )


def keep_wishes(request: Request, form: Form) -> Response:
    """Keep the language and the theme of this device."""
    language, theme = form.text(LANGUAGE), form.text(THEME)
    if language not in {"", *LANGUAGES} or theme not in THEMES:
        raise HTTPException(400)
    response = redirect(request, path_for(request, "settings"))
    keep(request, response, LANGUAGE, language)
    keep(request, response, THEME, theme)
    return response


def send_test(request: Request, _form: Form) -> Response:
    """Send a test alert to a channel."""
    require_all(request)
    context, name = context_of(request), request.path_params["channel"]
    if name not in context.settings.channels:
        raise HTTPException(404)
    outcome = context.perform("test_channel", channel=name)
    path = path_for(request, "settings")
    if outcome.refused:
        return redirect(request, path, Message(text=outcome.refused, kind="refused"))
    return redirect(request, path, *(Message(text=text) for text in outcome.texts))


def _origins(context: WebContext) -> tuple[Mapping[KeyPath, str], str]:
    """Return where each secret comes from, and a remark if the file is no longer what is in force."""
    from watcher.settings.load import load_configuration  # noqa: PLC0415 - only this page reads the configuration

    try:
        configuration = load_configuration(context.config, environ=context.environ, portals=portals)
    except (SettingsFaults, OSError):
        return {}, _("The configuration file has been changed since, and has faults. `watcher doctor` names them.")
    origins = {
        origin.key_path: _(_SOURCES[origin.source], name=origin.display_name) for origin in configuration.origins
    }
    if configuration.settings != context.settings:
        return origins, _("The configuration file has been changed since. The changes are not in force yet.")
    return origins, ""


def _groups(settings: Settings, origins: Mapping[KeyPath, str]) -> list[tuple[str, list[ShownValue]]]:
    """Return the values by their sections: the general ones first, then each table."""
    groups: list[tuple[str, list[ShownValue]]] = [("", [])]
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            groups.append((f"[{name}]", list(_values(value, (name,), origins))))
        elif name in {"accounts", "channels"}:
            groups += [
                (f"[{toml_key((name, key))}]", list(_values(section, (name, key), origins)))
                for key, section in value.items()
            ]
        else:
            groups[0][1].extend(_value(settings, name, (name,), origins))
    return groups


def _values(section: BaseModel, within: KeyPath, origins: Mapping[KeyPath, str]) -> Iterator[ShownValue]:
    for name in type(section).model_fields:
        if name not in _LEFT_OUT:
            yield from _value(section, name, (*within, name), origins)


def _value(section: BaseModel, name: str, key: KeyPath, origins: Mapping[KeyPath, str]) -> Iterator[ShownValue]:
    value = getattr(section, name)
    if isinstance(value, BaseModel):
        yield from _values(value, key, origins)
        return
    text = _text(value)
    if text is None:
        return
    is_default = name not in section.model_fields_set
    source = origins.get(key) or (_("default") if is_default else _("configuration file"))
    yield ShownValue(key=toml_key(key[-1:]), value=text, source=source, is_default=is_default and key not in origins)


def _text(value: object) -> str | None:
    """Return a value as it is shown; None for what is not a plain value. A secret is never shown."""
    if isinstance(value, SecretStr):
        return _("set, not shown") if value.get_secret_value() else _("not set")
    if value is None or value in ("", (), frozenset()):
        return _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping | tuple | frozenset):
        return _texts(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    shown = str(value)
    return None if shown.startswith("<") or len(shown) > 200 else shown  # noqa: PLR2004 - the model of a recipe


def _texts(values: Mapping[Any, Any] | tuple[Any, ...] | frozenset[Any]) -> str:
    """Return several values in one line."""
    if isinstance(values, Mapping):
        pairs = [(str(key), _text(item)) for key, item in values.items()]
        return ", ".join(f"{key}: {text}" for key, text in pairs if text is not None) or _("not set")
    texts = [text for item in values if (text := _text(item)) is not None]
    return ", ".join(sorted(texts) if isinstance(values, frozenset) else texts)
