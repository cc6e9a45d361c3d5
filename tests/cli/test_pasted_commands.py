"""Every command that a sentence of the program shows works when it is pasted, and does what it says.

The sentences are those of alerts, errors, `watcher doctor`, and help, as translators get them; a translation keeps
their commands. `PASTED` fills in the fields of each command from one workspace, where it runs on a fresh copy of the
state. A command that is not in `PASTED` fails the test.
"""

import ast
import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import watcher
from tests.cli.pseudo_terminal import on_terminal
from tests.cli.test_shown_commands import parse
from tests.messages.test_translations import forms, messages
from tests.practice.visitor import Visitor
from tests.servers.webhook import webhook
from tests.support.webhook_workspace import page_account
from tests.support.workspace import REPOSITORY, Workspace
from watcher.clock import SystemClock
from watcher.practice import Account, Fault, PracticePortal
from watcher.practice.site.pdf import letter

ACCOUNT, CHANNEL, CASE, BY_HAND = "Maria's visa", "Maria's phone", "IOE0000000001", "AA00000001"
DUE = datetime.now(UTC).date() + timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Pasted:
    """A command with its fields named as in `Installation.fields`, and what it then prints.

    `answer` is typed at a terminal, where the command asks for what it leaves out. `status` is the exit status.
    """

    line: str
    prints: str
    answer: str = ""
    status: int = 0


PASTED = {
    "watcher alerts": Pasted("watcher alerts", "Maria's phone"),
    "watcher alerts retry": Pasted("watcher alerts retry", "Maria's phone  sent"),
    "watcher alerts show ID": Pasted("watcher alerts show {alert}", "Case Was Received"),
    "watcher ack 12": Pasted("watcher ack {alert}", "is marked as seen"),
    "watcher check": Pasted("watcher check", "ok, 1 case checked"),
    "watcher check {}": Pasted("watcher check {account}", "ok, 1 case checked"),
    "watcher check --trace DIR": Pasted("watcher check --trace {folder}", "ok, 1 case checked"),
    "watcher code {}": Pasted("watcher code {account}", "no sign-in is waiting for a code now", answer="123456"),
    "watcher code {} CODE": Pasted("watcher code {account} 123456", "no sign-in is waiting for a code now"),
    "watcher code family 123456": Pasted("watcher code {account} 123456", "no sign-in is waiting for a code now"),
    "watcher doctor": Pasted("watcher doctor", "is intact (1 case", status=1),
    "watcher done {}": Pasted("watcher done {item}", "is done: no more reminders"),
    "watcher done ITEM": Pasted("watcher done {item}", "is done: no more reminders"),
    "watcher done 3": Pasted("watcher done {item}", "is done: no more reminders"),
    "watcher due {}": Pasted("watcher due {item}", "is due on", answer=str(DUE)),
    "watcher due ITEM DATE": Pasted("watcher due {item} {day}", "is due on"),
    "watcher due 3 2026-12-31": Pasted("watcher due {item} {day}", "is due on"),
    "watcher due {} {}": Pasted("watcher due {item} {day}", "is due on"),
    "watcher explain Request for Evidence Was Sent": Pasted(
        "watcher explain Request for Evidence Was Sent", "evidence_requested"
    ),
    "watcher export --format ics --output deadlines.ics": Pasted(
        "watcher export --format ics --output deadlines.ics", "Wrote deadlines.ics"
    ),
    "watcher forget {}": Pasted("watcher forget {account}", "saved session deleted"),
    "watcher history": Pasted("watcher history", CASE),
    "watcher history --since 30d": Pasted("watcher history --since 30d", CASE),
    "watcher priority IOE0000000001 --category EB2 --country IN --date 2014-01-15": Pasted(
        "watcher priority {case} --category EB2 --country IN --date 2014-01-15", "EB2"
    ),
    "watcher label CASE --person NAME": Pasted("watcher label {case} --person {person}", "case of Ana María"),
    "watcher label IOE0000000001 Green card --person Maria": Pasted(
        "watcher label {case} Green card --person Maria", "Green card, case of Maria"
    ),
    "watcher login {}": Pasted("watcher login {account}", "ok, 1 case checked"),
    "watcher login ACCOUNT --cookies FILE": Pasted("watcher login {account} --cookies {cookies}", "1 cookie imported"),
    "watcher login {} --cookies FILE": Pasted("watcher login {account} --cookies {cookies}", "1 cookie imported"),
    "watcher note IOE0000000001 Called USCIS, they said to wait 30 days": Pasted(
        "watcher note {case} Called USCIS, they said to wait 30 days", "Note added"
    ),
    "watcher notices": Pasted("watcher notices", "Request for Evidence"),
    "watcher notices add CASE FILE": Pasted("watcher notices add {case} {letter}", "Letter 3 was added"),
    "watcher notices add IOE0000000001 rfe.pdf": Pasted("watcher notices add {case} {letter}", "Letter 3 was added"),
    "watcher notices open ID": Pasted("watcher notices open 1", ".pdf"),
    "watcher notices retry": Pasted("watcher notices retry", "1 letter will be downloaded"),
    "watcher notify plan": Pasted("watcher notify plan", CHANNEL),
    "watcher notify test": Pasted("watcher notify test", "Maria's phone: sent"),
    "watcher notify test {}": Pasted("watcher notify test {channel}", "Maria's phone: sent"),
    "watcher pending": Pasted("watcher pending", "Renew the passport"),
    "watcher portals": Pasted("watcher portals", "uscis-api"),
    "watcher recipe check {}": Pasted("watcher recipe check {recipe}", "no errors found"),
    "watcher recipe new FILE": Pasted("watcher recipe new {new}", "Wrote "),
    "watcher recipe try FILE --account NAME": Pasted("watcher recipe try {recipe} --account {account}", CASE),
    "watcher recipe try {} --account NAME": Pasted("watcher recipe try {recipe} --account {account}", CASE),
    "watcher record {}": Pasted("watcher record {by_hand}", "1 case checked", answer="Ready"),
    "watcher record CASE STATUS": Pasted("watcher record {by_hand} Ready", "Now watching: “Ready”"),
    "watcher record {} STATUS": Pasted("watcher record {by_hand} Ready", "Now watching: “Ready”"),
    "watcher record AA00000001 Administrative Processing --on 2026-05-29": Pasted(
        "watcher record {by_hand} Administrative Processing --on 2026-05-29",
        "Now watching: “Administrative Processing”",
    ),
    "watcher remind IOE0000000001 2027-05-01 The green card expires": Pasted(
        "watcher remind {case} {day} The green card expires", "You get reminders"
    ),
    "watcher remind {} {}": Pasted("watcher remind {case} {day} The passport expires", "You get reminders"),
    "watcher reopen {}": Pasted("watcher reopen {done}", "is open"),
    "watcher restore {}": Pasted("watcher restore {backup}", "restored from"),
    "watcher restore FILE": Pasted("watcher restore {backup}", "restored from"),
    "watcher resume {}": Pasted("watcher resume {account}", "was not paused (ok)"),
    "watcher resume ACCOUNT": Pasted("watcher resume {account}", "was not paused (ok)"),
    "watcher status": Pasted("watcher status", "Request for Initial Evidence"),
    "watcher status --needs-me": Pasted("watcher status --needs-me", CASE),
    "watcher status --config {}": Pasted("watcher status --config {config}", CASE),
    "watcher watch CASE": Pasted("watcher watch {by_hand}", "is being watched again"),
    "watcher web link": Pasted("watcher web link", "Open this link once"),
    "watcher web link --person Maria --read-only": Pasted(
        "watcher web link --person Maria --read-only", "Open this link once"
    ),
    "watcher watch {}": Pasted("watcher watch {by_hand}", "is being watched again"),
}
"""By the command as a sentence shows it, with {} for each field."""

