"""Connections to servers and databases that have settings of their own, and those that are refused."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import trustme

from tests.postgres.pooler import pooler
from tests.postgres.server import PASSWORD, Server, as_unprivileged, rows_in, server
from tests.servers.running import wanted
from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountHealth
from watcher.store import Store
from watcher.store.database.engine import Database
from watcher.store.database.postgres import engine_for_locks

NOW = datetime(2026, 3, 1, 23, 59, 59, 123456, tzinfo=UTC)
HEALTH = AccountHealth(first_seen_at=NOW, last_error="“no” - ☃")


def open_store(url: str) -> Store:
    return Store(url, locks=Path(os.devnull))


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def writes_and_reads(url: str) -> bool:
    with closing(open_store(url)) as store:
        store.accounts.set_health("family", HEALTH)
        return store.accounts.health("family", NOW) == HEALTH


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_encoding_other_than_utf8_is_refused_with_what_to_create_instead(postgres: Server, encoding: str) -> None:
    name = f"books_{encoding.lower()}"
    postgres.do(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    message = rf"{name} at 127\.0\.0\.1: its encoding is {encoding}.*ENCODING 'UTF8' TEMPLATE template0"
    with pytest.raises(StoreUnusable, match=message):
        open_store(postgres.url(name))


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'German'",
        "datestyle = 'SQL, DMY'",
        "timezone = 'Asia/Kolkata'",
        "client_encoding = 'LATIN1'",
        "bytea_output = 'escape'",
        "default_transaction_isolation = 'serializable'",
    ],
)
def test_database_may_have_other_defaults(postgres: Server, setting: str) -> None:
    url = postgres.new_store()
    postgres.do(f"ALTER DATABASE {name_of(url)} SET {setting}")
    assert writes_and_reads(url)


def test_url_may_choose_other_settings(postgres: Server) -> None:
    assert writes_and_reads(f"{postgres.new_store()}?client_encoding=LATIN1&options=-cdatestyle%3DGerman")


def test_tables_may_be_in_a_schema_of_their_own(postgres: Server) -> None:
    url = postgres.new_database()
    for statement in ("CREATE SCHEMA apart", "CREATE TABLE account (id int)"):
        postgres.do(statement, name_of(url))
    assert writes_and_reads(f"{url}?options=-csearch_path%3Dapart")
    assert rows_in(url, "SELECT * FROM account") == []


def test_database_that_is_read_only_is_not_written_to(postgres: Server) -> None:
    url = postgres.new_store()
    postgres.do(f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    with closing(open_store(url)) as store:
        for _ in range(2):
            assert store.accounts.all() == {}
            with pytest.raises(StoreUnusable, match="read-only"):
                store.accounts.health("family", NOW)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE account (id int)"],
        ["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('abcdef012345')"],
        ["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0999')"],
        ["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0001')"],
        ["CREATE TABLE alembic_version (other text)"],
        ["CREATE VIEW account AS SELECT 1"],
    ],
)
def test_tables_of_another_program_are_named_as_such(postgres: Server, url: str, statements: list[str]) -> None:
    for statement in statements:
        postgres.do(statement, name_of(url))
    with pytest.raises(StoreUnusable, match="use a separate database"):
        open_store(url)


def test_connections_outlast_the_limits_of_the_server_only_where_they_must(postgres: Server, url: str) -> None:
    postgres.do(f"ALTER DATABASE {name_of(url)} SET idle_session_timeout = '7s'")
    settings = "idle_session_timeout", "tcp_keepalives_idle", "idle_in_transaction_session_timeout"
    with closing(Database(url)) as database:
        with database.writing() as connection:
            chosen = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in settings]
        with engine_for_locks(database.engine.url).connect() as connection:
            chosen_for_locks = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in settings]
    assert chosen == ["7s", "60", "1min"]
    assert chosen_for_locks == ["0", "60", "1min"]


class TestPoolers:
    @pytest.mark.parametrize("in_turn", [False, True])
    @pytest.mark.parametrize("mode", ["transaction", "statement"])
    def test_pooler_that_assigns_connections_per_transaction_is_refused(
        self, postgres: Server, mode: str, *, in_turn: bool
    ) -> None:
        url = postgres.new_store()
        with pooler(postgres, mode, in_turn=in_turn) as port:
            for _ in range(3):
                with pytest.raises(StoreUnusable, match=r"pgbouncer\) in transaction mode.*pool_mode to session"):
                    open_store(url.replace(f":{postgres.port}/", f":{port}/"))

    def test_pooler_in_session_mode_works(self, postgres: Server) -> None:
        url = postgres.new_database()
        with pooler(postgres, "session") as port:
            pooled = url.replace(f":{postgres.port}/", f":{port}/")
            assert writes_and_reads(pooled)
            with closing(open_store(pooled)) as store, store.locks.acquire("account family"):
                assert store.accounts.health("family", NOW) == HEALTH


@pytest.fixture(scope="module")
def tls_folder() -> Iterator[Path]:
    """A folder with a certificate for 127.0.0.1, its authority, and German texts, which the server may read."""
    folder = Path(tempfile.mkdtemp(prefix="watcher-tls-"))
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(folder / "server.pem", append=True)
    (folder / "key.pem").chmod(0o600)
    as_unprivileged(folder, folder / "key.pem", folder / "server.pem")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def tls_server(tls_folder: Path) -> Iterator[Server]:
    """A server with TLS that speaks German, if this machine can make it."""
    settings = {"ssl": "on", "ssl_cert_file": tls_folder / "server.pem", "ssl_key_file": tls_folder / "key.pem"}
    german = "de_DE.UTF-8"
    if shutil.which("localedef"):
        made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tls_folder / german)]
        if subprocess.run(made, check=False, capture_output=True).returncode == 0:
            settings["lc_messages"] = german
    with server(settings, {"LOCPATH": str(tls_folder)}) as running:
        yield running


class TestTls:
    def test_certificate_is_verified_with_the_authority_in_the_url(self, tls_server: Server, tls_folder: Path) -> None:
        url = f"{tls_server.new_database()}?sslmode=verify-full&sslrootcert={tls_folder / 'ca.pem'}"
        assert writes_and_reads(url)

    @pytest.mark.parametrize(
        ("host", "root"),
        [("127.0.0.1", "system"), ("127.0.0.1", "other"), ("localhost", "ca.pem")],
    )
    def test_untrusted_certificate_is_refused_in_clear_words(
        self, tls_server: Server, tls_folder: Path, tmp_path: Path, host: str, root: str
    ) -> None:
        trustme.CA().cert_pem.write_to_path(tmp_path / "other")
        place = {
            "system": "",
            "other": f"&sslrootcert={tmp_path / 'other'}",
            "ca.pem": f"&sslrootcert={tls_folder / root}",
        }
        url = tls_server.url("postgres").replace("127.0.0.1", host) + f"?sslmode=verify-full{place[root]}"
        with pytest.raises(
            StoreUnusable, match="no certificate for this host name from an authority that this machine trusts"
        ):
            open_store(url)

    def test_missing_file_of_authorities_is_no_missing_database(self, tls_server: Server) -> None:
        with pytest.raises(StoreUnusable, match=r"sslrootcert in database_url.* does not exist"):
            open_store(f"{tls_server.url('postgres')}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem")

    def test_server_elsewhere_must_offer_tls(self, postgres: Server) -> None:
        elsewhere = postgres.url("postgres").replace("127.0.0.1", "127.1")  # a name that is not known to be loopback
        with pytest.raises(StoreUnusable, match="does not offer TLS"):
            open_store(elsewhere)
        with closing(Database(f"{elsewhere}?sslmode=disable")) as database, database.reading() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1


class TestMessagesInAnotherLanguage:
    @pytest.fixture(autouse=True)
    def german(self, tls_server: Server) -> None:
        if tls_server.do("SHOW lc_messages") != [("de_DE.UTF-8",)]:
            wanted("German messages cannot be made here; install the package locales")

    def test_server_speaks_german(self, tls_server: Server) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable, match="existiert nicht"):
            tls_server.do("SELECT * FROM nowhere")

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("SET default_transaction_read_only = on", "read-only"),
            ("DROP TABLE account CASCADE", "lacks tables of this release"),
            ("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM guest", "make it the owner"),
        ],
    )
    def test_reason_is_known_by_its_code(self, tls_server: Server, statement: str, message: str) -> None:
        url = tls_server.new_store()
        if statement.startswith("SET"):
            statement = f"ALTER DATABASE {name_of(url)} {statement}"
        tls_server.do("DROP ROLE IF EXISTS guest")
        tls_server.do(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
        if "guest" in statement:
            url = url.replace("//watcher:", "//guest:")
        tls_server.do(statement, name_of(url))
        with pytest.raises(StoreUnusable, match=message):
            writes_and_reads(url)

    @pytest.mark.parametrize(
        "place", ["watcher:not-{password}@127.0.0.1:{port}/postgres", "watcher:{password}@127.0.0.1:{port}/nowhere"]
    )
    def test_refusal_before_the_connection_is_told_in_the_words_of_the_server(
        self, tls_server: Server, place: str
    ) -> None:
        url = "postgresql://" + place.format(password=PASSWORD, port=tls_server.port)
        with pytest.raises(StoreUnusable, match=r"check user, password, and database of database_url: FATAL") as raised:
            open_store(url)
        assert PASSWORD not in str(raised.value)
