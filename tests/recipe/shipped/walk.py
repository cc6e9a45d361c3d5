"""An installation whose account follows a shipped recipe to a double that serves its recorded answers over HTTPS."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from watcher.errors import UnexpectedAnswer
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.parse.shipped import FOLDER
from watcher.recipe.workshop.expected import Expectation
from watcher.recipe.workshop.recorded import Playback

_HEADERS = ("content-type", "server", "location", "set-cookie", "retry-after")


@dataclass(slots=True)
class RecordedWebsite:
    """The website of one recipe: it gives the answers of the folder that `show` was called with last."""

    recipe: str
    playback: Playback | None = None
    unknown: list[str] = field(default_factory=list)

    def show(self, folder: Path) -> None:
        self.playback = Playback(folder)

    def answer(self, request: ReceivedRequest) -> bytes:
        assert self.playback is not None
        path = request.target.partition("?")[0]
        try:
            answer = self.playback.find(request.method, path)
        except UnexpectedAnswer:
            self.unknown.append(f"{request.method} {request.target}")
            return reply(404)
        own = f"https://{request.headers['host']}"
        headers = {name.replace("-", "_"): answer.headers[name] for name in _HEADERS if name in answer.headers}
        headers = {name: self._at(value, own) for name, value in headers.items()}
        return reply(answer.status, self._at(answer.body.decode(), own).encode(), **headers)

    def _at(self, text: str, own: str) -> str:
        """Return a text with the addresses of the recipe's hosts changed to this server's, so that links lead here."""
        recipe = load_recipe(FOLDER / f"{self.recipe}.toml")
        for origin in (recipe.base_url, *(f"https://{host}" for host in recipe.hosts)):
            text = text.replace(origin, own)
        return text


@contextmanager
def serve_recorded(website: RecordedWebsite, authority: trustme.CA) -> Iterator[LoopbackServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(website.answer, context) as server:
        yield server


def configuration(recipe: str, origin: str, expected: Expectation, folder: Path) -> Path:
    """Write a configuration with one account, which has the values that `expected` names."""
    parsed = load_recipe(FOLDER / f"{recipe}.toml")
    keys: dict[str, Any] = {key: "made-up" for key in ("username", "password") if key in parsed.placeholders}
    keys |= expected.account
    if parsed.cases is None:
        keys.setdefault("cases", list(expected.cases))
    sections: dict[str, Any] = {key: keys.pop(key) for key in ("parameters", "case_parameters") if key in keys}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    file = folder / "watcher.toml"
    file.write_text(
        "\n".join(
            [
                'timezone = "Europe/Rome"',
                'state_dir = "state"',
                "[accounts.family]",
                'portal = "recipe"',
                f'recipe = "{recipe}"',
                f'base_url = "{origin}"',
                'ca_file = "authority.pem"',
                *lines,
                *_parameter_lines(sections),
                "[channels.phone]",
                'url = "json://127.0.0.1:1/"',
                'privacy = "full"',
                'detail = "full"',
                "",
            ]
        )
    )
    file.chmod(0o600)
    return file


def _parameter_lines(sections: dict[str, Any]) -> Iterator[str]:
    tables: dict[tuple[str, ...], Any] = {("parameters",): sections.get("parameters", {})}
    tables |= {("case_parameters", number): given for number, given in sections.get("case_parameters", {}).items()}
    for path, table in tables.items():
        yield f"[accounts.family.{'.'.join(map(json.dumps, path))}]"
        yield from (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items())
