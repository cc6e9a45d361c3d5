"""A recipe is checked whole before anything is sent, and every fault is said in one go, with its line."""

import re
from pathlib import Path

import pytest

from tests.recipe.account import RECIPES, account_of
from watcher.recipe.model import Recipe
from watcher.recipe.parse.check import RecipeFaults, load_recipe, parse_recipe
from watcher.recipe.workshop.workshop import new_recipe_text

BROKEN = Path(__file__).parent / "broken.toml"
WHOLE = """
name = "Example"
base_url = "https://portal.example.gov"
hosts = ["login.example.gov"]
[links]
sign_in = "https://portal.example.gov/"
help = "https://portal.example.gov/help"
[[sign_in]]
post = "/login"
form = { username = "{username}", password = "{password}" }
rejected = ["css:.error"]
take = { token = "json:token" }
[signed_out]
any = ["status:401"]
[cases]
get = "/cases"
each = "css:tr"
case_number = "css:td"
[case]
get = "/cases/{case_number}"
[case.fields]
status = "css:.status"
"""


def faults_of(text: str) -> tuple[str, ...]:
    try:
        parse_recipe(text, "x.toml")
    except RecipeFaults as found:
        return found.faults
    return ()


def with_line(line: str, *, after: str) -> str:
    assert f"{after}\n" in WHOLE
    return WHOLE.replace(f"{after}\n", f"{after}\n{line}\n", 1)


def instead(line: str, *, of: str) -> str:
    assert f"{of}\n" in WHOLE
    return WHOLE.replace(f"{of}\n", f"{line}\n", 1)


def test_a_recipe_broken_in_many_ways_names_each_with_its_line_and_what_would_be_right() -> None:
    with pytest.raises(RecipeFaults) as found:
        load_recipe(BROKEN)

    expected = [
        (number, line.rpartition("# WRONG ")[2].split(": ", 1))
        for number, line in enumerate(BROKEN.read_text().splitlines(), start=1)
        if "# WRONG" in line
    ]
    assert len(expected) >= 20
    assert len(found.value.faults) == len(expected)
    for (number, (key, wanted)), fault in zip(expected, found.value.faults, strict=True):
        assert fault.startswith(f"{BROKEN}:{number}: {key}: "), fault
        assert wanted in fault, fault


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.name)
def test_every_recipe_of_the_house_is_without_fault(recipe: Path) -> None:
    assert isinstance(load_recipe(recipe), Recipe)


def test_the_commented_start_is_without_fault() -> None:
    assert faults_of(new_recipe_text()) == ()


def test_what_the_commented_start_refers_to_is_there() -> None:
    (named,) = re.findall(r"\bsee (\S+\.md)", new_recipe_text())
    assert (Path(__file__).parents[3] / named).is_file()


