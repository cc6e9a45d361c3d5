"""`watcher doctor`: check the whole installation."""

import os
import sys
from pathlib import Path

import click

from watcher import portals
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line, styled
from watcher.clock import SystemClock
from watcher.context.opening import use_configured_language
from watcher.doctor import Finding, Verdict, run_checks
from watcher.doctor.finding import failed
from watcher.errors import SettingsFaults
from watcher.messages import _, mark, use_language
from watcher.monitoring import logs
from watcher.settings.load import load_configuration

_COLORS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
_VERDICTS = {Verdict.OK: mark("ok"), Verdict.WARNING: mark("warning"), Verdict.FAILED: mark("failed")}


@click.command("doctor")
@CONFIG
@JSON
@click.option("--offline", is_flag=True, help="Skip the checks that need the network.")
def doctor_command(config: Path | None, *, offline: bool, as_json: bool) -> None:
    """Check configuration, secrets, database, clock, portals, and channels, and say how to fix problems.

    Sends no password. Exit status: 1 if something failed, 2 if the configuration cannot be used.
    """
    logs.configure(level="error", environ=os.environ)
    findings: list[Finding] = []
    if as_json:
        use_language("en")  # a document is the same in all languages
    else:
        use_configured_language(config, os.environ)
    try:
        configuration = load_configuration(config, environ=os.environ, portals=portals)
        for finding in run_checks(configuration, SystemClock(), offline=offline):
            findings.append(finding)
            if not as_json:
                _show(finding)
        status = 1 if any(finding.verdict is Verdict.FAILED for finding in findings) else 0
    except SettingsFaults as faults:
        remedy = _("correct it, then run `watcher doctor` again")
        findings = [failed(_("configuration"), line, remedy) for line in faults.faults]
        for finding in () if as_json else findings:
            _show(finding)
        status = 2
    if as_json:
        print_json({"findings": [_document(finding) for finding in findings]})
    sys.exit(status)


def _show(finding: Finding) -> None:
    width = max(len(_(verdict)) for verdict in _VERDICTS.values())
    verdict = styled(_(_VERDICTS[finding.verdict]).ljust(width), _COLORS[finding.verdict])
    text = _("{about}: {text}", about=finding.about, text=finding.text)
    print_line(f"{verdict}  {text} -> {finding.remedy}" if finding.remedy else f"{verdict}  {text}")


def _document(finding: Finding) -> dict[str, str | None]:
    return {
        "about": finding.about,
        "verdict": finding.verdict.value,
        "told": finding.text,
        "remedy": finding.remedy,
    }
