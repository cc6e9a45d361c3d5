"""Faults name their key, are reported together, and never show a secret."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from tests.settings.configuration import ApiAccount, ConfigFolder, Mailbox, OfficeAccount, as_toml
from watcher.settings import ChannelSettings, Settings
from watcher.settings.faults import section_at
from watcher.settings.key_names import KeyPath, toml_key
from watcher.settings.mailboxes import OfficialMailSettings

CANARY = "canary-in-a-coal-mine"
GOOD = {
    "url": "ntfys://ntfy.example.org/topic",
    "client_secret": "x",
    "host": "imap.example.org",
    "username": "x",
    "password": "x",
    "senders": ["example.gov"],
}
SUBSECTIONS = {"mailbox": Mailbox.model_fields, "official_mail": OfficialMailSettings.model_fields}
SECTIONS: list[tuple[KeyPath, type[BaseModel], dict[str, Any]]] = [
    ((), Settings, {}),
    (("accounts", "family"), OfficeAccount, {"portal": "office"}),
    (("accounts", "Mum & Dad"), ApiAccount, {"portal": "api"}),
    (("channels", "phone"), ChannelSettings, {}),
]


def keys_of(model: type[BaseModel], within: KeyPath = ()) -> Iterator[KeyPath]:
    for name in model.model_fields:
        if name != "name":
            yield (*within, name)
            section = section_at(model, [name])
            yield from keys_of(section, (*within, name)) if section else ()


def all_keys() -> list[tuple[KeyPath, type[BaseModel], dict[str, Any], KeyPath]]:
    return [(key_path, model, base, key) for key_path, model, base in SECTIONS for key in keys_of(model)]


def document(
    key_path: KeyPath, model: type[BaseModel], base: dict[str, Any], key: KeyPath, value: object
) -> dict[str, Any]:
    """Return a document whose section at `key_path` is valid except for `key`, which has `value`."""
    required = {name: GOOD[name] for name, field in model.model_fields.items() if name in GOOD and field.is_required()}
    section: dict[Any, Any] = {**required, **base}
    subsection = section
    for part in key[:-1]:
        subsection[part] = {name: GOOD[name] for name in SUBSECTIONS.get(str(part), ()) if name in GOOD}
        subsection = subsection[part]
    subsection[key[-1]] = value
    return {str(key_path[0]): {key_path[1]: section}} if key_path else section


@pytest.mark.parametrize("wrong", [-7.25, {"nonsense": True}, [[]]], ids=["number", "table", "list"])
@pytest.mark.parametrize(
    ("key_path", "model", "base", "key"),
    all_keys(),
    ids=lambda value: toml_key(value) if value and isinstance(value, tuple) else "",
)
def test_wrong_type_is_a_fault_that_names_the_key(
    config: ConfigFolder, key_path: KeyPath, model: type[BaseModel], base: dict[str, Any], key: KeyPath, wrong: object
) -> None:
    faults = config.faults(as_toml(document(key_path, model, base, key, wrong)), {"HOME": "/home/someone"})
    name = toml_key((*key_path, *key))
    assert all(fault.startswith(name) for fault in faults), faults
    assert len(faults) >= 1
    assert all(len(fault.split(": ", 1)[1]) > 10 for fault in faults), "says what would be right"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('timezone = "Mars/Olympus"', "timezone: use a time zone such as America/New_York"),
        ('[accounts.a]\nportal = "office"\ntimezone = "Mars"', "accounts.a.timezone: use a time zone such as"),
        ('language = "de"', "language: must be one of 'en', 'es', 'fr'"),
        ('langauge = "en"', 'langauge: unknown key; did you mean "language"?'),
        ("accounts = 5", "accounts: must be a section with its own keys"),
        ("[accounts]\nfamily = 5", "accounts.family: must be a section: write [accounts.family]"),
        ('[schedule]\nevery = "4 hours"', "schedule.every: '4 hours' is not a duration; use a whole number and a unit"),
        ('[schedule]\nevery = "0"', "schedule.every: must be more than 0"),
        ("[schedule]\nevery = 30", "schedule.every: a duration is text"),
        ('[stall.stages]\nbiometrix = "1d"', "stall.stages.biometrix: must be one of 'received'"),
        ('[stall.forms]\n"I-765" = "soon"', "stall.forms.I-765: 'soon' is not a duration"),
        ('[deadlines]\nremind = ["7d", "x"]', "deadlines.remind[1]: 'x' is not a duration"),
        ('[deadlines]\nremind = "7d"', "deadlines.remind: must be a list in square brackets"),
        ('[health]\nlisten = "8787"', "health.listen: use a host and a port"),
        (
            '[accounts.family]\nportal = "ofice"',
            "accounts.family.portal: there is no portal 'ofice'; use one of: api, office",
        ),
        ("[accounts.family]\ncases = []", "accounts.family.portal: is missing; use one of: api, office"),
        ('[accounts.family]\nportal = "office"\nname = "x"', "accounts.family.name: unknown key"),
        ('[accounts."a/b"]\nportal = "office"', 'accounts."a/b": a name starts with a letter or digit'),
        ('[accounts.family]\nportal = "office"\ncareful = "yes"', "accounts.family.careful: must be true or false"),
        (
            '[accounts.family]\nportal = "office"\nevery = "5m"',
            'accounts.family.every: 5m is too often for account family at office; use "1h" or more',
        ),
        ('[accounts.family]\nportal = "office"\nmailbox = { port = 1 }', "accounts.family.mailbox.host: is missing"),
        (
            '[accounts.family]\nportal = "office"\n[accounts.family.mailbox]\nhots = "x"',
            'accounts.family.mailbox.hots: unknown key; did you mean "host"?',
        ),
        (
            '[accounts.family]\nportal = "office"\nbase_url = "http://portal.example.org"',
            "accounts.family.base_url: use an address such as",
        ),
        (
            '[accounts.x]\nportal = "api"',
            "accounts.x.client_secret: is missing; set the environment variable WATCHER_ACCOUNTS__X__CLIENT_SECRET,",
        ),
        (
            '[accounts.x]\nportal = "office"\nper_second = true',
            "accounts.x.per_second: must be a number, without quotes",
        ),
        (
            '[accounts.x]\nportal = "office"\nmax_sign_ins_per_day = "5"',
            "accounts.x.max_sign_ins_per_day: must be a whole",
        ),
        ('[accounts.x]\nportal = "api"\nclient_secret = "x"\ntags = []', "accounts.x.tags: must not be empty"),
        (
            '[channels.phone]\nmin_severity = "loud"',
            "channels.phone.url: is missing; set the environment variable WATCHER_CHANNELS__PHONE__URL",
        ),
        ('[channels.phone]\nurl = "x"\nquiet = "x"', 'channels.phone.quiet: unknown key; did you mean "quiet_hours"?'),
        (
            '[channels.phone]\nurl = ""',
            "channels.phone.url: is missing; set the environment variable WATCHER_CHANNELS__PHONE__URL",
        ),
        ('[channels.phone]\nurl = " "', "channels.phone.url: is empty"),
        ('[channels.phone]\nurl = "x"\nkinds = ["rfe"]', "channels.phone.kinds[0]: must be one of 'rfe_received'"),
        (
            '[channels.phone]\nurl = "x"\naccounts = ["famly"]\n[accounts.family]\nportal = "office"',
            "channels.phone.accounts: there is no account 'famly'; did you mean \"family\"?",
        ),
        ('[channels.phone]\nurl = "x"\nquiet_hours = "late"', "channels.phone.quiet_hours: 'late' is not a time span"),
        ('[channels.phone]\nurl = "x"\ndigest = "hourly"', "channels.phone.digest: 'hourly' is not a digest"),
        (
            '[channels.phone]\nurl = "x"\nurgent_breaks_quiet = 1',
            "channels.phone.urgent_breaks_quiet: must be true or false",
        ),
        ('secrets_dir = "nowhere"', "secrets_dir: "),
    ],
)
def test_fault_says_what_would_be_valid(config: ConfigFolder, text: str, expected: str) -> None:
    assert any(fault.startswith(expected) for fault in config.faults(text, {"HOME": "/home/someone"}))


def test_all_faults_are_reported_together(config: ConfigFolder) -> None:
    faults = config.faults(
        'timezone = 5\n[schedule]\nevery = "x"\n'
        '[accounts.a]\nportal = "none"\n[accounts.b]\nportal = "office"\ncase = []\n'
        '[channels.c]\nurl = "x"\nkinds = ["y"]\n',
        {"WATCHER_STATE_KY": "x"},
    )
    keys = " ".join(fault.split(": ")[0] for fault in faults)
    assert keys == "WATCHER_STATE_KY accounts.a.portal accounts.b.case timezone schedule.every channels.c.kinds[0]"


def test_only_a_server_on_this_machine_may_be_checked_more_often(config: ConfigFolder) -> None:
    settings = config.settings('[accounts.x]\nportal = "office"\nevery = "1m"\nbase_url = "http://127.0.0.1:8080"')
    assert settings.accounts["x"].base_url == "http://127.0.0.1:8080"


def test_short_interval_of_the_schedule_is_a_fault(config: ConfigFolder) -> None:
    (fault,) = config.faults('[schedule]\nevery = "5m"\n[accounts.x]\nportal = "office"')
    assert fault.startswith("schedule.every: 5m is too often for account x at office")


def test_account_may_require_a_longer_interval_than_its_portal(config: ConfigFolder) -> None:
    (fault,) = config.faults('[accounts.x]\nportal = "office"\ndaily_only = true')
    assert fault == 'schedule.every: 4h is too often for account x at office; use "1d" or more'


@pytest.mark.parametrize(
    ("key_path", "model", "base", "key"),
    all_keys(),
    ids=lambda value: toml_key(value) if value and isinstance(value, tuple) else "",
)
def test_no_fault_shows_the_value_of_a_secret(
    config: ConfigFolder, key_path: KeyPath, model: type[BaseModel], base: dict[str, Any], key: KeyPath
) -> None:
    if key[-1] not in {"password", "client_secret", "url", "database_url", "state_key", "heartbeat_url", "token"}:
        wrong: object = -7.25
        secret = next(name for name in ("password", "client_secret", "url", "state_key") if name in model.model_fields)
        text = document(key_path, model, {**base, secret: CANARY}, key, wrong)
    else:
        text = document(key_path, model, base, key, [CANARY, {"deeper": CANARY}])
    assert all(CANARY not in fault for fault in config.faults(as_toml(text), {"HOME": "/home/someone"}))
