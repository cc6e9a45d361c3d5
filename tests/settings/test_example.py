"""The example configuration: it loads as it is, and shows every key that there is."""

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.settings.configuration import Bench, as_toml
from watcher import portals
from watcher.delivery.apprise_notifier import check_url
from watcher.settings import ChannelSettings, Settings
from watcher.settings.faults import section_at
from watcher.settings.key_names import KeyPath
from watcher.settings.load import load

EXAMPLE = Path(__file__).parents[2] / "config" / "watcher.example.toml"
NAMED = {("accounts",), ("channels",)}


def uncommented() -> str:
    return re.sub(r'(?m)^#(?=[a-z"\[])', "", EXAMPLE.read_text())


def keys_of(model: type[BaseModel], within: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key that a section of this model may hold; keys that are the user's own names are left out."""
    for name in model.model_fields:
        place = (*within, name)
        inner = section_at(model, [name])
        if inner is not None:
            yield from keys_of(inner, place)
        elif name != "name" and place not in NAMED:
            yield place


def shown(keys: Mapping[str, Any], model: type[BaseModel], within: KeyPath = ()) -> Iterator[KeyPath]:
    for name, value in keys.items():
        inner = section_at(model, [name])
        if inner is not None:
            yield from shown(value, inner, (*within, name))
        elif (*within, name) not in NAMED:
            yield (*within, name)


def accounts_at(portal: str) -> list[dict[str, Any]]:
    return [account for account in tomllib.loads(uncommented())["accounts"].values() if account["portal"] == portal]


def test_it_loads_as_it_is(bench: Bench) -> None:
    file = bench.write(EXAMPLE.read_text(), mode=0o644)
    settings = load(file, environ={"HOME": "/home/someone"}, portals=portals)
    assert settings.accounts == {}


def test_its_values_are_the_defaults(bench: Bench) -> None:
    as_it_is = load(bench.write(EXAMPLE.read_text()), environ={"HOME": "/home/someone"}, portals=portals)
    empty = load(bench.write(""), environ={"HOME": "/home/someone"}, portals=portals)
    assert as_it_is == empty


def test_its_commented_values_are_right_too(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE.parent, tmp_path, dirs_exist_ok=True)
    keys = tomllib.loads(uncommented())
    (tmp_path / "secrets").mkdir()
    keys["secrets_dir"] = "secrets"
    keys["accounts"] = {name: one for name, one in keys["accounts"].items() if one["portal"] in portals.names()}
    file = tmp_path / "watcher.toml"
    file.write_text(as_toml(keys))
    file.chmod(0o600)
    environ = {
        "WATCHER_ACCOUNTS__FAMILY__MAILBOX__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__OFFICE__CLIENT_SECRET": "made-up",
        "WATCHER_ACCOUNTS__CANADA__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__MAILBOX__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__TOTP_SECRET": "JBSWY3DPEHPK3PXP",
    }
    settings = load(file, environ=environ, portals=portals, channel_fault=check_url)
    assert set(settings.accounts) == set(keys["accounts"])


def test_it_shows_every_key_of_the_configuration() -> None:
    assert set(shown(tomllib.loads(uncommented()), Settings)) == set(keys_of(Settings))


def test_it_shows_every_key_of_a_channel() -> None:
    (channel,) = tomllib.loads(uncommented())["channels"].values()
    assert set(shown(channel, ChannelSettings)) == set(keys_of(ChannelSettings))


@pytest.mark.parametrize("portal", portals.names())
def test_it_shows_every_key_of_each_portal(portal: str) -> None:
    model = portals.find(portal).account
    found = {key for account in accounts_at(portal) for key in shown(account, model)}
    everywhere = {("cases",), ("every",), ("base_url",), ("ca_file",), ("max_sign_ins_per_day",), ("save_notices",)}
    assert set(keys_of(model)) - everywhere <= found <= set(keys_of(model))


def test_every_key_stands_below_its_meaning() -> None:
    lines = EXAMPLE.read_text().splitlines()
    bare = [line for before, line in pairwise(lines) if re.match(r"#?[a-z_]+ =", line) and not before]
    assert not bare, "a key without a line that explains it"
