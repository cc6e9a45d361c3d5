"""The database after years: its size, and the time to read it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.benchmarks.checks import read
from tests.benchmarks.gauge import Result, interleaved, progress
from tests.benchmarks.household import account, channel, folder, receipts, watching
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.scale import Scale
from tests.benchmarks.seed import watching_for_long
from tests.benchmarks.starts import started

_CHANGES_A_YEAR, _ALERTS_A_YEAR = 30, 5  # and as many rows that link alerts to changes
_STATUS, _SLOWER = 1.0, 2.0


def size(scale: Scale) -> Iterator[Result]:
    """Measure the size of one case in the database, and of one change with its alert for one channel."""
    number = min(scale.middle, 500)
    progress(f"the size of the database: {number} cases")
    with open_office() as office, folder() as home:
        configuration = account(office, receipts(number)) + channel("phone", office.phone, "max_per_hour = 0")
        with watching(home, configuration) as app:
            empty = _bytes(home)
            read(app)
            one = _bytes(home)
            office.move(every=1, times=1)
            read(app)
            two, changes = _bytes(home), len(app.store.history()) - number
    case, news = (one - empty) / number, (two - one) / number
    yield Result(
        what="database: one case, with its last answer, its first change and alert",
        ours=f"{case:,.0f} bytes",
        figures={"bytes": case},
    )
    yield Result(
        what=f"database: one case that moved ({changes / number:.1f} changes, one alert)",
        ours=f"{news:,.0f} bytes",
        figures={"bytes": news, "changes": changes / number, "bytes_for_a_change": news * number / max(1, changes)},
    )


def _bytes(home: Path) -> int:
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3")) as database:
        database.execute("VACUUM")
        pages, page = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * page)


def years(scale: Scale) -> Iterator[Result]:
    """Measure `status`, the history of a case, and a check, with five years of changes and with one."""
    cases = receipts(scale.history)
    with open_office() as office, folder() as one, folder() as five:
        for home, span in ((one, 1), (five, 5)):
            progress(f"years of history: {len(cases)} cases, {span} years")
            _live_through(home, office, cases, span)
        progress("years of history: status, history, a round")
        commands = {"status": ("watcher", "status", "--json"), "history": ("watcher", "history", cases[1], "--json")}
        times = max(1, scale.starts // 3)
        young, old = started(one, commands, times), started(five, commands, times)
        rows = _rows(five)
        yield _beside("watcher status --json", old["status"][0], young["status"][0], rows, within=_STATUS)
        yield _beside("watcher status --json", old["status"][0], young["status"][0], rows)
        yield _beside("watcher history CASE", old["history"][0], young["history"][0], rows)
        configuration = account(office, cases)
        with watching(one, configuration) as fresh, watching(five, configuration) as aged:
            took = interleaved({"one": lambda: read(fresh), "five": lambda: read(aged)}, max(1, scale.repeats // 2))
        yield _beside("a round", took["five"].cpu, took["one"].cpu, rows)


def _beside(what: str, old: float, young: float, rows: int, *, within: float | None = None) -> Result:
    return Result(
        what=f"{what}, five years of history ({rows:,} rows)",
        ours=f"{old:.2f} s",
        floor="" if within else f"one year: {young:.2f} s",
        ratio=old if within else old / young,
        goal=within or _SLOWER,
        figures={"five_years_s": old, "one_year_s": young, "rows": rows},
    )


def _live_through(home: Path, office: Office, cases: tuple[str, ...], span: int) -> None:
    """Write cases first, then years of changes and alerts."""
    with watching_for_long(home, account(office, cases), office, cases):
        pass
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3")) as database:
        database.execute("PRAGMA synchronous=OFF")
        _write_years(database, cases, span)
        database.commit()


def _write_years(database: sqlite3.Connection, cases: tuple[str, ...], span: int) -> None:
    """Change every case a little on each of its days, interleaved in time as in real use."""
    words = "Case Is Being Actively Reviewed By USCIS: " + "what this change was about, in a line of its own. " * 2
    body = "What an alert says, at about its usual length, with the words of the portal. " * 8
    moments = [
        f"{2026 - span + turn // _CHANGES_A_YEAR}-{1 + turn * 12 // _CHANGES_A_YEAR % 12:02d}-15 12:00:00.000000"
        for turn in range(span * _CHANGES_A_YEAR)
    ]
    database.executemany(
        "INSERT INTO change (at, account, case_number, kind, severity, subject, summary, old, new)"
        " VALUES (?, 'office', ?, 'status_changed', 'routine', 'status', ?, '\"Before\"', '\"After\"')",
        ((at, case, words) for at in moments for case in cases),
    )
    every = _CHANGES_A_YEAR // _ALERTS_A_YEAR
    database.executemany(
        "INSERT INTO alert (channel, state, severity, account, case_number, title, body, html, short, attempts,"
        " created_at, sent_at) VALUES ('phone', 'sent', 'routine', 'office', ?, 'A title', ?, ?, ?, 1, ?, ?)",
        ((case, body, body, words, at, at) for at in moments[::every] for case in cases),
    )
    database.execute("INSERT OR IGNORE INTO alert_change SELECT id, id FROM alert")


def _rows(home: Path) -> int:
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3")) as database:
        tables = ("case", "answer", "change", "alert", "alert_change")
        return sum(database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables)  # noqa: S608
