"""`watcher recipe new`, `try`, `check`: writing and repairing recipes."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from watcher.app import App
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line, styled
from watcher.cli.terminal.prompts import ask_for_code
from watcher.errors import AccountLocked, SignInRejected
from watcher.portals.recipe import RecipeAccount, try_recipe
from watcher.reading.poll import portal_context
from watcher.recipe.parse.check import RecipeFaults
from watcher.recipe.workshop.selector_report import SelectorResult
from watcher.recipe.workshop.workshop import check_recipe, new_recipe_text
from watcher.settings.faults import fault_lines
from watcher.sign_in.code_sources import PromptedCode
from watcher.store import Busy

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
_WAIT_FOR_DAEMON = 120.0


@click.group("recipe")
def recipe_command() -> None:
    """Recipes: portals described in a file. Write one, try it, check it."""


@recipe_command.command("new")
@FILE
def new_command(file: Path) -> None:
    """Writes a commented start to FILE, which must not be there yet."""
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(new_recipe_text())
    except FileExistsError:
        raise click.BadParameter(f"{file} is there already; name another file", param_hint="FILE") from None
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    print_line(f"{file} is a recipe to begin from; its comments say what each key means.")
    print_line(f"`watcher recipe check {file}` finds its faults; `watcher recipe try {file} --account NAME` walks it.")


@recipe_command.command("check")
@JSON
@click.option(
    "--trace",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Answers kept by `watcher check --trace DIR`: shows what each selector finds in them.",
)
@FILE
def check_command(file: Path, trace: Path | None, *, as_json: bool) -> None:
    """Checks the recipe in FILE, offline, and with --trace against answers kept earlier."""
    try:
        sights = check_recipe(file, trace)
    except RecipeFaults as faults:
        for line in str(faults).splitlines():
            print_error(line)
        sys.exit(2)
    except (OSError, ValueError) as error:
        raise click.BadParameter(str(error)) from None
    if as_json:
        print_json({"recipe": str(file), "sights": [_document(sight) for sight in sights]})
    else:
        _show(sights)
        print_line(f"{file}: no fault found." if not _wrong(sights) else f"{file}: a read would fail; see above.")
    sys.exit(1 if _wrong(sights) else 0)


@recipe_command.command("try")
@CONFIG
@JSON
@click.option("--account", metavar="NAME", required=True, help="The account whose sign-in is used.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def try_command(config: Path | None, account: str, file: Path | None, *, as_json: bool) -> None:
    """Walks the recipe in FILE (else the account's own) step by step and shows what each selector finds.

    Signs in afresh. Records nothing, alerts nobody.
    """
    with open_context(config) as app:
        settings = _account(app, account, file)
        try:
            with app.store.locks.acquire(f"account {account}", wait=_WAIT_FOR_DAEMON):
                sights = list(_walked(app, settings))
        except Busy:
            raise click.ClickException(f"{account}: another process is reading this account; try again soon") from None
    if as_json:
        print_json({"account": account, "sights": [_document(sight) for sight in sights]})
    else:
        _show(sights)
    sys.exit(1 if _wrong(sights) else 0)


def _account(app: App, name: str, file: Path | None) -> RecipeAccount:
    settings = app.settings.accounts.get(name)
    if not isinstance(settings, RecipeAccount):
        names = [name for name, each in app.settings.accounts.items() if isinstance(each, RecipeAccount)]
        known = ", ".join(names) or "none"
        raise click.BadParameter(f"no account {name} goes by a recipe; these do: {known}", param_hint="--account")
    try:
        return settings if file is None else settings.with_recipe(file)
    except ValidationError as error:
        faults = "\n".join(fault_lines(error, model=RecipeAccount))
        raise click.BadParameter(faults, param_hint="FILE") from None


def _walked(app: App, account: RecipeAccount) -> Iterator[SelectorResult]:
    """The walk, through the same gate as any sign-in: what the portal refused is written down as refused."""
    breaker = app.sign_in_guard(account.name)
    access = app.read_options(account.name, codes=None if account.totp_secret else PromptedCode(ask_for_code))
    known = app.store.known_cases(account.name)
    try:
        for sight in try_recipe(
            account, portal_context(account, access, app.context, sign_in_guard=breaker, known=known)
        ):
            if isinstance(sight.stopped_by, SignInRejected | AccountLocked):
                breaker.refused()
            yield sight
    finally:
        breaker.unclear()


def _show(sights: Iterable[SelectorResult]) -> None:
    for sight in sights:
        selector = f"  {sight.selector}" if sight.selector else ""
        print_line(f"{styled(sight.key_path, 'red' if sight.wrong else 'cyan')}{selector}  {sight.note}".rstrip())
        for found in sight.found:
            print_line(f"    {found}")


def _document(sight: SelectorResult) -> dict[str, Any]:
    return {
        "place": sight.key_path,
        "selector": sight.selector,
        "found": list(sight.found),
        "note": sight.note,
        "wrong": sight.wrong,
    }


def _wrong(sights: Iterable[SelectorResult]) -> bool:
    return any(sight.wrong for sight in sights)
