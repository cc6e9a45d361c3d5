"""More than one request for a case, many cases in one request, one case for each account, and published lists."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.loopback import LoopbackServer, serve
from tests.doubles.step_office import StepOffice
from tests.recipe.account import RecipeClient, account_of
from watcher.errors import CaseNotFound, UnexpectedAnswer
from watcher.model.case import Stage
from watcher.portal import CaseFailed, CaseRead
from watcher.portals.recipe import try_recipe
from watcher.recipe.page.page import Page
from watcher.recipe.page.selectors import parse_selector
from watcher.recipe.parse.check import parse_recipe
from watcher.recipe.run.case_list import comparable_number, rows

HEAD = """
name = "Office"
base_url = "https://office.example.gov"
[links]
sign_in = "https://office.example.gov/"
help = "https://office.example.gov/"
"""
BY_FORM = (
    HEAD
    + """
[[case.steps]]
get = "/search"
expect = "css:form#find"
take = { first = "css:input@name" }
[case]
post = "/search"
form_from = "css:form#find"
form = { number = "{case_number}" }
expect = "css:b.status"
not_found = ["css:p.none"]
[case.fields]
status = "css:b.status"
"""
)
AT_ONCE = (
    HEAD
    + """
[cases]
post = "/batch"
json = ["{case_numbers}"]
at_once = 3
each = "json:value"
case_number = "json:caseNumber"
expect = "json:value"
[case.fields]
status = "json:caseStatus"
"""
)
PUBLISHED = (
    HEAD
    + """
[cases]
get = "/decisions"
each = "css:tr"
case_number = "css:td"
expect = "css:table#decisions"
absent = "Not decided yet"
[case.fields]
status = "css:td + td"
[case.stages]
"Not decided yet" = "under_review"
"Approved" = "approved"
"""
)
BY_SELECTOR = (
    HEAD
    + """
[case]
get = "/decisions"
expect = "css:table#decisions"
not_found = ["css:table:not(:has(td:lexbor-contains('{case_number}')))"]
pending_status = "Not decided yet"
[case.fields]
status = "css:tr:has(td:lexbor-contains('{case_number}')) td + td"
"""
)
SINGLE = (
    HEAD
    + """
