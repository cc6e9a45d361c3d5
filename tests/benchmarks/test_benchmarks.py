"""The benchmarks run and report what they claim, at a tiny scale. Durations are never asserted."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.gauge import Result, Took, median, table


def test_tiny_run_prints_a_table_and_writes_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["unchanged", "changed", "size", "--scale", "tiny", "--json", str(tmp_path / "figures.json")])

    document = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    printed = capsys.readouterr().out
    assert [result["what"] in printed for result in document["results"]] == [True] * 7
    assert document["scale"] == "tiny"
    assert document["results"][4]["figures"]["changes_in_a_changed_case"] > 0


def test_large_batch_reaches_every_channel(tmp_path: Path) -> None:
    main(["storm", "--scale", "tiny", "--json", str(tmp_path / "figures.json")])

    queued, delivered, limited = json.loads((tmp_path / "figures.json").read_text("utf-8"))["results"]
    assert queued["figures"]["alerts"] == delivered["figures"]["delivered"] == limited["figures"]["messages"] == 12


def test_a_flood_is_one_message(tmp_path: Path) -> None:
    main(["flood", "--scale", "tiny", "--json", str(tmp_path / "figures.json")])

    results = json.loads((tmp_path / "figures.json").read_text("utf-8"))["results"]
    assert all(result["figures"]["cpu_ms"] > 0 for result in results)


def test_years_of_changes_are_in_the_database(tmp_path: Path) -> None:
    main(["years", "--scale", "tiny", "--json", str(tmp_path / "figures.json")])

    results = json.loads((tmp_path / "figures.json").read_text("utf-8"))["results"]
    assert all(result["figures"]["rows"] == 3 * (1 + 1 + 150 + 25 + 25) for result in results if "rows" in result)


def test_unknown_measurement_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing-of-the-kind"])

    assert "nothing-of-the-kind" in capsys.readouterr().err


def test_median_is_taken_of_each_figure() -> None:
    assert median(
        [Took(wall=1, cpu=9, written=3), Took(wall=2, cpu=8, written=1), Took(wall=3, cpu=7, written=2)]
    ) == Took(wall=2, cpu=8, written=2)


def test_goal_is_met_up_to_its_exact_value() -> None:
    results = [Result(what="just", ours="x", ratio=1.5, goal=1.5), Result(what="beyond", ours="x", ratio=1.6, goal=1.5)]

    assert [result.met for result in results] == [True, False]
    assert [line.split("|")[-2].strip() for line in table(results).splitlines()[2:]] == ["met", "MISSED"]
