"""`watcher web link` as a real command."""

import re
from datetime import UTC, datetime, timedelta

from tests.cli.pseudo_terminal import on_terminal
from tests.support.workspace import Workspace
from watcher.clock.timestamps import parse_utc
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import digest_of

WEB = '[web]\nlisten = "127.0.0.1:8788"\nurl = "https://home.example.org/watcher"\n'


def test_link_is_printed_and_only_its_digest_is_stored(empty_workspace: Workspace) -> None:
    empty_workspace.write(WEB)
    before = datetime.now(UTC).replace(microsecond=0)
    out = empty_workspace.run("web", "link").out
    match = re.fullmatch(
        r"Open this link once, within 10 minutes:\nhttps://home\.example\.org/watcher/sign-in/([\w-]{43})\n", out
    )
    assert match is not None
    document = empty_workspace.run("web", "link", "--person", " Maria  Lopez", "--read-only", "--json").json
    assert timedelta(minutes=10) <= parse_utc(document["expires_at"]) - before < timedelta(minutes=11)
    assert (document["person"], document["read_only"]) == ("Maria Lopez", True)
    with empty_workspace.app() as app:
        first, second = app.store.web.keys(KeyKind.LINK)
        assert app.store.web.find(KeyKind.LINK, match[1]) == first
        assert (first.person, first.read_only, second.person, second.read_only) == (None, False, "Maria Lopez", True)
    content = b"".join(file.read_bytes() for file in empty_workspace.state.glob("watcher.sqlite3*"))
    assert digest_of(match[1]) in content
    assert match[1].encode() not in content


def test_name_is_taken_as_in_the_labels_and_one_without_a_case_is_pointed_out(empty_workspace: Workspace) -> None:
    empty_workspace.write(WEB)
    empty_workspace.run("label", "IOE0000000001", "--person", "María")
    known = empty_workspace.run("web", "link", "--person", "MARÍA", "--json")
    assert (known.json["person"], known.err) == ("María", "")
    unknown = empty_workspace.run("web", "link", "--person", "Jose")
    assert "No case belongs to Jose yet." in unknown.err
    assert "Enter the name" in empty_workspace.run("web", "link", "--person", " ", expect=(2,)).err


def test_terminal_shows_a_qr_code(empty_workspace: Workspace) -> None:
    empty_workspace.write(WEB)
    shown = on_terminal(empty_workspace, "web", "link", answer="")
    assert "https://home.example.org/watcher/sign-in/" in shown
    assert shown.count("▄") > 100


def test_link_needs_the_page(empty_workspace: Workspace) -> None:
    empty_workspace.write("")
    result = empty_workspace.run("web", "link", expect=(2,))
    assert "The page is off." in result.err
    assert "[web]" in result.err