[case]
get = "/my/stepper"
single = true
case_number = "json:dossier.id"
expect = "json:dossier"
not_found = ["css:p.none"]
[case.fields]
status = "json:dossier.statut | split:|"
[[case.more]]
get = "/my/ladder"
expect = "json:step"
fields = { description = "json:step" }
"""
)
OWN: dict[str, Any] = {
    "stepper": {"dossier": {"id": 123456, "statut": "IN_PROGRESS|X"}},
    "ladder": {"step": "Interview"},
}
NUMBERS = [f"E00000000{digit}" for digit in range(1, 8)]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def office() -> StepOffice:
    return StepOffice(cases=dict.fromkeys(NUMBERS, "Approved"))


@pytest.fixture
def server(office: StepOffice, authority: trustme.CA) -> Iterator[LoopbackServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serve(office.answer, tls) as server:
        yield server


class Clients:
    """Makes accounts at the office."""

    def __init__(self, server: LoopbackServer, authority: trustme.CA, folder: Path) -> None:
        self._server, self._folder = server, folder
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def of(self, recipe: str, *cases: str) -> RecipeClient:
        file = self._folder / "office.toml"
        file.write_text(recipe)
        origin, ca_file = self._server.origin, self._folder / "ca.pem"
        return RecipeClient(account=account_of(file, base_url=origin, ca_file=ca_file, cases=cases))


@pytest.fixture
def client(server: LoopbackServer, authority: trustme.CA, tmp_path: Path) -> Clients:
    return Clients(server, authority, tmp_path)


def statuses(family: RecipeClient) -> dict[str, str | None]:
    return {number: case.status for number, case in family.read().items()}


class TestSteps:
    def test_each_case_gets_a_form_of_its_own(
        self, client: Clients, office: StepOffice, server: LoopbackServer
    ) -> None:
        assert statuses(client.of(BY_FORM, *NUMBERS[:2])) == dict.fromkeys(NUMBERS[:2], "Approved")

        assert [request.method for request in server.requests] == ["GET", "POST"] * 2
        assert office.tokens == set()

    def test_hidden_inputs_are_sent_as_they_came(self, client: Clients, server: LoopbackServer) -> None:
        client.of(BY_FORM, NUMBERS[0]).read()

        assert b"empty=" in server.requests[1].body
        assert server.requests[1].form == {"__VIEWSTATE": 'state "&" 1', "number": NUMBERS[0]}

    def test_unknown_case_is_not_found(self, client: Clients) -> None:
        assert isinstance(client.of(BY_FORM, "E000000009").failures()["E000000009"].error, CaseNotFound)

    @pytest.mark.parametrize("part", ["expect", "form_from"])
    def test_form_that_is_gone_is_a_changed_page(self, client: Clients, part: str) -> None:
        recipe = BY_FORM.replace(f'{part} = "css:form#find"', f'{part} = "css:form#gone"')

        error = client.of(recipe, NUMBERS[0]).failures()[NUMBERS[0]].error

        assert type(error) is UnexpectedAnswer
        assert part in str(error)

    def test_trial_shows_the_steps_without_the_taken_values(self, client: Clients) -> None:
        family = client.of(BY_FORM, NUMBERS[0])

        results = {result.key_path: result for result in try_recipe(family.account, family.world.context())}

        assert results["case.steps[0].take.first"].note == "taken, 5 characters"
        assert results["case.fields.status"].values == ("Approved",)


class TestManyAtOnce:
    def test_all_cases_are_read_with_few_requests(self, client: Clients, office: StepOffice) -> None:
        assert len(statuses(client.of(AT_ONCE, *NUMBERS))) == len(NUMBERS)
        assert office.asked_at_once == [NUMBERS[:3], NUMBERS[3:6], NUMBERS[6:]]

    def test_case_that_is_left_out_is_not_listed(self, client: Clients) -> None:
        assert list(statuses(client.of(AT_ONCE, NUMBERS[0], "E000000009"))) == [NUMBERS[0]]

    def test_answer_about_other_cases_is_left_out(self, client: Clients, office: StepOffice) -> None:
        office.cases["E000000009"] = "Denied"

        assert list(statuses(client.of(AT_ONCE, NUMBERS[0]))) == [NUMBERS[0]]


class TestPublishedList:
    def test_case_that_is_absent_has_the_status_of_the_recipe(self, client: Clients, office: StepOffice) -> None:
        family = client.of(PUBLISHED, NUMBERS[0], "E000000009")

        before = family.read()
        office.cases["E000000009"] = "Approved"
        after = family.read()

        assert before["E000000009"].stage is Stage.UNDER_REVIEW
        assert [case.status for case in after.values()] == ["Approved", "Approved"]

    def test_case_that_was_listed_before_is_missing(self, client: Clients, office: StepOffice) -> None:
        family = client.of(PUBLISHED, *NUMBERS[:2])
        family.read()
        del office.cases[NUMBERS[0]]

        results = list(family.results())

        assert [type(result) for result in results] == [CaseRead, CaseFailed]
        assert isinstance(results[1], CaseFailed)
        assert isinstance(results[1].error, CaseNotFound)

    def test_empty_list_says_nothing(self, client: Clients, office: StepOffice) -> None:
        office.cases.clear()

        with pytest.raises(UnexpectedAnswer):
            client.of(PUBLISHED, NUMBERS[0]).read()

    def test_list_may_be_long(self, client: Clients, office: StepOffice) -> None:
        office.cases |= {f"IRL{number:08}": "Refused" for number in range(1500)}

        assert statuses(client.of(PUBLISHED, "IRL00000700")) == {"IRL00000700": "Refused"}

    def test_number_in_a_selector_finds_its_row_in_one_request(
        self, client: Clients, office: StepOffice, server: LoopbackServer
    ) -> None:
        office.cases[NUMBERS[1]] = "Refused"

        found = statuses(client.of(BY_SELECTOR, *NUMBERS[:2], "E000000009"))

        assert found == {NUMBERS[0]: "Approved", NUMBERS[1]: "Refused", "E000000009": "Not decided yet"}
        assert len(server.requests) == 1


class TestOneCase:
    def test_number_and_fields_come_from_several_answers(self, client: Clients, office: StepOffice) -> None:
        office.own = OWN

        case = client.of(SINGLE).read()["123456"]

        assert (case.status, case.description) == ("IN_PROGRESS", "Interview")

    def test_address_is_requested_once(self, client: Clients, office: StepOffice, server: LoopbackServer) -> None:
        office.own = OWN
        client.of(SINGLE, "123456").read()

        assert [request.target for request in server.requests] == ["/my/stepper", "/my/ladder"]

    def test_other_number_is_not_listed(self, client: Clients, office: StepOffice) -> None:
        office.own = OWN

        assert list(client.of(SINGLE, "999999").results()) == []

    def test_account_without_a_case_has_none(self, client: Clients) -> None:
        assert list(client.of(SINGLE).results()) == []

    def test_further_answer_that_has_changed_fails_the_case(self, client: Clients, office: StepOffice) -> None:
        office.own = {**OWN, "ladder": {}}

        assert "case.more[0].expect" in str(client.of(SINGLE).failures()["123456"].error)

    def test_two_numbers_are_refused(self, client: Clients) -> None:
        with pytest.raises(ValueError, match="one case for each account"):
            client.of(SINGLE, "1", "2")


@pytest.mark.parametrize(
    ("selector", "row"),
    [
        ("css:td", "<tr><td>{}</td><td>Approved</td></tr>"),
        ("css:@data-n", "<tr data-n={}><td>x</td><td>Approved</td></tr>"),
        ("css:td | regex:^No[.] (.*)", "<tr><td>No. <b>{}</b></td><td>Approved</td></tr>"),
    ],
)
def test_own_number_is_found_on_a_long_page_wherever_it_stands(selector: str, row: str) -> None:
    recipe = parse_recipe(PUBLISHED.replace('case_number = "css:td"', f'case_number = "{selector}"'), "list.toml")
    content = "".join(row.format(f"IRL-{number:08}") for number in range(700))
    body = f"<html><table id=decisions>{content}</table></html>".encode()
    page = Page(status=200, url="https://x.example/", headers={"content-type": "text/html"}, body=body)

    found = [number for number, _ in rows(recipe, page, only={comparable_number("irl 00000650")})]

    assert found[-1] == "IRL-00000650"
    assert len(found) < 50


def page_about(number: str) -> Page:
    body = f"<html><p id='other'>x</p><p id='found' title='{number}'>{number}</p></html>".encode()
    return Page(status=200, url="https://x.example/", headers={"content-type": "text/html"}, body=body)


@given(st.text("AZaz09-_./:#() ", min_size=1, max_size=12).map(str.strip).filter(bool))
def test_number_in_a_selector_is_nothing_but_text(number: str) -> None:
    for text in ("css:p[title='{case_number}']", "css:p:lexbor-contains('{case_number}')", "regex:>{case_number}<"):
        selector = parse_selector(text).for_case(number)
        assert (selector.text_at(page_about(number)) or "").strip("<>") == " ".join(number.split())
    body = Page(status=200, url="https://x.example/", headers={}, body=f'[{{"n": "{number}", "s": "yes"}}]'.encode())
    assert parse_selector("json:[?n=='{case_number}'] | [0].s").for_case(number).text_at(body) == "yes"


@pytest.mark.parametrize("number", ["a'b", 'a"b', "a`b", "a\\b", "a\nb"])
def test_number_that_json_cannot_contain_is_refused(number: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="cannot search"):
        parse_selector("json:[?n=='{case_number}']").for_case(number)
