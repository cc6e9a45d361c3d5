"""`watcher init` as a real command: answers on a pipe, a local portal and a local phone."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.practice_workspace import FIRST, RECIPE, PracticeWorkspace, practice_workspace
from tests.servers.webhook import Webhook, webhook
from tests.support.workspace import Workspace

DEFAULTS = ["", ""]  # language and time zone as offered
NO = ["n"]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    """Yield a workspace with a portal and without a configuration."""
    with practice_workspace(tmp_path) as workspace:
        workspace.config.unlink()
        workspace.environ = {"TZ": "UTC"}
        yield workspace


@pytest.fixture
def phone() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


def account(family: PracticeWorkspace, *, password: str | None = None) -> list[str]:
    portal_account = family.portal.account
    return [
        *("family", "recipe", str(RECIPE), family.portal.base_url, str(family.portal.ca_file)),
        *(portal_account.username, password or portal_account.password, portal_account.totp_secret or "", ""),
    ]


def channel(phone: Webhook) -> list[str]:
    return ["y", "phone", f"json://{phone.host}/phone", "routine", "", "22:00-07:00"]


def answers(*parts: list[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)


def test_creates_a_working_configuration_from_nothing(family: PracticeWorkspace, phone: Webhook) -> None:
    stdin = answers(DEFAULTS, account(family), NO, channel(phone), NO, NO, ["y", "y"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "family: ok, 2 cases checked" in result.out
    assert "phone: sent" in result.out
    assert FIRST in result.out
    assert "watcher run" in result.out
    assert "service install --user" in result.out  # a system service cannot see a home folder or /tmp
    assert family.sign_ins == 1
    assert len(phone.requests) == 1
    family.run("doctor", "--offline")
    assert family.run("status", "--json").json["accounts"][0]["state"] == "ok"


def test_secrets_are_only_in_files_that_only_the_owner_can_read(family: PracticeWorkspace, phone: Webhook) -> None:
    stdin = answers(DEFAULTS, account(family), NO, channel(phone), NO, NO, ["n", "n"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin)
    portal_account = family.portal.account
    secrets = {file.name: file.read_text() for file in (family.folder / "secrets").iterdir()}
    assert secrets == {
        "accounts__family__password": f"{portal_account.password}\n",
        "accounts__family__totp_secret": f"{portal_account.totp_secret}\n",
        "channels__phone__url": f"json://{phone.host}/phone\n",
    }
    assert {file.stat().st_mode & 0o777 for file in (family.folder / "secrets").iterdir()} == {0o600}
    assert (family.folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert family.config.stat().st_mode & 0o777 == 0o600
    for secret in (portal_account.password, portal_account.totp_secret or "", phone.host):
        assert secret not in family.config.read_text() + result.out + result.err
    assert family.sign_ins == 0
    assert phone.requests == []


def test_two_configurations_in_one_folder_do_not_share_secrets(family: PracticeWorkspace) -> None:
    for name in ("parents", "aunt"):
        stdin = answers(DEFAULTS, account(family, password=f"of {name}"), NO, NO, NO, ["n"])
        family.run("init", "--config", f"{name}.toml", stdin=stdin)
    for name in ("parents", "aunt"):
        password = family.folder / f"{name}.secrets" / "accounts__family__password"
        assert password.read_text() == f"of {name}\n"


def test_continues_after_an_interruption_without_losing_answers(family: PracticeWorkspace) -> None:
    previous = account(family)
    family.run("init", "--config", "watcher.toml", stdin=answers(DEFAULTS, previous[:6]), expect=(130,))
    assert not family.config.exists()
    assert family.portal.account.username in (family.folder / "watcher.toml.unfinished").read_text()

    remaining = ["", "", "", "", "", *previous[6:]]  # earlier answers are the defaults
    stdin = answers(DEFAULTS, remaining, NO, NO, NO, ["n"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "Continuing with your earlier answers" in result.err
    assert not (family.folder / "watcher.toml.unfinished").exists()
    section = tomllib.loads(family.config.read_text())["accounts"]["family"]
    assert section == {
        "portal": "recipe",
        "recipe": str(RECIPE),
        "base_url": family.portal.base_url,
        "ca_file": str(family.portal.ca_file),
        "username": family.portal.account.username,
    }


def test_remaining_questions_are_asked_although_the_answers_suffice(family: PracticeWorkspace, phone: Webhook) -> None:
    """The account works without the authenticator's secret, so nobody would notice that it was never asked for."""
    family.run("init", "--config", "watcher.toml", stdin=answers(DEFAULTS, account(family)[:7]), expect=(130,))
    remaining = [*[""] * 6, *account(family)[7:]]
    family.run(
        "init",
        "--config",
        "watcher.toml",
        stdin=answers(DEFAULTS, remaining, NO, channel(phone)[:3]),
        expect=(130,),
    )
    secrets = {file.name for file in (family.folder / "secrets").iterdir()}
    assert "accounts__family__totp_secret" in secrets
    stdin = answers(DEFAULTS, ["n"], NO, ["", "routine", "full", "-"], NO, NO, ["y", "n"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "family: ok" in result.out
    keys = tomllib.loads(family.config.read_text())
    assert keys["channels"]["phone"] == {"min_severity": "routine", "privacy": "full"}
    assert "Interrupted in" not in family.config.read_text()


def test_existing_configuration_provides_defaults_and_keeps_other_keys(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret, every="6h")
    previous = family.config.read_text()
    family.run("init", stdin=answers(["fr", ""], ["n"], NO, NO, NO, ["n"]))
    keys = tomllib.loads(family.config.read_text())
    assert keys["language"] == "fr"
    assert keys["stall"] == {"after": "0"}
    assert keys["accounts"]["family"]["every"] == "6h"
    assert (family.folder / "watcher.toml.old").read_text() == previous
    assert (family.folder / "watcher.toml.old").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_configuration_readable_by_a_service_stays_readable(family: PracticeWorkspace, mode: int) -> None:
    stdin = answers(DEFAULTS, account(family), NO, NO, NO, ["n"])
    family.run("init", "--config", "watcher.toml", stdin=stdin)
    family.config.chmod(mode)
    family.run("init", stdin=answers(["fr", ""], ["n"], NO, NO, NO, ["n"]))
    assert family.config.stat().st_mode & 0o777 == mode
    assert 'language = "fr"' in family.config.read_text()


def test_configuration_with_a_secret_is_made_private(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret)
    family.config.chmod(0o644)
    family.run("init", stdin=answers(["fr", ""], ["n"], NO, NO, NO, ["n"]))
    assert family.config.stat().st_mode & 0o777 == 0o600


def test_invalid_answer_is_reported_and_asked_again(family: PracticeWorkspace) -> None:
    account_answers = account(family)
    account_answers.insert(2, "no-such-recipe.toml")
    stdin = answers(["en", "Nowhere/Land", "America/New_York"], account_answers, NO, NO, NO, ["n"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "such as America/New_York" in result.err
    assert "no-such-recipe.toml" in result.err
    assert result.err.count("Please correct this answer.") == 2
    assert tomllib.loads(family.config.read_text())["timezone"] == "America/New_York"


def test_rejected_password_is_submitted_once_and_exits_with_1(family: PracticeWorkspace) -> None:
    stdin = answers(DEFAULTS, account(family, password="wrong-password"), NO, NO, NO, ["y"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin, expect=(1,))
    assert family.sign_ins == 1
    assert "rejected" in result.err
    assert "wrong-password" not in result.out + result.err


def test_account_with_a_browser_session_gets_instructions(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["family", "uscis", "session", "IOE0000000001"], NO, NO, NO)
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "Sign in at my.uscis.gov or myaccount.uscis.gov" in result.out
    assert "watcher login family --cookies FILE  # sign in" in result.out
    assert "IOE0000000001" in result.out
    assert "not checked yet" in result.out


def test_hand_over_is_the_recommended_way_for_uscis(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["family", "uscis", "", "", ""], NO, NO, NO)
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "recommended" in result.out + result.err
    configuration = empty_workspace.config.read_text()
    assert 'sign_in = "handover"' in configuration
    assert 'every = "3d"' in configuration
    assert "watcher import family FILE..." in result.out
    assert "login" not in result.out


def test_page_is_on_by_default_for_an_account_that_is_handed_over(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["family", "uscis", "", "", ""], NO, NO, [""])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "watcher handover family" in result.out
    assert 'listen = "127.0.0.1:8788"' in empty_workspace.config.read_text()


def test_names_are_quoted_in_commands(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["a/b", "Mum & Dad", "uscis", "session", ""], NO, NO, NO)
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "a name starts with a letter or digit" in result.err
    assert "watcher login 'Mum & Dad' --cookies FILE" in result.out
    assert 'All cases in the account "Mum & Dad" will be watched.' in result.out


def test_case_number_is_checked_where_it_is_given(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["family", "uscis", "session", "IOE123", "IOE0000000001"], NO, NO, NO)
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "must be a receipt number: three letters and ten digits" in result.err
    assert 'cases = ["IOE0000000001"]' in empty_workspace.config.read_text()


def test_empty_address_of_the_api_warns_of_the_sandbox(empty_workspace: Workspace) -> None:
    account_answers = ["office", "uscis-api", "made-up-id", "made-up-secret", "IOE0000000001", ""]
    stdin = answers(DEFAULTS, account_answers, NO, NO, NO, ["n"])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "Which portal to choose: " in result.err
    assert "Register at https://developer.uscis.gov" in result.err
    assert "this account reads the USCIS sandbox" in result.err


def test_unusable_channel_address_is_refused_at_once(family: PracticeWorkspace, phone: Webhook) -> None:
    valid_answers = channel(phone)
    stdin = answers(
        DEFAULTS,
        account(family),
        NO,
        [*valid_answers[:2], "nonsense", "ntfys://ntfy.example.org", *valid_answers[2:]],
        ["n", "n", "n"],
    )
    result = family.run(
        "init", "--config", "watcher.toml", stdin=stdin, expect=(130,)
    )  # the input ends at the question about the test alert
    assert "isn't an address that Apprise understands" in result.err
    assert "has no topic" in result.err
    assert "nonsense" not in result.err


def test_failed_test_alert_is_reported_with_the_reason(family: PracticeWorkspace, phone: Webhook) -> None:
    phone.status = 500
    stdin = answers(DEFAULTS, account(family), NO, channel(phone), NO, NO, ["n", "y"])
    result = family.run("init", "--config", "watcher.toml", stdin=stdin, expect=(1,))
    assert "phone: not sent" in result.err
    assert "500" in result.err
    assert phone.host not in result.out + result.err


def test_name_of_an_existing_channel_is_not_changed_unasked(family: PracticeWorkspace, phone: Webhook) -> None:
    family.configure()
    added = channel(phone)
    stdin = answers(DEFAULTS, NO, NO, added, [*added[:2], "n", "tablet", *added[2:]], NO, NO, ["n", "n"])
    result = family.run("init", stdin=stdin)
    assert 'There is already a channel "phone".' in result.err
    assert tomllib.loads(family.config.read_text())["channels"].keys() == {"phone", "tablet"}


def test_certificate_authority_is_asked_for_only_with_an_address(empty_workspace: Workspace) -> None:
    stdin = answers(
        DEFAULTS, ["family", "recipe", str(RECIPE), "", "anna", "made-up-secret", "", ""], NO, NO, NO, ["n"]
    )
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "CA certificate file" not in result.err


def test_questions_are_in_the_chosen_language(empty_workspace: Workspace) -> None:
    stdin = answers(["es", ""], ["family", "uscis", "session", ""], NO, NO, NO)
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    before, _, after = result.err.partition("Español")
    assert "Language for alerts?" in before
    assert "Your choice" not in after.partition("Français\nYour choice [en]: ")[2]
    assert "Su elección [uscis]" in after


SIGN_IN = re.compile(r"(\S+)/sign-in/[\w-]{43}\n")


def test_page_is_offered_for_this_machine(empty_workspace: Workspace) -> None:
    stdin = answers(DEFAULTS, ["family", "uscis", "session", ""], NO, NO, ["y"])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert tomllib.loads(empty_workspace.config.read_text())["web"] == {"listen": "127.0.0.1:8788"}
    assert SIGN_IN.findall(result.out) == ["http://127.0.0.1:8788"]
    again = empty_workspace.run("init", "--config", "watcher.toml", stdin=answers(DEFAULTS, NO, NO, NO))
    assert "in a browser" not in again.err


def test_page_is_on_by_default_in_a_container(empty_workspace: Workspace) -> None:
    empty_workspace.environ = {"container": "oci", "PAGE_URL": "http://192.168.1.20:8788"}
    stdin = answers(DEFAULTS, ["family", "uscis", "session", ""], NO, NO, ["", "nonsense", ""])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert tomllib.loads(empty_workspace.config.read_text())["web"] == {
        "listen": "0.0.0.0:8788",
        "url": "http://192.168.1.20:8788",
        "insecure_lan": True,
    }
    assert SIGN_IN.findall(result.out) == ["http://192.168.1.20:8788"]


def test_page_with_https_needs_no_exception(empty_workspace: Workspace) -> None:
    empty_workspace.environ = {"container": "oci"}
    url = "https://home.example.org/watcher"
    stdin = answers(DEFAULTS, ["family", "uscis", "session", ""], NO, NO, ["y", url])
    empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert tomllib.loads(empty_workspace.config.read_text())["web"] == {"listen": "0.0.0.0:8788", "url": url}


PUBLIC = """name = "Visa Office"
base_url = "https://visa.example.gov"
[links]
sign_in = "https://visa.example.gov/"
help = "https://visa.example.gov/"
[parameters]
place = { ask = { en = "Diplomatic post", es = "Puesto" }, pattern = "[A-Z]{3}" }
born = { ask = "Date of birth", secret = true }
link = { ask = "Code of the link", secret = true, per_case = true }
[case]
post = "/{place}/{link}"
form = { born = "{born}" }
[case.fields]
status = "css:b"
"""


def test_asks_for_the_parameters_of_the_recipe(family: PracticeWorkspace) -> None:
    recipe = family.folder / "visa.toml"
    recipe.write_text(PUBLIC)
    basic = ["visa", "recipe", str(recipe), "", "", "", "", "card.1"]
    stdin = answers(DEFAULTS, basic, ["PEK", "1990-01-31", "made-up-link"], NO, NO, NO, ["n"])

    result = family.run("init", "--config", "watcher.toml", stdin=stdin)

    assert "card.1: Code of the link" in result.err + result.out
    section = tomllib.loads(family.config.read_text())["accounts"]["visa"]
    assert (section["cases"], section["parameters"]) == (["card.1"], {"place": "PEK"})
    secrets = {file.name: file.read_text() for file in (family.folder / "secrets").iterdir()}
    assert secrets == {
        "accounts__visa__parameters__born": "1990-01-31\n",
        "accounts__visa__case_parameters__card_1__link": "made-up-link\n",
    }
    family.run("doctor", "--offline", expect=(0, 1))


def test_shipped_recipe_is_chosen_by_name_and_asks_only_for_what_it_needs(empty_workspace: Workspace) -> None:
    link = "00000000-0000-4000-8000-000000000001"
    stdin = answers(DEFAULTS, ["family", "recipe", "pt-aima-tracking", "card-1", link], NO, NO, NO, ["n"])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "pt-aima-tracking     Portugal: AIMA process, by tracking link" in result.err
    section = tomllib.loads((empty_workspace.folder / "watcher.toml").read_text())["accounts"]["family"]
    assert section.pop("case_parameters") == {"card-1": {}}, "the link is in a secret file"
    assert section == {"portal": "recipe", "recipe": "pt-aima-tracking", "cases": ["card-1"]}
    assert link not in result.out + result.err
    assert "its recipe" in empty_workspace.run("doctor", "--config", "watcher.toml", expect=(0, 1)).out


def test_parameters_of_a_recipe_are_asked_for(empty_workspace: Workspace) -> None:
    again = ["", "", "", "TPE"]
    stdin = answers(DEFAULTS, ["family", "recipe", "be-infovisa", "12345", "Taipei", *again], NO, NO, NO, ["n"])
    result = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "this is not what is asked for" in result.err
    section = tomllib.loads((empty_workspace.folder / "watcher.toml").read_text())["accounts"]["family"]
    assert section["parameters"] == {"place": "TPE"}
