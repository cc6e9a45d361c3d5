"""Look-ups without a sign-in, over HTTPS: cases that are not found or not shown yet, parameters, links, firewalls."""

import logging
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.doubles.loopback import LoopbackServer, serve
from tests.doubles.public_office import Lookup, PublicOffice
from tests.recipe.account import RecipeClient, account_of
from watcher.errors import AccessBlocked, CaseNotFound, PortalUnavailable, UnexpectedAnswer
from watcher.model.case import Stage
from watcher.portal import CaseRead
from watcher.portals.recipe import PORTAL
from watcher.privacy.redaction import redact_body
from watcher.reading.trace import TraceFolder

HEAD = """
name = "Visa Office"
base_url = "https://visa.example.gov"
[links]
sign_in = "https://visa.example.gov/"
help = "https://visa.example.gov/"
[unavailable]
any = ["text:Scheduled maintenance"]
"""
BY_NUMBER = (
    HEAD
    + """
[parameters]
birth_date = { ask = "Date of birth (YYYY-MM-DD)", secret = true, pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}" }
lang = { ask = "Language of the answer", default = "en" }
[case]
post = "/result?lang={lang}"
form = { number = "{case_number}", birth = "{birth_date}" }
headers = { X-Birth = "{birth_date}" }
expect = "css:#result"
not_found = ["css:p.none"]
[case.fields]
status = "css:td.status"
[case.stages]
"Granted" = "approved"
"""
)
PENDING = BY_NUMBER.replace('["css:p.none"]', '["css:p.none"]\npending_status = "Not decided yet"').replace(
    '"Granted"', '"not decided yet" = "under_review"\n"Granted"'
)
BY_LINK = (
    HEAD
    + """
[parameters]
link = { ask = "The code at the end of your tracking link", secret = true, per_case = true }
[case]
get = "/api/tracking/{link}"
expect = "json:result.history[0]"
not_found = ["json:result.found == `false`"]
[case.fields]
status = "json:result.history[?now] | [0].label"
description = "json:result.link"
"""
)
TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"
NUMBER, OTHER = "E000000001", "E000000002"
BIRTH = {"birth_date": "1990-01-31"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


@pytest.fixture
def office() -> PublicOffice:
    return PublicOffice(cases={NUMBER: Lookup("Granted", token=TOKEN)})


@pytest.fixture
def server(office: PublicOffice, authority: trustme.CA) -> Iterator[LoopbackServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serve(office.answer, tls) as server:
        yield server


@pytest.fixture
def client(server: LoopbackServer, ca_file: Path, tmp_path: Path) -> "Clients":
    return Clients(server, ca_file, tmp_path / "visa.toml")


class Clients:
    """Makes accounts at the office."""

    def __init__(self, server: LoopbackServer, ca_file: Path, file: Path) -> None:
        self._server, self._ca_file, self._file = server, ca_file, file

    def of(self, recipe: str, *cases: str, **keys: Any) -> RecipeClient:
        self._file.write_text(recipe)
        account = account_of(
            self._file, base_url=self._server.origin, ca_file=self._ca_file, cases=cases or (NUMBER,), **keys
        )
        return RecipeClient(account=account)


def test_case_is_found_by_number_and_birth_date(client: Clients, server: LoopbackServer) -> None:
    snapshots = client.of(BY_NUMBER, parameters=BIRTH).read()

    assert snapshots[NUMBER].stage is Stage.APPROVED
    assert server.requests[0].target == "/result?lang=en"
    assert server.requests[0].form == {"number": NUMBER, "birth": "1990-01-31"}
    assert server.requests[0].headers["x-birth"] == "1990-01-31"


def test_each_case_may_have_its_own_value(client: Clients, office: PublicOffice) -> None:
    office.cases[OTHER] = Lookup("Under review", birth_date="2015-06-01")
    family = client.of(
        BY_NUMBER, NUMBER, OTHER, parameters=BIRTH, case_parameters={"e 000-000002": {"birth_date": "2015-06-01"}}
    )

    assert {number: case.status for number, case in family.read().items()} == {
        NUMBER: "Granted",
        OTHER: "Under review",
    }


def test_unknown_number_is_not_found_and_others_are_read(client: Clients) -> None:
    results = list(client.of(BY_NUMBER, NUMBER, OTHER, parameters=BIRTH).results())

    assert isinstance(results[0], CaseRead)
    assert not isinstance(results[1], CaseRead)
    assert type(results[1].error) is CaseNotFound  # type: ignore[union-attr]


def test_case_that_is_not_shown_yet_has_the_status_of_the_recipe(client: Clients, office: PublicOffice) -> None:
    family = client.of(PENDING, parameters=BIRTH)
    granted = office.cases.pop(NUMBER)

    before = family.read()[NUMBER]
    office.cases[NUMBER] = granted
    after = family.read()[NUMBER]

    assert (before.status, before.stage) == ("Not decided yet", Stage.UNDER_REVIEW)
    assert (after.status, after.stage) == ("Granted", Stage.APPROVED)


def test_case_that_was_shown_before_does_not_become_pending_again(client: Clients, office: PublicOffice) -> None:
    family = client.of(PENDING, parameters=BIRTH)
    family.read()
    office.cases.clear()

    assert isinstance(family.failures()[NUMBER].error, CaseNotFound)


def test_changed_page_is_neither_not_found_nor_pending(client: Clients, office: PublicOffice) -> None:
    office.cases[NUMBER].status = ""

    for recipe in (BY_NUMBER, PENDING):
        assert type(client.of(recipe, parameters=BIRTH).failures()[NUMBER].error) is UnexpectedAnswer


def test_link_is_secret_and_the_case_is_known_by_another_name(
    client: Clients, server: LoopbackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    family = client.of(BY_LINK, "my card 1", case_parameters={"my card 1": {"link": TOKEN}})
    context = replace(family.world.context(), trace=TraceFolder(tmp_path / "trace"))

    with PORTAL.open(family.account, context) as reader:
        results = list(reader.read())

    assert [request.target for request in server.requests] == [f"/api/tracking/{TOKEN}"]
    assert isinstance(results[0], CaseRead)
    assert (results[0].snapshot.case_number, results[0].snapshot.status) == ("my card 1", "Granted")
    stored = {name: redact_body(body) for name, body in results[0].answers.items()}
    assert PORTAL.read(stored, "en").status == "Granted"
    written = [path.name + path.read_text() for path in (tmp_path / "trace").iterdir()]
    for text in (*map(bytes.decode, stored.values()), *written, caplog.text, repr(family.account)):
        assert TOKEN not in text


def test_error_does_not_show_the_link(client: Clients, office: PublicOffice) -> None:
    recipe = BY_LINK.replace("Scheduled", "Other").replace('expect = "json:result.history[0]"', "")
    family = client.of(recipe, "my card 1", case_parameters={"my card 1": {"link": TOKEN}})
    office.is_down = True

    error = family.failures()["my card 1"].error

    assert "not JSON" in str(error)
    assert TOKEN not in str(error)


def test_firewall_ends_the_check_at_once(client: Clients, office: PublicOffice, server: LoopbackServer) -> None:
    office.is_walled = True

    with pytest.raises(AccessBlocked, match="Cloudflare"):
        list(client.of(PENDING, NUMBER, OTHER, parameters=BIRTH).results())

    assert len(server.requests) == 1


def test_page_that_the_recipe_calls_blocked_ends_the_check(client: Clients) -> None:
    recipe = f'{BY_NUMBER}\n[blocked]\nany = ["css:p.none"]\n'

    with pytest.raises(AccessBlocked, match="does not let programs in"):
        list(client.of(recipe, OTHER, NUMBER, parameters=BIRTH).results())


def test_maintenance_is_no_news(client: Clients, office: PublicOffice) -> None:
    office.is_down = True

    error = client.of(PENDING, parameters=BIRTH).failures()[NUMBER].error

    assert type(error) is PortalUnavailable
