"""`watcher notices add` as a real command: a letter of the user's own, and the dates that it names."""

import stat
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfWriter

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from watcher.notices.file_type import MAX_DOCUMENT_BYTES
from watcher.practice.site.pdf import letter

DAY = (datetime.now(UTC) + timedelta(days=60)).date()
PAST = (datetime.now(UTC) - timedelta(days=20)).date()


@pytest.fixture
def evidence_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace with an open request for evidence, item 1, of a case with a label."""
    workspace.ask_for_evidence()
    workspace.check()
    workspace.run("label", RECEIPT, "Green card")
    return workspace


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    file = tmp_path / "RFE of Maria.pdf"
    file.write_bytes(letter("Request for Evidence", [f"Notice date: {PAST:%B %d, %Y}", f"Respond by {DAY:%B %d, %Y}."]))
    return file


def test_letter_is_kept_and_its_date_is_offered_but_not_entered(evidence_workspace: ApiWorkspace, pdf: Path) -> None:
    result = evidence_workspace.run("notices", "add", "green card", str(pdf))
    shown = f"{DAY:%B} {DAY.day}, {DAY.year}"
    assert f"Letter 1 was added to Green card ({RECEIPT})." in result.out
    assert f"This letter names {shown}. If that is your due date: watcher due 1 {DAY}" in result.out
    assert str(PAST) not in result.out
    (notice,) = evidence_workspace.run("notices", "--json").json["notices"]
    file = evidence_workspace.state / notice["saved_as"]
    assert (notice["title"], notice["case_number"]) == (pdf.name, RECEIPT)
    assert file.read_bytes() == pdf.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert evidence_workspace.run("notices", "open", "1").out.strip() == str(file)
    (item,) = evidence_workspace.run("pending", "--json").json["pending"]
    assert item["due_from"] != "letter"
    evidence_workspace.run("due", "1", str(DAY))


def test_same_letter_is_kept_once_and_stays_after_a_check(evidence_workspace: ApiWorkspace, pdf: Path) -> None:
    evidence_workspace.run("notices", "add", RECEIPT, str(pdf))
    assert "has this letter already, as letter 1" in evidence_workspace.run("notices", "add", RECEIPT, str(pdf)).out
    assert evidence_workspace.check().changes == ()
    assert len(evidence_workspace.run("notices", "--json").json["notices"]) == 1


def test_date_of_a_case_without_open_items_is_offered_as_a_reminder(workspace: ApiWorkspace, pdf: Path) -> None:
    result = workspace.run("notices", "add", RECEIPT, str(pdf))
    assert f"To be reminded: watcher remind {RECEIPT} {DAY}" in result.out


@pytest.mark.parametrize("name", ["Passport of Maria", f"Maria {'x' * 200}.pdf"])
def test_masked_exports_have_no_name_of_a_file(evidence_workspace: ApiWorkspace, pdf: Path, name: str) -> None:
    evidence_workspace.run("notices", "add", RECEIPT, str(pdf.rename(pdf.with_name(name))))
    (notice,) = evidence_workspace.run("notices", "--json").json["notices"]
    assert notice["title"].startswith(name[:150])
    for form in ("json", "html"):
        assert "Maria" not in evidence_workspace.run("export", "--masked", "--case", RECEIPT, "--format", form).out


def test_scan_without_text_says_so(workspace: ApiWorkspace, tmp_path: Path) -> None:
    writer, content = PdfWriter(), BytesIO()
    writer.add_blank_page(width=612, height=792)
    writer.write(content)
    (tmp_path / "scan.pdf").write_bytes(content.getvalue())
    result = workspace.run("notices", "add", RECEIPT, "scan.pdf")
    assert "It has no text that can be read" in result.out


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Dear Maria", "not a PDF"),
        (b"\x89PNG\r\n\x1a\n and so on", "not a PDF"),
        (b"%PDF-1.4 and then nothing", "does not open"),
        (b"%PDF-" + bytes(MAX_DOCUMENT_BYTES), "larger than 32 MiB"),
        (None, "no such file"),
    ],
    ids=["empty", "text", "picture", "broken", "too large", "missing"],
)
def test_other_files_are_refused_and_not_kept(
    workspace: ApiWorkspace, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "letter.pdf").write_bytes(content)
    result = workspace.run("notices", "add", RECEIPT, "letter.pdf", expect=(2,))
    assert reason in result.err
    assert "website" not in result.err
    assert not (workspace.state / "notices").exists()
    assert workspace.run("notices", "--json").json == {"notices": []}
