"""The example configuration loads unchanged and shows every key."""

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.settings.configuration import ConfigFolder, as_toml
from watcher import portals
from watcher.delivery.apprise_notifier import check_url
from watcher.settings import ChannelSettings, Settings
from watcher.settings.faults import section_at
from watcher.settings.key_names import KeyPath
from watcher.settings.load import load
from watcher.settings.mailboxes import OfficialMailSettings

EXAMPLE = Path(__file__).parents[2] / "config" / "watcher.example.toml"
NAME_TABLES = {("accounts",), ("channels",)}


def uncommented() -> str:
    return re.sub(r'(?m)^#(?=[a-z"\[])', "", EXAMPLE.read_text())


def keys_of(model: type[BaseModel], within: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every key that a section of this model may have, without names that the user chooses."""
    for name in model.model_fields:
        key_path = (*within, name)
        section = section_at(model, [name])
        if section is not None:
            yield from keys_of(section, key_path)
        elif name != "name" and key_path not in NAME_TABLES:
            yield key_path


def keys_in(keys: Mapping[str, Any], model: type[BaseModel], within: KeyPath = ()) -> Iterator[KeyPath]:
    for name, value in keys.items():
        section = section_at(model, [name])
        if section is not None:
            yield from keys_in(value, section, (*within, name))
        elif (*within, name) not in NAME_TABLES:
            yield (*within, name)


def accounts_at(portal: str) -> list[dict[str, Any]]:
    return [account for account in tomllib.loads(uncommented())["accounts"].values() if account["portal"] == portal]


def test_example_loads_unchanged(config: ConfigFolder) -> None:
    file = config.write(EXAMPLE.read_text(), mode=0o644)
    settings = load(file, environ={"HOME": "/home/someone"}, portals=portals)
    assert settings.accounts == {}


def test_example_values_are_the_defaults(config: ConfigFolder) -> None:
    example = load(config.write(EXAMPLE.read_text()), environ={"HOME": "/home/someone"}, portals=portals)
    empty = load(config.write(""), environ={"HOME": "/home/someone"}, portals=portals)
    assert example == empty


def test_commented_values_are_valid(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE.parent, tmp_path, dirs_exist_ok=True)
    keys = tomllib.loads(uncommented())
    (tmp_path / "secrets").mkdir()
    keys["secrets_dir"] = "secrets"
    keys["accounts"] = {
        name: account for name, account in keys["accounts"].items() if account["portal"] in portals.names()
    }
    file = tmp_path / "watcher.toml"
    file.write_text(as_toml(keys))
    file.chmod(0o600)
    environ = {
        "WATCHER_ACCOUNTS__FAMILY__MAILBOX__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__FAMILY__OFFICIAL_MAIL__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__OFFICE__CLIENT_SECRET": "made-up",
        "WATCHER_ACCOUNTS__CANADA__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__MAILBOX__PASSWORD": "made-up",
        "WATCHER_ACCOUNTS__ELSEWHERE__TOTP_SECRET": "JBSWY3DPEHPK3PXP",
    }
    settings = load(file, environ=environ, portals=portals, channel_fault=check_url)
    assert set(settings.accounts) == set(keys["accounts"])


def test_example_shows_every_key_of_the_configuration() -> None:
    assert set(keys_in(tomllib.loads(uncommented()), Settings)) == set(keys_of(Settings))


def test_example_shows_every_key_of_a_channel() -> None:
    (channel,) = tomllib.loads(uncommented())["channels"].values()
    assert set(keys_in(channel, ChannelSettings)) == set(keys_of(ChannelSettings))


@pytest.mark.parametrize("portal", portals.names())
def test_example_shows_every_key_of_each_portal(portal: str) -> None:
    model = portals.find(portal).account
    keys = {key for account in accounts_at(portal) for key in keys_in(account, model)}
    common = {
        ("cases",),
        ("every",),
        ("base_url",),
        ("ca_file",),
        ("timezone",),
        ("max_sign_ins_per_day",),
        ("save_notices",),
        *keys_of(OfficialMailSettings, ("official_mail",)),
    }
    assert set(keys_of(model)) - common <= keys <= set(keys_of(model))


def test_every_key_has_an_explanation_above_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    unexplained = [line for before, line in pairwise(lines) if re.match(r"#?[a-z_]+ =", line) and not before]
    assert not unexplained
