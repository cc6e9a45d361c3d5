"""`watcher recipe new`, `try`, `check`: write and repair recipes."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import click
from pydantic import ValidationError

from watcher.actions.accounts import account_lock
from watcher.app import App
from watcher.cli.context import open_context, refusals
from watcher.cli.groups import CommandGroup
from watcher.cli.names import unknown_name
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line, styled
from watcher.cli.terminal.prompts import ask_choice, ask_code
from watcher.errors import AccountLocked, SignInRejected, system_reason
from watcher.messages import _, mark, plural
from watcher.portals.recipe import try_recipe
from watcher.reading.portal_context import portal_context
from watcher.recipe.account import RecipeAccount
from watcher.recipe.parse.check import RecipeFaults
from watcher.recipe.parse.shipped import find_recipe
from watcher.recipe.workshop.recorded import RecordedCheck, check_recorded
from watcher.recipe.workshop.selector_report import SelectorResult
from watcher.recipe.workshop.start import STARTS, TEMPLATE, new_recipe_text
from watcher.recipe.workshop.workshop import check_recipe
from watcher.settings.faults import fault_lines
from watcher.sign_in.code_sources import PromptedCode

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")


@click.group("recipe", cls=CommandGroup)
def recipe_command() -> None:
    """Describe a website in a recipe file, and test it."""


@recipe_command.command("new")
@click.option(
    "--like",
    "start",
    type=click.Choice(list(STARTS)),
    help="Start from a recipe for a similar website. Default: asked at a terminal, else the commented template.",
)
@FILE
def new_command(file: Path, start: str | None) -> None:
    """Write a recipe to FILE, a new file, that starts from the one for the most similar website."""
    if start is None and sys.stdin.isatty() and not file.exists():
        kinds = {name: _(kind) for name, kind in STARTS.items()}
        start = ask_choice(_("What is the website like?"), kinds, TEMPLATE)
    start = start or TEMPLATE
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(new_recipe_text(start))
    except FileExistsError:
        text = _("{file} already exists. Choose another name.", file=file)
        raise click.BadParameter(text, param_hint="FILE") from None
    except OSError as error:
        raise click.BadParameter(f"{file}: {system_reason(error)}", param_hint="FILE") from None
    if start == TEMPLATE:
        print_line(_("Wrote {file}, a template whose comments explain each key.", file=file))
    else:
        print_line(_("Wrote {file}, started from the recipe {name}.", file=file, name=start))
    text = _(
        "Then: `watcher recipe check {file}`, and `watcher recipe try {file} --account NAME`.", file=quote(str(file))
    )
    print_line(text)


@recipe_command.command("check")
@JSON
@click.option(
    "--trace",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Show what each selector finds in the answers saved by `watcher check --trace DIR`.",
)
@click.option("--accept", is_flag=True, help="Write what is found in the recorded answers as what is expected.")
@click.option(
    "--case", "cases", multiple=True, metavar="NUMBER", help="With --accept: the case number of new recorded answers."
)
@FILE
def check_command(file: Path, trace: Path | None, cases: tuple[str, ...], *, accept: bool, as_json: bool) -> None:
    """Check the recipe in FILE for errors, without contacting the website. FILE may also be the name of a recipe.

    Also runs the answers that are recorded beside it, each in a folder of FILE.answers, and shows each line in which
    the result differs from expected.json there.
    """
    file = find_recipe(file)
    try:
        results = check_recipe(file, trace)
        recorded = list(check_recorded(file, accept=accept, cases=cases))
    except RecipeFaults as faults:
        for line in str(faults).splitlines():
            print_error(line)
        sys.exit(2)
    except (OSError, ValueError) as error:
        raise click.BadParameter(str(error)) from None
    failed = _has_failed(results) or any(folder.differences for folder in recorded)
    if as_json:
        answers = [{"folder": str(folder.folder), "differences": list(folder.differences)} for folder in recorded]
        print_json({"recipe": str(file), "sights": [_document(result) for result in results], "answers": answers})
    else:
        _show(results)
        _show_recorded(recorded)
        text = mark("{file}: a check would fail; see above.") if failed else mark("{file}: no errors found.")
        print_line(_(text, file=file))
    sys.exit(1 if failed else 0)


@recipe_command.command("try")
@CONFIG
@JSON
@click.option("--account", metavar="NAME", required=True, help="The account to sign in with.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def try_command(config: Path | None, account: str, file: Path | None, *, as_json: bool) -> None:
    """Try the recipe in FILE (default: the account's own) and show what each selector finds.

    Signs in again. Records nothing and sends no alerts.
    """
    with open_context(config) as app:
        settings = _account(app, account, file)
        with refusals(), account_lock(app, account):
            results = list(_try_steps(app, settings))
    if as_json:
        print_json({"account": account, "sights": [_document(result) for result in results]})
    else:
        _show(results)
    sys.exit(1 if _has_failed(results) else 0)


def _account(app: App, name: str, file: Path | None) -> RecipeAccount:
    settings = app.settings.accounts.get(name)
    if not isinstance(settings, RecipeAccount):
        known = [name for name, account in app.settings.accounts.items() if isinstance(account, RecipeAccount)]
        raise unknown_name(
            name,
            known,
            problem=mark("There is no account '{name}' with portal = \"recipe\"."),
            others=mark("Accounts: {names}."),
            if_none=mark("`watcher init` adds one."),
            param_hint="--account",
        )
    try:
        return settings if file is None else settings.with_recipe(file)
    except ValidationError as error:
        faults = "\n".join(fault_lines(error, model=RecipeAccount))
        raise click.BadParameter(faults, param_hint="FILE") from None


def _try_steps(app: App, account: RecipeAccount) -> Iterator[SelectorResult]:
    """Yield the steps, under the same guard as any sign-in, so that a rejected credential is recorded."""
    guard = app.sign_in_guard(account.name)
    options = app.read_options(account.name, codes=None if account.totp_secret else PromptedCode(ask_code))
    known = app.store.known_cases(account.name)
    try:
        for result in try_recipe(
            account, portal_context(account, options, app.context, sign_in_guard=guard, known=known)
        ):
            if isinstance(result.stopped_by, SignInRejected | AccountLocked):
                guard.refused()
            yield result
    finally:
        guard.unclear()


def _show(results: Iterable[SelectorResult]) -> None:
    for result in results:
        selector = f"  {result.selector}" if result.selector else ""
        print_line(f"{styled(result.key_path, 'red' if result.failed else 'cyan')}{selector}  {result.note}".rstrip())
        for value in result.values:
            print_line(f"    {value}")


def _show_recorded(recorded: list[RecordedCheck]) -> None:
    for folder in recorded:
        for line in folder.differences:
            print_line(styled(line, "red"))
    if recorded:
        same = sum(not folder.differences for folder in recorded)
        print_line(
            plural(
                "{n} recorded answer: {same} as expected.",
                "{n} recorded answers: {same} as expected.",
                len(recorded),
                same=same,
            )
        )


def _document(result: SelectorResult) -> dict[str, Any]:
    return {
        "place": result.key_path,
        "selector": result.selector,
        "found": list(result.values),
        "note": result.note,
        "wrong": result.failed,
    }


def _has_failed(results: Iterable[SelectorResult]) -> bool:
    return any(result.failed for result in results)
