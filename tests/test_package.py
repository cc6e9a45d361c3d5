"""A release contains everything the program reads at run time, and nothing that only developers need."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from watcher import __version__

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def release_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder


def is_recorded_answer(path: str) -> bool:
    """Return whether this proves a shipped recipe, which only developers need."""
    return ".answers/" in path


def test_wheel_contains_every_file_of_the_package_and_nothing_else(release_folder: Path) -> None:
    with zipfile.ZipFile(release_folder / f"case_watcher-{__version__}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    package_files = {
        str(file.relative_to(REPOSITORY))
        for file in (REPOSITORY / "watcher").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not is_recorded_answer(str(file))
    }
    assert not any(map(is_recorded_answer, names))
    assert package_files <= names
    assert {name.split("/")[0] for name in names} == {"watcher", f"case_watcher-{__version__}.dist-info"}


def test_source_release_contains_the_tests(release_folder: Path) -> None:
    with tarfile.open(release_folder / f"case_watcher-{__version__}.tar.gz") as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "requirements-dev.txt",
        "tests/test_package.py",
    } <= names
    assert {"config/watcher.example.toml", "systemd/watcher.service", "Dockerfile"} <= names


def test_changelog_lists_this_version() -> None:
    assert __version__ in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
