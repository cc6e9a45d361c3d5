"""The URL of a database on a server: its faults, and TLS."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from watcher.store.database.server_url import display_name_of, fault_of, is_server, tls_arguments, weak_tls

SECRET = "s3cr3t-W0RD"


@pytest.mark.parametrize("character", "@/#?:%")
@pytest.mark.parametrize(
    "place",
    [
        "watcher:{}@db.example.org/books",
        "watcher:{}@db.example.org:5432/books",
        "watcher:12{}@db.example.org/books",
        "{}:password@db.example.org/books",
    ],
)
def test_unescaped_character_in_a_password_is_a_fault_that_shows_no_part_of_it(character: str, place: str) -> None:
    fault = fault_of("postgresql://" + place.format(f"s3cr3t{character}W0RD"))
    assert fault is not None
    assert f"write {character} as" in fault.replace(", and", ", write").replace(", ", ", write ")
    assert "s3cr3t" not in fault
    assert "W0RD" not in fault


@pytest.mark.parametrize("port", ["54x2", "", "0", "65536", "-1", "\uff15\uff14", "5432,5433", SECRET])
def test_odd_port_is_a_fault_that_does_not_show_it(port: str) -> None:
    fault = fault_of(f"postgresql://watcher:password@db.example.org:{port}/books")
    assert fault == "the port after the host must be a number from 1 to 65535"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://watcher@db.example.org/books",
        "postgres://watcher:p%40%2F%23%3F%3A%25%C3%BC-ü word@db.example.org:5432/books",
        "postgresql+psycopg://watcher:password@[::1]:5432/books?sslmode=disable",
        "postgresql:///books",
        "postgresql:///books?host=/run/postgresql&user=watcher",
        "postgresql://db.example.org/books?sslrootcert=/etc/ssl/ca.pem&options=-csearch_path%3Dwatcher",
        "postgresql://db.example.org",
    ],
)
def test_url_without_a_fault(url: str) -> None:
    assert is_server(url)
    assert fault_of(url) is None


@given(st.text(st.characters(codec="utf-8")), st.text("pa@/#?:%=& 1a"))
def test_faultless_url_is_understood_and_its_name_shows_no_password(user: str, password: str) -> None:
    url = f"postgresql://{user}:{password}{SECRET}@db.example.org:5432/books"
    if fault_of(url) is None:
        parsed = make_url(url)
        assert parsed.password is not None
        assert parsed.password.endswith(SECRET)
        assert display_name_of(parsed) == "books at db.example.org"
    else:
        assert SECRET not in str(fault_of(url))


def test_server_elsewhere_is_verified_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = tls_arguments(make_url("postgresql://watcher@db.example.org/books"), {})
    assert arguments["sslmode"] == "verify-full"
    assert arguments["sslrootcert"] == "system" or Path(arguments["sslrootcert"]).is_file()
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert tls_arguments(make_url("postgresql://watcher@db.example.org/books"), {}) == {"sslmode": "verify-full"}


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql://watcher@127.0.0.2/books", {}),
        ("postgresql://watcher@[::1]:5432/books", {}),
        ("postgresql://localhost/books", {}),
        ("postgresql:///books", {}),
        ("postgresql:///books?host=/run/postgresql", {}),
        ("postgresql:///books?host=127.0.0.1:5432&host=localhost:5433", {}),
        ("postgresql://db.example.org/books?hostaddr=127.0.0.1", {}),
        ("postgresql://db.example.org/books?sslmode=require", {}),
        ("postgresql://db.example.org/books?sslmode=verify-full&sslrootcert=/ca.pem", {}),
        ("postgresql://db.example.org/books", {"PGSSLMODE": "prefer"}),
        ("postgresql:///books?service=books", {}),
        ("postgresql:///books", {"PGSERVICE": "books"}),
    ],
)
def test_choice_of_the_user_and_connections_within_the_machine_are_left_alone(
    url: str, environ: dict[str, str]
) -> None:
    assert tls_arguments(make_url(url), environ) == {}


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql:///books", {"PGHOST": "db.example.org"}),
        ("postgresql:///books?host=127.0.0.1&host=db.example.org", {}),
        ("postgresql:///books?host=127.0.0.1:5432&host=db.example.org:5432", {}),
        ("postgresql://localhost/books?hostaddr=192.0.2.1", {}),
        ("postgresql://localhost.example.org/books?sslrootcert=/ca.pem", {}),
        ("postgresql://[2001:db8::1]/books", {}),
    ],
)
def test_server_is_elsewhere_however_it_is_named(url: str, environ: dict[str, str]) -> None:
    assert tls_arguments(make_url(url), environ)["sslmode"] == "verify-full"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_weaker_choice_for_a_server_elsewhere_is_known(mode: str) -> None:
    assert weak_tls(f"postgresql://db.example.org/books?sslmode={mode}", {}) == mode
    assert weak_tls("postgresql://db.example.org/books", {"PGSSLMODE": mode}) == mode
    assert weak_tls(f"postgresql://127.0.0.1/books?sslmode={mode}", {}) is None
    assert weak_tls("postgresql://db.example.org/books?sslmode=verify-full", {"PGSSLMODE": mode}) is None
