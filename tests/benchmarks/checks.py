"""A check of the Case Status API compared with a loop of pooled httpx requests: unchanged, changed, and growing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.benchmarks.gauge import Result, Took, interleaved, measured, progress, written
from tests.benchmarks.household import ACCOUNT, account, channel, folder, receipts, watching
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.scale import Scale
from tests.benchmarks.seed import watching_for_long
from tests.benchmarks.written import ways_to_write
from watcher.app import App
from watcher.model.account_health import ReadOutcome

_AT_ONCE = 16
"""Concurrent requests if the portal is slow; without latency, one after the other is fastest."""
_UNCHANGED, _CHANGED, _CHANGED_CASE, _GROWTH, _WRITTEN = 1.15, 1.5, 1.5, 1.1, 64 * 1024


def unchanged(scale: Scale) -> Iterator[Result]:
    """Measure a check without changes, at each size and latency, and requests that only parse JSON."""
    at_no_latency: dict[int, Took] = {}
    with open_office() as office:
        for latency in scale.latencies:
            for size in scale.sizes:
                progress(f"a round without changes: {size} cases, {latency} ms")
                took = _beside_plain(office, size, latency, _repeats(scale, size, latency))
                if latency == 0:
                    at_no_latency[size] = took["round"]
                yield _compared(f"round without changes, {size:,} cases, {latency} ms", took, size, _UNCHANGED)
    smallest, largest = scale.sizes[0], scale.sizes[-1]
    few, many = at_no_latency[smallest].cpu / smallest, at_no_latency[largest].cpu / largest
    yield Result(
        what=f"growth: one case of {largest:,} beside one of {smallest:,}",
        ours=f"{many * 1e3:.3f} ms CPU",
        floor=f"{few * 1e3:.3f} ms CPU",
        ratio=many / few,
        goal=_GROWTH,
    )


def _repeats(scale: Scale, size: int, latency: int) -> int:
    """Small checks are noisy and fast, large ones neither."""
    if size * (1 + latency) > 5_000:
        return max(1, scale.repeats // 3)
    return scale.repeats * 4 if size <= 100 else scale.repeats


def _beside_plain(office: Office, size: int, latency: int, repeats: int) -> dict[str, Took]:
    at_once = _AT_ONCE if latency else 1
    cases = receipts(size)
    office.move(every=0, times=0)
    office.take(0)
    configuration = account(office, cases, concurrency=at_once)
    with folder() as home, watching_for_long(home, configuration, office, cases) as app:
        read(app)
        office.take(latency)
        return interleaved(
            {"plain": _plainly(office, cases, at_once), "round": lambda: read(app)},
            repeats,
        )


def read(app: App) -> None:
    """Run one check that must succeed."""
    done = app.poll(ACCOUNT)
    if done.outcome is not ReadOutcome.OK:
        raise RuntimeError(f"the round came out as {done.outcome}: {done.error}")


def _plainly(office: Office, cases: tuple[str, ...], at_once: int) -> Callable[[], None]:
    def loop() -> None:
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        with httpx.Client(limits=limits, headers={"Authorization": "Bearer made-up-token"}) as client:

            def ask(case: str) -> None:
                client.get(f"{office.origin}/case-status/{case}").json()

            if at_once == 1:
                for case in cases:
                    ask(case)
                return
            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(ask, cases))

    return loop


def _compared(what: str, took: dict[str, Took], size: int, goal: float) -> Result:
    ours, floor = took["round"], took["plain"]
    return Result(
        what=what,
        ours=_for_each(ours, size),
        floor=f"plain httpx: {_for_each(floor, size)}",
        ratio=ours.cpu / floor.cpu,
        goal=goal,
        figures={
            "cpu_ms": ours.cpu / size * 1e3,
            "wall_ms": ours.wall / size * 1e3,
            "plain_cpu_ms": floor.cpu / size * 1e3,
            "plain_wall_ms": floor.wall / size * 1e3,
            "wall_ratio": ours.wall / floor.wall,
        },
    )


def _for_each(took: Took, size: int) -> str:
    return f"{took.cpu / size * 1e3:.3f} ms CPU, {took.wall / size * 1e3:.3f} ms"


def changed(scale: Scale) -> Iterator[Result]:
    """Measure a check in which every tenth case changed, with alerts queued, and one without changes."""
    size, times = scale.middle, 0
    progress(f"a round with changes: {size} cases")
    with open_office() as office, folder() as home:
        configuration = account(office, receipts(size)) + channel("phone", office.phone)
        with watching(home, configuration) as app:
            read(app)

            def moved(every: int) -> None:
                nonlocal times
                times += 1
                office.move(every=every, times=times)
                read(app)

            tenth = min(10, size)
            moved(tenth)  # exclude what is loaded only once (texts, vocabularies)
            took = interleaved({"round": lambda: read(app), "moved": lambda: moved(tenth)}, scale.repeats)
            moved(1)
            before = len(app.store.history())
            moved(1)
            each = (len(app.store.history()) - before) / size
            with ways_to_write(home / "state" / "watcher.sqlite3", size) as ways:
                works = {"same": lambda: read(app), "all": lambda: moved(1), **ways}
                took |= interleaved(works, max(1, scale.repeats // 2))
    yield Result(
        what=f"round with 10 % changed, {size:,} cases, alerts queued",
        ours=_for_each(took["moved"], size),
        floor=f"no changes: {_for_each(took['round'], size)}",
        ratio=took["moved"].cpu / took["round"].cpu,
        goal=_CHANGED,
    )
    extra = (took["all"].cpu - took["same"].cpu) / size
    floors = {name: took[name].cpu / size for name in ways}
    yield Result(
        what="a changed case with its alert, of as many",
        ours=f"{extra * 1e3:.2f} ms CPU",
        floor="the same rows, each case in a transaction: "
        + "; ".join(f"{name} {cpu * 1e3:.2f}" for name, cpu in floors.items()),
        ratio=extra / floors["sqlite3"],
        goal=_CHANGED_CASE,
        figures={"cpu_ms_for_a_changed_case": extra * 1e3, "changes_in_a_changed_case": each}
        | {f"cpu_ms_to_write_by {name}": cpu * 1e3 for name, cpu in floors.items()},
    )


def writes(scale: Scale) -> Iterator[Result]:
    """Measure what a check without changes writes to disk, and whether it writes a case."""
    size = scale.middle
    progress(f"what a round without changes writes: {size} cases")
    with open_office() as office, folder() as home, watching(home, account(office, receipts(size))) as app:
        read(app)
        read(app)
        kept = app.store.known_cases(ACCOUNT)
        passed = written(what="wchar")
        took = measured(lambda: read(app))
        passed = written(what="wchar") - passed
        if app.store.known_cases(ACCOUNT) != kept:
            raise RuntimeError("a round without changes wrote a case")
    yield Result(
        what=f"written by a round without changes, {size:,} cases",
        ours=f"{took.written:,} bytes to disk, no case row",
        floor="(requests included: " + f"{passed:,} bytes)",
        ratio=took.written / 1024,
        goal=_WRITTEN / 1024,
        figures={"write_bytes": took.written, "wchar": passed},
    )
