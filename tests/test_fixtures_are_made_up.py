"""Every case number in the repository comes from a made-up range, so that no real person's number is published."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

_RECEIPT = re.compile(
    r"(?<![A-Za-z0-9])(?:IOE|EAC|WAC|LIN|SRC|MSC|YSC|NBC|VSC|CSC|NSC|TSC|PSC|MCT)[\s-]?[0-9]{10}(?![0-9])",
    re.IGNORECASE,
)
_MADE_UP = re.compile(r"IOE0\d{9}|(?:EAC|WAC|LIN|SRC|MSC|YSC)(?:9999\d{6}|0000000000)|IOE9{10}", re.IGNORECASE)
_MACHINE = re.compile(r"/(?:work|farm)/|bash_jobs")


def tracked_texts() -> dict[str, str]:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: there is no list of files to search")
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S607
    contents = {}
    for name in listed.stdout.splitlines():
        content = (REPOSITORY / name).read_bytes() if (REPOSITORY / name).is_file() else b""
        if b"\0" not in content:
            contents[name] = content.decode("utf-8", "replace")
    return contents


def test_receipt_numbers_come_from_made_up_ranges() -> None:
    real_numbers = {
        (name, number)
        for name, text in tracked_texts().items()
        for number in _RECEIPT.findall(text)
        if not _MADE_UP.fullmatch(re.sub(r"[\s-]", "", number))
    }
    assert real_numbers == set()


def test_files_contain_no_path_of_a_developers_machine() -> None:
    offenders = {name for name, text in tracked_texts().items() if _MACHINE.search(text)} - {
        f"tests/{Path(__file__).name}"
    }
    assert offenders == set()
