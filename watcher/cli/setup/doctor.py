"""`watcher doctor`: check the whole installation."""

import os
import sys
from pathlib import Path

import click

from watcher import portals
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line, styled
from watcher.clock import SystemClock
from watcher.doctor import Finding, Verdict, run_checks
from watcher.doctor.finding import failed
from watcher.errors import SettingsFaults
from watcher.monitoring import logs
from watcher.settings.load import load_configuration

_COLORS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
_WIDTH = max(len(verdict) for verdict in Verdict)


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
    try:
        configuration = load_configuration(config, environ=os.environ, portals=portals)
        for finding in run_checks(configuration, SystemClock(), offline=offline):
            findings.append(finding)
            if not as_json:
                _show(finding)
        status = 1 if any(finding.verdict is Verdict.FAILED for finding in findings) else 0
    except SettingsFaults as faults:
        findings = [
            failed("configuration", line, "correct it, then run `watcher doctor` again") for line in faults.faults
        ]
        for finding in () if as_json else findings:
            _show(finding)
        status = 2
    if as_json:
        print_json({"findings": [_document(finding) for finding in findings]})
    sys.exit(status)


def _show(finding: Finding) -> None:
    verdict = styled(f"{finding.verdict.value:{_WIDTH}}", _COLORS[finding.verdict])
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    print_line(f"{verdict}  {finding.about}: {finding.text}{remedy}")


def _document(finding: Finding) -> dict[str, str | None]:
    return {
        "about": finding.about,
        "verdict": finding.verdict.value,
        "told": finding.text,
        "remedy": finding.remedy,
    }
