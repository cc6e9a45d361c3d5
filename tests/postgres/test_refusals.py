"""The real commands with databases that are refused: clear words, and no part of a secret in any of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres.pooler import pooler
from tests.postgres.server import PASSWORD, Server
from tests.support.workspace import Workspace

CANARIES = ("kanari", "W0RD")
SECRET = "".join(CANARIES)
ACCOUNT = '[accounts.family]\nportal = "manual"\nsite = "ceac"\ncases = ["AA0020AKAX"]\n'
NewUrl = Callable[[Server], str]


def role(postgres: Server) -> None:
    """Create the administrator `canary`, whose password every message must leave out."""
    postgres.do(f"DROP ROLE IF EXISTS canary; CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{SECRET}'")


def prepared(*statements: str, options: str = "") -> NewUrl:
    """Return a function that creates a database in which these statements were run."""

    def new_url(postgres: Server) -> str:
        url = postgres.new_database()
        name = url.rpartition("/")[2]
        for statement in statements:
            postgres.do(statement.format(name=name), name)
        return f"postgresql://canary:{SECRET}@127.0.0.1:{postgres.port}/{name}{options}"

    return new_url


def written(url: str) -> NewUrl:
    return lambda postgres: url.format(port=postgres.port, secret=SECRET)


def latin(postgres: Server) -> str:
    postgres.do("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    return f"postgresql://canary:{SECRET}@127.0.0.1:{postgres.port}/latin"


REFUSED = {
    "at sign": (written("postgresql://canary:kanari@W0RD@127.0.0.1:{port}/postgres"), "write @ as %40"),
    "slash": (written("postgresql://canary:kanari/W0RD@127.0.0.1:{port}/postgres"), "/ as %2F"),
    "percent": (written("postgresql://canary:kanari%W0RD@127.0.0.1:{port}/postgres"), "% as %25"),
    "port": (written("postgresql://canary:{secret}@127.0.0.1:54x2/postgres"), "the port after the host"),
    "no host": (written("postgresql://canary:{secret}/postgres"), "the port after the host"),
    "password": (written("postgresql://canary:not-{secret}@127.0.0.1:{port}/postgres"), "refuses the user name or the"),
    "in the query": (written("postgresql://127.0.0.1:{port}/postgres?user=canary&password=x{secret}"), "refuses the"),
    "user": (
        written("postgresql://nobody:{secret}@127.0.0.1:{port}/postgres"),
        "refuses the user name or the password",
    ),
    "database": (written("postgresql://canary:{secret}@127.0.0.1:{port}/nowhere"), "create it with createdb"),
    "host": (written("postgresql://canary:{secret}@host.invalid/postgres"), "the name of its server is unknown"),
    "nothing there": (written("postgresql://canary:{secret}@127.0.0.1:1/postgres"), "nothing answers there"),
    "driver": (written("postgresql+asyncpg://canary:{secret}@127.0.0.1:{port}/postgres"), "case-watcher[postgres]"),
    "option": (written("postgresql://canary:{secret}@127.0.0.1:{port}/postgres?unknown=1"), "unknown"),
    "no tls": (written("postgresql://canary:{secret}@127.1:{port}/postgres"), "does not offer TLS"),
    "encoding": (latin, "its encoding is LATIN1"),
    "foreign": (prepared("CREATE TABLE account (id int)"), "it contains another program's tables"),
}


FINDINGS = {"at sign", "no tls", "encoding", "foreign"}
"""What `watcher doctor` is asked about, in place of `watcher status`."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path)


def refuse(workspace: Workspace, url: str, message: str, *commands: str) -> None:
    """Fail unless each command ends with the message, without a traceback or a part of the password."""
    workspace.write(f'database_url = "{url}"\n{ACCOUNT}')
    for command in commands:
        ran = workspace.run(*command.split(), expect=(1, 2))
        shown = ran.out + ran.err
        assert message in shown, (command, shown)
        assert "Traceback" not in shown
        assert not [canary for canary in CANARIES if canary in shown], (command, shown)


@pytest.mark.parametrize("name", REFUSED)
def test_database_is_refused_in_clear_words_without_any_part_of_the_password(
    postgres: Server, workspace: Workspace, name: str
) -> None:
    role(postgres)
    new_url, message = REFUSED[name]
    refuse(workspace, new_url(postgres), message, "doctor --offline" if name in FINDINGS else "status")


def test_every_kind_of_command_refuses_an_encoding(postgres: Server, workspace: Workspace) -> None:
    postgres.do("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    commands = "run", "check", "history", "done 1", "export", "health", "backup copy"
    refuse(workspace, postgres.url("ascii"), "its encoding is SQL_ASCII", *commands)


def test_pooler_in_transaction_mode_is_refused(postgres: Server, workspace: Workspace) -> None:
    url = postgres.new_store()
    with pooler(postgres, "transaction") as port:
        pooled = url.replace(f":{postgres.port}/", f":{port}/")
        refuse(workspace, pooled, "in transaction mode", "run", "check", "status", "doctor --offline")


def test_read_only_database_can_be_looked_at_and_is_a_finding(postgres: Server, workspace: Workspace) -> None:
    url = postgres.new_store()
    postgres.do(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    refuse(workspace, url, "it is read-only", "check", "doctor --offline")
    assert workspace.run("status", "--json").json["cases"] == []


def test_weak_tls_to_a_server_elsewhere_is_a_finding(postgres: Server, workspace: Workspace) -> None:
    elsewhere = postgres.new_store().replace("127.0.0.1", "127.1")
    workspace.write(f'database_url = "{elsewhere}?sslmode=prefer"\n{ACCOUNT}')
    shown = workspace.run("doctor", "--offline").out
    assert "sslmode=prefer: others on the network can read the traffic" in shown
    assert PASSWORD not in shown