TESTED_ELSEWHERE = {
    "watcher run", "watcher demo", "watcher init", "watcher service exec status", "watcher service install --browser",
    "watcher handover ACCOUNT", "watcher handover {}", "watcher handover {} --revoke",
    "watcher handover family --extension hand-over.zip", "watcher import ACCOUNT FILE", "watcher import {} FILE",
}  # fmt: skip
"""Commands that need more than this workspace: time, a person, systemd, the page and a USCIS account."""

NAMES = {
    "watcher check --trace", "watcher done", "watcher due", "watcher record", "watcher remind",
    "watcher recipe check --accept", "watcher restore",
}  # fmt: skip
"""Commands that a sentence only names, without asking anyone to run them."""

_IN_BACKTICKS = re.compile(r"`(watcher [a-z][^`]*)`")
_AFTER_COLON = re.compile(r"(?:^|: )(watcher [a-z][^`]*)$")
_IN_CODE = re.compile(r'f"`?(watcher [a-z][^"`]*)["`]')
_FIELD = re.compile(r"{[^{}]*}")
_PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")


def shown_commands() -> set[str]:
    """Return the commands in sentences, and those that the code puts together, with {} for each field."""
    sentences = [text for message in messages("es") for text in forms(message.id)]
    shown = {
        command for text in sentences for found in (_IN_BACKTICKS, _AFTER_COLON) for command in found.findall(text)
    }
    for file in Path(watcher.__file__).parent.rglob("*.py"):
        shown.update(_IN_CODE.findall(file.read_text(encoding="utf-8")))
    return {_FIELD.sub("{}", command) for command in shown}


