"""`[parameters]` of a recipe, and what an account gives for them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.recipe.account import account_of
from watcher import portals
from watcher.errors import SettingsFaults
from watcher.recipe.parse.check import RecipeFaults, parse_recipe
from watcher.settings.derived import secrets_in
from watcher.settings.load import load_configuration

HEAD = """name = "Office"
base_url = "https://office.example.gov"
[links]
sign_in = "https://office.example.gov/"
help = "https://office.example.gov/"
"""
CASE = """
[case]
get = "/case/{case_number}"
[case.fields]
status = "css:b"
"""
PARAMETERS = """[parameters]
place = { ask = { en = "Post", es = "Puesto" }, pattern = "[A-Z]{3}" }
born = { ask = "Date of birth", secret = true }
link = { ask = "Link", secret = true, per_case = true }
"""
USES = '[case]\npost = "/case/{case_number}"\nform = { a = "{place}", b = "{born}", c = "{link}" }\n'
RECIPE = HEAD + PARAMETERS + CASE.replace('[case]\nget = "/case/{case_number}"\n', USES)
GIVEN = {
    "cases": ["E1"],
    "parameters": {"place": "PEK", "born": "1990-01-31"},
    "case_parameters": {"E1": {"link": "x"}},
}


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(RecipeFaults) as caught:
        parse_recipe(text, "office.toml")
    return caught.value.faults


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("place = { }", "office.toml:7: parameters.place.ask: must say what to ask for"),
        ('place = { ask = "" }', "office.toml:7: parameters.place.ask.en: must be text"),
        ('place = { ask = { xx = "Post" } }', "parameters.place.ask.xx: is not one of the languages"),
        ('place = "Post"', "office.toml:7: parameters.place: must be a section"),
        ('Place = { ask = "Post" }', "a name consists of lowercase letters"),
        ('password = { ask = "Post" }', "this placeholder has another meaning"),
        ('place = { ask = "Post", pattern = "(" }', "parameters.place.pattern: this is not a regular expression"),
        ('place = { ask = "Post", pattern = "[A-Z]+", default = "7" }', "parameters.place.default: does not match"),
        ('place = { ask = "Post", secret = true, default = "7" }', "a secret has no default"),
        ('place = { ask = "Post", hidden = true }', "unknown key; possible"),
    ],
)
def test_fault_has_its_line(line: str, fault: str) -> None:
    faults = faults_of(f"{HEAD}[parameters]\n{line}\n{CASE}")

    assert any(fault in text and text.startswith("office.toml:7: ") for text in faults), faults


def test_parameter_of_a_case_is_not_available_in_the_sign_in() -> None:
    step = '[[sign_in]]\npost = "/in"\nform = { a = "{link}" }\nrejected = "css:i"\n[signed_out]\nany = "url:/in"\n'

    assert any("no earlier step sets {link}" in fault for fault in faults_of(RECIPE + step))


def test_secret_parameter_in_the_sign_in_is_a_credential() -> None:
    step = '[[sign_in]]\npost = "/in"\nform = { born = "{born}" }\n[signed_out]\nany = ["status:401"]\n[parameters]'

    assert any("rejected is missing" in fault for fault in faults_of(RECIPE.replace("[parameters]", step)))


def test_pending_status_needs_not_found() -> None:
    text = HEAD + CASE.replace("[case.fields]", 'pending_status = "Waiting"\n[case.fields]')

    assert any(fault.startswith("office.toml:9: case.pending_status: needs not_found") for fault in faults_of(text))


def account_faults(tmp_path: Path, **keys: Any) -> str:
    (tmp_path / "office.toml").write_text(RECIPE)
    with pytest.raises(ValidationError) as caught:
        account_of(tmp_path / "office.toml", **{**GIVEN, **keys})
    return str(caught.value)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"parameters": {"born": "1990"}}, "needs parameters.place: Post"),
        ({"parameters": {"place": "PEK"}}, "WATCHER_ACCOUNTS__FAMILY__PARAMETERS__BORN"),
        ({"parameters": {"place": "pek", "born": "1990"}}, "parameters.place: this is not what is asked for: Post"),
        ({"parameters": {"place": "PEK", "born": "\n"}}, "parameters.born: this is not what is asked for"),
        ({"parameters": {**GIVEN["parameters"], "link": "x"}}, "parameters.link: each case has its own"),  # type: ignore[dict-item]
        ({"parameters": {**GIVEN["parameters"], "plaec": "x"}}, 'did you mean "place"?'),  # type: ignore[dict-item]
        ({"parameters": {"place": 7, "born": "1990"}}, "must be text in quotes"),
        ({"case_parameters": {}}, "WATCHER_ACCOUNTS__FAMILY__CASE_PARAMETERS__E1__LINK"),
        (
            {"case_parameters": {"E1": {"link": "x"}, "E2": {"link": "x"}}},
            "case_parameters.E2: this number is not in cases",
        ),
        ({"cases": [], "case_parameters": {}}, "needs cases"),
    ],
)
def test_fault_of_an_account_names_the_key(tmp_path: Path, keys: dict[str, Any], fault: str) -> None:
    assert fault in account_faults(tmp_path, **keys)


def test_fault_never_shows_a_value(tmp_path: Path) -> None:
    assert "s3cret" not in account_faults(tmp_path, parameters={"place": "s3cret-place", "born": "s3cret\n"})


def test_only_secret_values_are_secrets(tmp_path: Path) -> None:
    (tmp_path / "office.toml").write_text(RECIPE)
    account = account_of(tmp_path / "office.toml", **GIVEN)

    assert sorted(secrets_in(account)) == ["1990-01-31", "x"]
    assert account.parameters == {"place": "PEK", "born": SecretStr("1990-01-31")}
    assert account.credential() is None


CONFIGURATION = """
state_dir = "{folder}"
secrets_dir = "{folder}/secrets"
[accounts.visa]
portal = "recipe"
recipe = "office.toml"
cases = ["26-1"]
parameters = {{ place = "PEK" {more} }}
"""


def write_configuration(tmp_path: Path, *, more: str = "", mode: int = 0o644) -> Path:
    (tmp_path / "office.toml").write_text(RECIPE)
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "watcher.toml"
    file.write_text(CONFIGURATION.format(folder=tmp_path, more=more))
    file.chmod(mode)
    return file


def test_secrets_come_from_environment_and_secret_file(tmp_path: Path) -> None:
    file = write_configuration(tmp_path)
    secret = tmp_path / "secrets" / "accounts__visa__case_parameters__26_1__link"
    secret.write_text("the-link\n")
    secret.chmod(0o600)

    configuration = load_configuration(
        file, environ={"WATCHER_ACCOUNTS__VISA__PARAMETERS__BORN": "1990-01-31"}, portals=portals
    )

    account = configuration.settings.accounts["visa"]
    assert isinstance(account, portals.find("recipe").account)
    assert sorted(secrets_in(account)) == ["1990-01-31", "the-link"]
    assert [origin.source for origin in configuration.origins] == ["secret file", "environment"]


def test_secret_in_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = write_configuration(tmp_path, more=', born = "1990-01-31"')

    with pytest.raises(SettingsFaults, match=r"accounts\.visa\.parameters\.born: this file contains a secret"):
        load_configuration(file, environ={}, portals=portals)
