"""`watcher init`, run for real: answers on a pipe, a portal and a phone on loopback."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.practice_workspace import FIRST, RECIPE, PracticeWorkspace, practice_workspace
from tests.servers.webhook import Webhook, webhook
from tests.support.workspace import Workspace

PERSON = ["", ""]  # language and time zone as offered
NO_MORE = ["n"]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    """The portal is there, and nothing has been set up yet."""
    with practice_workspace(tmp_path) as made:
        made.config.unlink()
        made.environ = {"SSL_CERT_FILE": str(made.portal.ca_file), "TZ": "UTC"}
        yield made


@pytest.fixture
def phone() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def account(family: PracticeWorkspace, *, password: str | None = None) -> list[str]:
    known = family.portal.account
    return [
        *("family", "recipe", str(RECIPE), family.portal.base_url, known.username),
        *(password or known.password, known.totp_secret or "", ""),
    ]


def channel(phone: Webhook) -> list[str]:
    return ["y", "phone", f"json://{phone.host}/phone", "routine", "", "22:00-07:00"]


def answers(*parts: list[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)


def test_from_nothing_to_a_configuration_that_works(family: PracticeWorkspace, phone: Webhook) -> None:
    stdin = answers(PERSON, account(family), NO_MORE, channel(phone), NO_MORE, ["y", "y"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "family: ok, 2 cases read" in said.out
    assert "phone: sent" in said.out
    assert FIRST in said.out
    assert "watcher run" in said.out
    assert "service install --user" in said.out  # what lies in a home or in /tmp is nothing for the system's
    assert family.sign_ins == 1
    assert len(phone.requests) == 1
    family.run("doctor", "--offline")
    assert family.run("status", "--json").json["accounts"][0]["state"] == "ok"


def test_secrets_lie_in_files_for_the_owner_alone_and_nowhere_else(family: PracticeWorkspace, phone: Webhook) -> None:
    stdin = answers(PERSON, account(family), NO_MORE, channel(phone), NO_MORE, ["n", "n"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin)
    known = family.portal.account
    kept = {file.name: file.read_text() for file in (family.folder / "secrets").iterdir()}
    assert kept == {
        "accounts__family__password": f"{known.password}\n",
        "accounts__family__totp_secret": f"{known.totp_secret}\n",
        "channels__phone__url": f"json://{phone.host}/phone\n",
    }
    assert {file.stat().st_mode & 0o777 for file in (family.folder / "secrets").iterdir()} == {0o600}
    assert (family.folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert family.config.stat().st_mode & 0o777 == 0o600
    for secret in (known.password, known.totp_secret or "", phone.host):
        assert secret not in family.config.read_text() + said.out + said.err
    assert family.sign_ins == 0
    assert phone.requests == []


def test_two_configurations_in_one_folder_do_not_share_their_secrets(family: PracticeWorkspace) -> None:
    for name in ("parents", "aunt"):
        stdin = answers(PERSON, account(family, password=f"of {name}"), NO_MORE, NO_MORE, ["n"])
        family.run("init", "--config", f"{name}.toml", stdin=stdin)
    for name in ("parents", "aunt"):
        kept = family.folder / f"{name}.secrets" / "accounts__family__password"
        assert kept.read_text() == f"of {name}\n"


def test_where_it_broke_off_it_goes_on_and_no_answer_is_lost(family: PracticeWorkspace) -> None:
    before = account(family)
    family.run("init", "--config", "watcher.toml", stdin=answers(PERSON, before[:5]), expect=(130,))
    assert not family.config.exists()
    assert family.portal.account.username in (family.folder / "watcher.toml.unfinished").read_text()

    rest = ["", "", "", "", *before[5:]]  # what was answered before stands as the default
    stdin = answers(PERSON, rest, NO_MORE, NO_MORE, ["n"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "goes on from the answers" in said.err
    assert not (family.folder / "watcher.toml.unfinished").exists()
    section = tomllib.loads(family.config.read_text())["accounts"]["family"]
    assert section == {
        "portal": "recipe",
        "recipe": str(RECIPE),
        "base_url": family.portal.base_url,
        "username": family.portal.account.username,
    }


def test_what_was_not_asked_yet_is_asked_though_the_answers_so_far_would_do(
    family: PracticeWorkspace, phone: Webhook
) -> None:
    """Without the authenticator's secret the account can be used, and nobody would come back to it."""
    family.run("init", "--config", "watcher.toml", stdin=answers(PERSON, account(family)[:6]), expect=(130,))
    rest = [*[""] * 5, *account(family)[6:]]
    family.run(
        "init",
        "--config",
        "watcher.toml",
        stdin=answers(PERSON, rest, NO_MORE, channel(phone)[:3]),
        expect=(130,),
    )
    kept = {file.name for file in (family.folder / "secrets").iterdir()}
    assert "accounts__family__totp_secret" in kept
    stdin = answers(PERSON, ["n"], NO_MORE, ["", "routine", "full", "-"], NO_MORE, ["y", "n"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "family: ok" in said.out
    keys = tomllib.loads(family.config.read_text())
    assert keys["channels"]["phone"] == {"min_severity": "routine", "privacy": "full"}
    assert "Broken off" not in family.config.read_text()


def test_a_configuration_that_is_there_is_offered_and_what_is_not_asked_for_stays(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret, every="6h")
    before = family.config.read_text()
    family.run("init", stdin=answers(["fr", ""], ["n"], NO_MORE, NO_MORE, ["n"]))
    keys = tomllib.loads(family.config.read_text())
    assert keys["language"] == "fr"
    assert keys["stall"] == {"after": "0"}
    assert keys["accounts"]["family"]["every"] == "6h"
    assert (family.folder / "watcher.toml.old").read_text() == before
    assert (family.folder / "watcher.toml.old").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_configuration_that_a_service_may_read_stays_readable(family: PracticeWorkspace, mode: int) -> None:
    stdin = answers(PERSON, account(family), NO_MORE, NO_MORE, ["n"])
    family.run("init", "--config", "watcher.toml", stdin=stdin)
    family.config.chmod(mode)
    family.run("init", stdin=answers(["fr", ""], ["n"], NO_MORE, NO_MORE, ["n"]))
    assert family.config.stat().st_mode & 0o777 == mode
    assert 'language = "fr"' in family.config.read_text()


def test_a_configuration_with_a_secret_in_it_is_closed_to_others(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret)
    family.config.chmod(0o644)
    family.run("init", stdin=answers(["fr", ""], ["n"], NO_MORE, NO_MORE, ["n"]))
    assert family.config.stat().st_mode & 0o777 == 0o600


def test_a_wrong_answer_is_told_and_asked_for_again(family: PracticeWorkspace) -> None:
    wrong = account(family)
    wrong[2] = "no-such-recipe.toml"
    right = ["", str(RECIPE), "", "", "", "", ""]
    stdin = answers(["en", "Nowhere/Land", "America/New_York"], wrong, right, NO_MORE, NO_MORE, ["n"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "an IANA time zone is wanted" in said.err
    assert "no-such-recipe.toml" in said.err
    assert tomllib.loads(family.config.read_text())["timezone"] == "America/New_York"


def test_a_refused_password_is_submitted_once_and_ends_in_status_1(family: PracticeWorkspace) -> None:
    stdin = answers(PERSON, account(family, password="wrong-password"), NO_MORE, NO_MORE, ["y"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin, expect=(1,))
    assert family.sign_ins == 1
    assert "rejected" in said.err
    assert "wrong-password" not in said.out + said.err


def test_an_account_for_a_browsers_session_is_told_how_to_bring_it(empty_workspace: Workspace) -> None:
    stdin = answers(PERSON, ["family", "uscis", "session", "IOE0000000001"], NO_MORE, NO_MORE)
    said = empty_workspace.run("init", "--config", "watcher.toml", stdin=stdin)
    assert "watcher login family --cookies FILE" in said.out
    assert "IOE0000000001" in said.out
    assert "not read yet" in said.out


def test_a_channel_that_cannot_work_is_refused_when_it_is_typed(family: PracticeWorkspace, phone: Webhook) -> None:
    right = channel(phone)
    stdin = answers(
        PERSON, account(family), NO_MORE, [*right[:2], "nonsense", "ntfys://ntfy.example.org", *right[2:]], ["n", "n"]
    )
    said = family.run(
        "init", "--config", "watcher.toml", stdin=stdin, expect=(130,)
    )  # nothing was answered to the test alert
    assert "no URL that Apprise understands" in said.err
    assert "names no topic" in said.err
    assert "nonsense" not in said.err


def test_a_test_alert_that_is_not_taken_is_told_with_its_reason(family: PracticeWorkspace, phone: Webhook) -> None:
    phone.status = 500
    stdin = answers(PERSON, account(family), NO_MORE, channel(phone), NO_MORE, ["n", "y"])
    said = family.run("init", "--config", "watcher.toml", stdin=stdin, expect=(1,))
    assert "phone: not sent" in said.err
    assert "500" in said.err
    assert phone.host not in said.out + said.err
