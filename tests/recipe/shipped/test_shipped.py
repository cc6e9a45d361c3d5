"""Every recipe that comes with the program: complete, proven by its recorded answers, and walked by real checks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import pytest
import trustme

from tests.recipe.shipped.walk import RecordedWebsite, configuration, serve_recorded
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.messages import LANGUAGES
from watcher.model.account_health import ReadOutcome
from watcher.model.case import Snapshot
from watcher.model.change import ChangeKind
from watcher.recipe.account import RecipeAccount
from watcher.recipe.model import comparable_status
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.parse.shipped import FOLDER, shipped_names
from watcher.recipe.workshop.expected import Expectation, as_json, expectation_in
from watcher.recipe.workshop.recorded import check_recorded, recorded_folders

MOVES = frozenset({ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED})
NEWS = MOVES | {ChangeKind.CASE_ADDED}
SITUATIONS = ("blocked", "changed-page", "maintenance")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def recipe_file(name: str) -> Path:
    return FOLDER / f"{name}.toml"


def expectations(name: str) -> list[tuple[Path, Expectation]]:
    pairs = [(folder, expectation_in(folder)) for folder in recorded_folders(recipe_file(name))]
    return [(folder, expected) for folder, expected in pairs if expected is not None]


@pytest.mark.parametrize("name", shipped_names())
def test_header_says_what_the_recipe_reads_and_how_far_it_was_tried(name: str) -> None:
    header = recipe_file(name).read_text().partition("\nname = ")[0]
    for word in ("Reads", "Sources", "Rhythm", "Terms"):
        assert re.search(rf"^# {word} ", header, re.MULTILINE), f"{word} is missing"
    assert "ever tried live by us" in " ".join(header.replace("#", " ").split())


@pytest.mark.parametrize("name", shipped_names())
def test_recipe_is_gentle_and_speaks_every_language(name: str) -> None:
    recipe = load_recipe(recipe_file(name))
    assert recipe.min_every >= timedelta(hours=5)
    texts = [recipe.about.title, recipe.about.number, *recipe.case.plain.values()]
    texts += [parameter.ask for parameter in recipe.parameters.values()]
    texts += [recipe.about.username] if "username" in recipe.placeholders else []
    assert all(set(words) == set(LANGUAGES) for words in texts)
    assert recipe.about.country
    assert recipe.about.sources
    assert recipe.case.stages.keys() <= recipe.case.plain.keys()


@pytest.mark.parametrize("name", shipped_names())
def test_recorded_answers_give_what_is_expected(name: str) -> None:
    checks = list(check_recorded(recipe_file(name)))
    assert [line for check in checks for line in check.differences] == []
    situations = {check.folder.name for check in checks}
    assert situations.issuperset(SITUATIONS)
    assert any(situation.startswith("not-") for situation in situations)


@contextmanager
def installed(file: Path) -> Iterator[App]:
    with open_app(read_settings(file, {})) as app:
        yield app


@pytest.mark.parametrize("name", shipped_names())
def test_real_checks_follow_the_recipe_over_https(name: str, authority: trustme.CA, tmp_path: Path) -> None:
    website = RecordedWebsite(name)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    grouped = groupby(sorted(_walked(name), key=_order), key=_account_of)
    with serve_recorded(website, authority) as server:
        for number, (_account, folders) in enumerate(grouped):
            known = list(folders)
            home = tmp_path / str(number)
            home.mkdir()
            (home / "authority.pem").symlink_to(tmp_path / "authority.pem")
            with installed(configuration(name, server.origin, known[0][1], home)) as app:
                for folder, expected in known:
                    website.show(folder)
                    _check(app, folder, expected)
    assert website.unknown == []


def _walked(name: str) -> list[tuple[Path, Expectation]]:
    """Return the folders to walk: of those that differ only in the words of a status, the first three."""
    pairs = expectations(name)
    words = [folder for folder, _expected in pairs if folder.name.startswith(("status-", "state-"))]
    return [pair for pair in pairs if pair[0] not in words[3:]]


def _account_of(pair: tuple[Path, Expectation]) -> str:
    """Return what tells accounts apart. One whose sign-in fails is used for nothing else."""
    folder, expected = pair
    failed = folder.name if expected.raises in {"SignInRejected", "AccountLocked", "CodeNeeded"} else ""
    return repr((sorted(expected.account.items()), failed))


def _order(pair: tuple[Path, Expectation]) -> tuple[str, bool]:
    """Return where to check a folder: last if a firewall answers, because the account then waits for a day."""
    return _account_of(pair), "AccessBlocked" in pair[1].text


def _check(app: App, folder: Path, expected: Expectation) -> None:
    before = _snapshots(app)
    result = app.poll("family")
    good = {number: case for number, case in expected.cases.items() if "raises" not in case}
    news = [recorded.change for recorded in result.changes if recorded.change.kind in NEWS]
    after = _snapshots(app)
    for number, case in good.items():
        found = as_json(after[number])
        assert {key: found[key] for key in ("status", "stage")} == {key: case[key] for key in ("status", "stage")}
    if "CaseNotFound" not in expected.text:  # which is an error only if the case was never found
        assert (result.outcome is ReadOutcome.OK) == bool(good), (folder.name, result.error)
    account = app.settings.accounts["family"]
    assert isinstance(account, RecipeAccount)
    plain = account.parsed.case.plain
    for case in good.values() if {change.kind for change in news} & MOVES else ():
        words = plain.get(comparable_status(case["status"]), {}).get("en", case["status"])
        if words.casefold() != case["status"].casefold():
            assert any(f"In English: “{words}”" in alert.body for alert in app.store.outbox.list()), folder.name
    if not good:
        assert news == [], folder.name
        assert after == before, folder.name


def _snapshots(app: App) -> dict[str, Snapshot]:
    return {case.case_number: case.snapshot for case in app.store.tracked_cases("family") if case.snapshot}