def test_the_whole_example_is_without_fault() -> None:
    assert faults_of(WHOLE) == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (instead("", of='name = "Example"'), "x.toml:1: the recipe: name is missing"),
        (instead('[links]\nreset = "https://x.example/"', of="[links]"), ""),
        (instead("any = []", of='any = ["status:401"]'), "[signed_out] needs a list of selectors"),
        (instead("", of='rejected = ["css:.error"]'), "rejected is missing"),
        (instead('get = "/cases/7"', of='get = "/cases/{case_number}"'), "the same for every case"),
        (instead('get = "//evil.example/{case_number}"', of='get = "/cases/{case_number}"'), "must be a path"),
        (instead('get = "https://{token}/{case_number}"', of='get = "/cases/{case_number}"'), "cannot be filled in"),
        (instead('get = "https://login.example.gov/{case_number}"', of='get = "/cases/{case_number}"'), ""),
        (instead('hosts = ["https://x.example"]', of='hosts = ["login.example.gov"]'), "is no host name"),
        (instead('hosts = ["*.example"]', of='hosts = ["login.example.gov"]'), "is no host name"),
        (instead('base_url = "http://127.0.0.1:8000"', of='base_url = "https://portal.example.gov"'), ""),
        (with_line('post = "/cases"', after='get = "/cases"'), "needs either get or post"),
        (with_line('form = { a = "b" }', after='get = "/cases"'), "get sends no form"),
        (with_line('headers = { Cookie = "a=b" }', after='get = "/cases"'), "no header that a recipe may set"),
        (with_line('headers = { X-Key = "{token}" }', after='get = "/cases"'), ""),
        (with_line('headers = { X-Key = "{password}" }', after='get = "/cases"'), "filled only in [[sign_in]]"),
        (with_line('headers = { X-Key = "{id}" }', after='get = "/cases"'), "nothing before this fills {id}"),
        (with_line('take = { password = "css:a" }', after='get = "/cases"'), "given by the account"),
        (with_line('next_get = "/cases?p={next}"', after='get = "/cases"'), "needs next"),
        (with_line('json = { query = "query { cases { id } }" }', after='post = "/login"'), "either form or json"),
        (with_line('min_every = "1m"', after='name = "Example"'), "at least"),
        (with_line('language = "English"', after='name = "Example"'), "code of a language"),
        (with_line("machine_credentials = 1", after='name = "Example"'), "true or false"),
        (with_line('sometimes = ["sts"]', after='status = "css:.status"'), "is no field"),
        (with_line("page_end = 5", after='name = "Example"'), "text in quotes"),
        (with_line("[unavailable]", after='any = ["status:401"]'), "[unavailable] needs a list"),
        ('name = "a" "b"', "is not TOML"),
    ],
)
def test_one_thing_wrong_is_one_fault(text: str, fault: str) -> None:
    found = faults_of(text)
    assert len(found) == (1 if fault else 0), found
    assert all(fault in one for one in found)


def test_a_section_of_the_wrong_kind_is_a_fault() -> None:
    found = faults_of('name = "x"\ncase = 5\nsign_in = 5\nlinks = "x"')

    assert [fault.partition(": ")[2] for fault in found] == [
        "the recipe: base_url is missing",
        "case: must be a table: [case]",
        "sign_in: must be written [[sign_in]], once for each",
        "links: must be a table: [links]",
    ]


def test_the_same_words_cannot_stand_for_two_stages() -> None:
    stages = '[case.stages]\n"Under Review" = "under_review"\n"under  REVIEW" = "approved"\n'

    assert ["another stage" in fault for fault in faults_of(WHOLE + stages)] == [True]


def test_a_password_sent_in_two_steps_is_two_attempts_and_a_fault() -> None:
    step = '[[sign_in]]\npost = "/again"\nform = { p = "{password}" }\nrejected = ["css:.error"]'

    assert any("more than one step" in one for one in faults_of(instead(f"{step}\n[signed_out]", of="[signed_out]")))


def test_without_a_list_the_case_needs_an_address_of_its_own() -> None:
    listless = re.sub(r"\[cases\].*?(?=\[case\])", "", WHOLE, flags=re.DOTALL)
    assert faults_of(listless) == ()

    nowhere = listless.replace('get = "/cases/{case_number}"', "")
    assert any("[cases] is missing" in one for one in faults_of(nowhere))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 300_000])
def test_a_file_that_is_no_recipe_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(content)

    with pytest.raises(RecipeFaults):
        load_recipe(tmp_path / "x.toml")


def test_an_account_needs_what_its_recipe_sends() -> None:
    with pytest.raises(ValueError, match="needs username and password"):
        account_of(RECIPES / "practice.toml")


def test_an_account_may_not_be_read_more_often_than_its_recipe_allows(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(WHOLE)

    with pytest.raises(ValueError, match='every = "30m"'):
        account_of(tmp_path / "x.toml", username="a", password="b", every="20m")


def test_a_recipe_that_is_not_there_is_a_fault_of_its_key() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        account_of(Path("nowhere.toml"), username="a", password="b")
