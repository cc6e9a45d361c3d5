"""Faults of steps, further answers, lists by number, and accounts with one case: each with its line."""

import pytest

from watcher.recipe.parse.check import RecipeFaults, parse_recipe

HEAD = """name = "Office"
base_url = "https://office.example.gov"
[links]
sign_in = "https://office.example.gov/"
help = "https://office.example.gov/"
"""
FIELDS = '[case.fields]\nstatus = "css:b"\n'
LIST = '[cases]\npost = "/list"\neach = "css:li"\ncase_number = "css:b"\n'
STEP = '[[case.steps]]\nget = "/form"\n'
CASE = '[case]\nget = "/case/{case_number}"\n'


def faults_of(text: str) -> str:
    with pytest.raises(RecipeFaults) as caught:
        parse_recipe(text, "office.toml")
    return "\n".join(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[case]\nget = "/case"\n' + FIELDS, "office.toml:6: case: the address is the same for every case"),
        ('[case]\nget = "/case"\nsingle = true\n' + FIELDS, "office.toml:8: case.single: needs case_number"),
        (LIST + "at_once = 5\n" + FIELDS, "office.toml:10: cases.at_once: needs a request with {case_numbers}"),
        (LIST + 'absent = "Waiting"\n' + FIELDS, "office.toml:10: cases.absent: needs expect"),
        (
            LIST.replace("css:li", "css:#{case_number}") + FIELDS,
            "cases.each: {case_number} is available only in [case]",
        ),
        (CASE.replace("{case_number}", "{case_numbers}") + FIELDS, "no earlier step sets {case_numbers}"),
        (CASE + 'form_from = "css:form"\n' + FIELDS, "office.toml:8: case.form_from: there is no answer before"),
        (STEP + CASE + 'form_from = "css:form"\n' + FIELDS, "office.toml:10: case.form_from: only a form that is sent"),
        (LIST + STEP + FIELDS, "case.steps: needs get or post in [case]"),
        (STEP + 'when = "css:b"\n' + CASE + FIELDS, "office.toml:8: case.steps[0].when: the first step has no earlier"),
        (STEP + 'rejected = "css:b"\n' + CASE + FIELDS, "office.toml:8: case.steps[0].rejected: unknown key"),
        (CASE + FIELDS + '[[case.more]]\nget = "/x"\nfields = { status = "css:i" }\n', "described more than once"),
        (
            CASE + FIELDS + '[[case.more]]\nget = "/x"\nfields = { color = "css:i" }\n',
            "case.more[0].fields.color: unknown",
        ),
        (CASE + FIELDS + '[[case.more]]\nfields = { title = "css:i" }\n', "case.more[0]: needs either get or post"),
        (CASE + '[case.fields]\ntitle = "css:b"\n', "status is missing"),
        (CASE + FIELDS.replace("css:b", "header:{case_number}"), "header: cannot contain {case_number}"),
    ],
)
def test_fault_names_line_and_key(text: str, fault: str) -> None:
    assert fault in faults_of(HEAD + text)


def test_status_may_be_in_a_further_answer() -> None:
    more = '[case.fields]\ntitle = "css:i"\n[[case.more]]\nget = "/x"\nfields = { status = "css:b" }\n'

    recipe = parse_recipe(HEAD + CASE + more, "office.toml")

    assert recipe.case.all_fields["status"][0] == "case.more[0].fields.status"


def test_list_of_all_cases_needs_no_number_in_the_address_of_a_single_one() -> None:
    recipe = parse_recipe(f'{HEAD}{LIST}[case]\nget = "/my"\nsingle = true\n{FIELDS}', "office.toml")

    assert recipe.case.single
    assert not recipe.needs_numbers
