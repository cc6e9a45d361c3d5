"""`watcher label` as a real command: labels and people of cases, one by one or from a file."""

from pathlib import Path

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from watcher.model.ledger import UserCase

OTHER = "IOE0000000002"


def said(workspace: ApiWorkspace, number: str = RECEIPT) -> UserCase:
    with workspace.app() as app:
        return app.store.user_case(number)


def test_case_is_labeled_before_its_first_check_and_alerts_begin_with_the_label(workspace: ApiWorkspace) -> None:
    result = workspace.run("label", "ioe-000 0000 001", "Maria's", "green", "card", "--person", "Maria")
    assert result.out == f"{RECEIPT}: Maria's green card, case of Maria.\n"
    assert result.err == ""
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    first, second = (message["title"] for message in workspace.phone.messages)
    assert first == "Watching 1 case: Maria's green card"
    assert second.startswith("Maria's green card: USCIS asks for evidence")
    (case,) = workspace.run("status", "--json").json["cases"]
    assert (case["label"], case["person"], case["finished"]) == ("Maria's green card", "Maria", False)


def test_label_alone_keeps_the_person_and_clear_removes_both(workspace: ApiWorkspace) -> None:
    workspace.run("label", RECEIPT, "--person", "Maria")
    workspace.run("label", RECEIPT, "Green card")
    assert (said(workspace).label, said(workspace).person) == ("Green card", "Maria")
    assert "has no label" in workspace.run("label", RECEIPT, "--clear").out
    assert said(workspace) == UserCase(number=RECEIPT.lower())


def test_case_is_named_by_its_label(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("label", RECEIPT, "Green card")
    (change,) = workspace.run("history", "--json", "green  CARD").json["changes"]
    assert change["case_number"] == RECEIPT
    result = workspace.run("history", "gren card", expect=(2,))
    assert "Did you mean 'Green card'?" in result.err


def test_label_of_two_cases_does_not_name_one(workspace: ApiWorkspace) -> None:
    workspace.api.add_cases(OTHER)
    workspace.configure()
    workspace.write(workspace.sections.replace(f'["{RECEIPT}"]', f'["{RECEIPT}", "{OTHER}"]'))
    workspace.check()
    workspace.run("label", RECEIPT, "Work permit")
    said_so = workspace.run("label", OTHER, "work permit").err
    assert said_so == f"{OTHER}: another case has the label 'work permit' too.\n"
    result = workspace.run("history", "Work permit", expect=(2,))
    assert f"Several cases have the label 'Work permit': {RECEIPT}, {OTHER}." in result.err


def test_case_and_unicode_form_of_names_and_labels_do_not_matter(workspace: ApiWorkspace) -> None:
    workspace.api.add_cases(OTHER)
    workspace.write(workspace.sections.replace(f'["{RECEIPT}"]', f'["{RECEIPT}", "{OTHER}"]'))
    workspace.check()
    workspace.run("label", RECEIPT, "Jos\u00e9's card", "--person", "Ana")
    workspace.run("label", OTHER, "Permit", "--person", "\uff21\uff2e\uff21")
    assert RECEIPT in workspace.run("status", "JOSE\u0301's CARD").out
    lines = workspace.run("status", "--person", "ana").out.splitlines()
    assert lines.count("Ana") == 1
    assert any(OTHER in line for line in lines)
    assert "Ana: José's card, Permit\n" in workspace.run("notify", "plan").out


def test_number_of_a_case_that_is_not_watched_is_accepted_and_said_so(workspace: ApiWorkspace) -> None:
    result = workspace.run("label", OTHER, "Work permit")
    assert "is not being watched yet" in result.err
    assert said(workspace, OTHER).label == "Work permit"
    assert "is not a case number" in workspace.run("label", "Marias", "Green card", expect=(2,)).err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (RECEIPT,),
        (RECEIPT, "x", "--clear"),
        (RECEIPT, "x", "--file", "a.csv"),
        ("--file", "a.csv", "--clear"),
        (RECEIPT, " "),
        (RECEIPT, "x" * 61),
    ],
)
def test_wrong_usage_changes_nothing(workspace: ApiWorkspace, arguments: tuple[str, ...]) -> None:
    workspace.run("label", *arguments, expect=(2,))
    with workspace.app() as app:
        assert app.store.user_cases() == {}


@pytest.mark.parametrize(
    "content",
    [
        f"receipt,label,person\n{RECEIPT},Green card,Maria\n{OTHER},Work permit,\n".encode(),
        f"\ufeffReceipt;Person;Label\r\nIOE-000-000-0001;Maria;Green card\r\n\r\n{OTHER};;Work permit;;\r\n".encode(),
        f"case number\tlabel\tperson\n IOE 0000000001\tGreen card\tMaria\n{OTHER}\tWork permit".encode("utf-16"),
    ],
    ids=["plain", "semicolons, dashes, and a mark", "UTF-16 with tabs"],
)
def test_file_labels_many_cases(workspace: ApiWorkspace, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    result = workspace.run("label", "--file", str(file))
    assert result.out == "2 cases labeled.\n"
    assert result.err == f"{OTHER} is not being watched yet. Its label is kept until it is.\n"
    assert (said(workspace).label, said(workspace).person) == ("Green card", "Maria")
    assert (said(workspace, OTHER).label, said(workspace, OTHER).person) == ("Work permit", None)


def test_file_with_faults_names_each_line_and_changes_nothing(workspace: ApiWorkspace, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    lines = (
        "receipt,label",
        f"{RECEIPT},Green card",
        "Maria,x",
        f"{RECEIPT},Again",
        f"{OTHER},{5000 * 'x'}",
        f"{OTHER},a,b",
    )
    file.write_text("\n".join(lines), encoding="utf-8")
    result = workspace.run("label", "--file", str(file), expect=(1,))
    faults = [line.removeprefix(f"{file}: ").partition(":")[0] for line in result.err.splitlines()[:-1]]
    assert faults == ["line 3", "line 4", "line 5", "line 6"]
    assert max(map(len, result.err.splitlines())) < len(str(file)) + 120
    with workspace.app() as app:
        assert app.store.user_cases() == {}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b\n1,2\n", b"receipt\nIOE0000000001\n", b"\x00\xff\xfe", b'"'])
def test_file_that_is_no_table_of_labels_is_refused(workspace: ApiWorkspace, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    assert str(file) in workspace.run("label", "--file", str(file), expect=(1,)).err


def test_csv_begins_with_label_and_person_and_masked_exports_have_neither(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.run("label", RECEIPT, "Green card of Ana", "--person", "Ana")
    workspace.run("remind", RECEIPT, "2030-05-01", "Passport of Ana expires")
    workspace.run("note", RECEIPT, "Ana called USCIS")
    head, row = workspace.run("export", "--format", "csv").out.splitlines()
    assert head.startswith("label,person,")
    assert row.startswith("Green card of Ana,Ana,")
    assert "Ana" in workspace.run("export").out
    for form in ("json", "csv", "ics"):
        assert "Ana" not in workspace.run("export", "--masked", "--format", form).out