def unquoted_fields() -> Iterator[str]:
    """Yield each field of a command in the code's sentences whose value is neither quoted nor a number."""
    for file in Path(watcher.__file__).parent.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(source if "`watcher " in source else "")):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in {"_", "plural"}:
                continue
            texts = [ast.literal_eval(text) for text in call.args if isinstance(text, ast.Constant)]
            shown = "".join(command for text in texts for command in _IN_BACKTICKS.findall(str(text)))
            for keyword in call.keywords:
                value = ast.unparse(keyword.value)
                if f"{{{keyword.arg}}}" in shown and not value.startswith("quote(") and value != "number":
                    yield f"{file.name}: {keyword.arg}={value}"


@dataclass(frozen=True, slots=True)
class Installation:
    """A workspace with everything that a command can name. `fields` are quoted for a shell."""

    workspace: Workspace
    fields: Mapping[str, str]

    def paste(self, pasted: Pasted) -> str:
        """Run the command on a copy of the state, which is put back, and return what it prints."""
        state, copy = self.workspace.state, self.workspace.folder / "copy"
        _program, *arguments = shlex.split(pasted.line.format_map(self.fields))
        shutil.copytree(state, copy)
        try:
            if pasted.answer:
                return on_terminal(self.workspace, *arguments, answer=pasted.answer)
            result = self.workspace.run(*arguments, expect=(pasted.status,))
            return result.out + result.err
        finally:
            shutil.rmtree(state)
            copy.rename(state)


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    workspace = Workspace(folder=folder)
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal, webhook() as phone:
        case = portal.cases.add(CASE)
        workspace.write(
            page_account(portal, name=json.dumps(ACCOUNT))
            + f'[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["{BY_HAND}"]\n'
            + '[web]\nlisten = "127.0.0.1:8788"\n'
            + f'[channels."{CHANNEL}"]\nurl = "json://{phone.host}/"\nmin_severity = "routine"\n'
        )
        with workspace.app() as app:
            app.poll(ACCOUNT)
            case.request_evidence()
            case.add_notice("Request for Evidence")
            not_available = case.add_notice("Receipt")
            portal.faults.throw(Fault.SERVER_ERROR, path=f"/notices/{not_available}.pdf")
            app.poll(ACCOUNT)
            app.poll("embassy")
            phone.status = 500
            app.outbox_worker().deliver_due()
            phone.status = 200
            app.store.outbox.mark_failed([1, 2, 3], "the service said no", now=app.clock.now(), next_attempt_at=None)
            for title in ("Renew the passport", "Move"):
                done = app.store.user.add_reminder(ACCOUNT, CASE, title, DUE, app.clock.now())
            app.store.ledger.set_done(done)
            app.store.user.finish(BY_HAND, app.clock.now())
        files = {name: folder / f"Maria's {name}" for name in ("letter", "cookies", "backup", "new", "folder")}
        files |= {"recipe": REPOSITORY / "config/recipes/practice.toml", "config": workspace.config}
        files["letter"].write_bytes(letter("Request for Evidence", [f"Respond by {DUE:%B %d, %Y}."]))
        with Visitor(portal) as visitor:
            visitor.sign_in()
            jar = list(visitor.http.cookies.jar)
        files["cookies"].write_text(
            "\n".join(f"127.0.0.1\tFALSE\t{cookie.path}\tTRUE\t0\t{cookie.name}\t{cookie.value}" for cookie in jar)
        )
        workspace.run("backup", str(files["backup"]))
        values = {
            "account": ACCOUNT, "channel": CHANNEL, "case": CASE, "by_hand": BY_HAND, "person": "Ana María",
            "item": "1", "done": str(done), "alert": "1", "day": str(DUE), **files,
        }  # fmt: skip
        yield Installation(workspace, {name: shlex.quote(str(value)) for name, value in values.items()})


def test_every_command_that_a_sentence_shows_is_known_here() -> None:
    assert shown_commands() == PASTED.keys() | NAMES | TESTED_ELSEWHERE


def test_names_in_commands_are_quoted() -> None:
    assert list(unquoted_fields()) == []


def test_every_command_works_when_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with installation(tmp_path) as installed:
        printed = {pasted: installed.paste(pasted) for pasted in dict.fromkeys(PASTED.values())}
        with installed.workspace.app() as app:
            bodies = [alert.body for alert in app.store.outbox.list()]
    assert {pasted.line: text for pasted, text in printed.items() if pasted.prints not in text} == {}
    for command in _IN_BACKTICKS.findall("\n".join([*printed.values(), *bodies])):
        if not _PLACEHOLDER.search(command):
            parse(command, monkeypatch)
