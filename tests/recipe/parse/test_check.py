"""A recipe is checked completely before anything is sent, and all faults are reported at once with their lines."""

import re
from pathlib import Path

import pytest

from tests.recipe.account import RECIPES, account_of
from watcher.recipe.model import Recipe
from watcher.recipe.parse.check import RecipeFaults, load_recipe, parse_recipe
from watcher.recipe.workshop.start import new_recipe_text

BROKEN = Path(__file__).parent / "broken.toml"
COMPLETE = """
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
    except RecipeFaults as error:
        return error.faults
    return ()


def with_line(line: str, *, after: str) -> str:
    assert f"{after}\n" in COMPLETE
    return COMPLETE.replace(f"{after}\n", f"{after}\n{line}\n", 1)


def replacing(line: str, *, of: str) -> str:
    assert f"{of}\n" in COMPLETE
    return COMPLETE.replace(f"{of}\n", f"{line}\n", 1)


def test_every_fault_of_a_recipe_is_reported_with_line_and_correction() -> None:
    with pytest.raises(RecipeFaults) as raised:
        load_recipe(BROKEN)

    expected = [
        (number, line.rpartition("# WRONG ")[2].split(": ", 1))
        for number, line in enumerate(BROKEN.read_text().splitlines(), start=1)
        if "# WRONG" in line
    ]
    assert len(expected) >= 20
    assert len(raised.value.faults) == len(expected)
    for (number, (key, correction)), fault in zip(expected, raised.value.faults, strict=True):
        assert fault.startswith(f"{BROKEN}:{number}: {key}: "), fault
        assert correction in fault, fault


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_recipe_is_valid(recipe: Path) -> None:
    assert isinstance(load_recipe(recipe), Recipe)


def test_template_is_valid() -> None:
    assert faults_of(new_recipe_text()) == ()


def test_files_named_in_the_template_exist() -> None:
    (name,) = re.findall(r"\bsee (\S+\.md)", new_recipe_text())
    assert (Path(__file__).parents[3] / name).is_file()


def test_complete_example_is_valid() -> None:
    assert faults_of(COMPLETE) == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (replacing("", of='name = "Example"'), "x.toml:1: the recipe: name is missing"),
        (replacing('[links]\nreset = "https://x.example/"', of="[links]"), ""),
        (replacing("any = []", of='any = ["status:401"]'), "[signed_out] needs a list of selectors"),
        (replacing("", of='rejected = ["css:.error"]'), "rejected is missing"),
        (replacing('get = "/cases/7"', of='get = "/cases/{case_number}"'), "the same for every case"),
        (replacing('get = "//evil.example/{case_number}"', of='get = "/cases/{case_number}"'), "must be a path"),
        (
            replacing('get = "https://{token}/{case_number}"', of='get = "/cases/{case_number}"'),
            "cannot contain a placeholder",
        ),
        (replacing('get = "https://login.example.gov/{case_number}"', of='get = "/cases/{case_number}"'), ""),
        (replacing('hosts = ["https://x.example"]', of='hosts = ["login.example.gov"]'), "is not a host name"),
        (replacing('hosts = ["*.example"]', of='hosts = ["login.example.gov"]'), "is not a host name"),
        (replacing('base_url = "http://127.0.0.1:8000"', of='base_url = "https://portal.example.gov"'), ""),
        (with_line('post = "/cases"', after='get = "/cases"'), "needs either get or post"),
        (with_line('form = { a = "b" }', after='get = "/cases"'), "get sends neither form"),
        (with_line('headers = { Cookie = "a=b" }', after='get = "/cases"'), "a recipe may not set this header"),
        (with_line('headers = { X-Key = "{token}" }', after='get = "/cases"'), ""),
        (with_line('headers = { X-Key = "{password}" }', after='get = "/cases"'), "available only in [[sign_in]]"),
        (with_line('headers = { X-Key = "{id}" }', after='get = "/cases"'), "no earlier step sets {id}"),
        (with_line('take = { password = "css:a" }', after='get = "/cases"'), "used by the account"),
        (with_line('next_get = "/cases?p={next}"', after='get = "/cases"'), "needs next"),
        (with_line('json = { query = "query { cases { id } }" }', after='post = "/login"'), "either form or json"),
        (with_line('min_every = "1m"', after='name = "Example"'), "at least"),
        (with_line('language = "English"', after='name = "Example"'), "use a language code"),
        (with_line("machine_credentials = 1", after='name = "Example"'), "true or false"),
        (with_line('sometimes = ["sts"]', after='status = "css:.status"'), "is not a field"),
        (with_line("page_end = 5", after='name = "Example"'), "text in quotes"),
        (with_line("[unavailable]", after='any = ["status:401"]'), "[unavailable] needs a list"),
        ('name = "a" "b"', "not valid TOML"),
    ],
)
def test_one_mistake_is_one_fault(text: str, fault: str) -> None:
    found = faults_of(text)
    assert len(found) == (1 if fault else 0), found
    assert all(fault in one for one in found)


def test_section_of_the_wrong_type_is_a_fault() -> None:
    found = faults_of('name = "x"\ncase = 5\nsign_in = 5\nlinks = "x"')

    assert [fault.partition(": ")[2] for fault in found] == [
        "the recipe: base_url is missing",
        "case: must be a section: [case]",
        "sign_in: must be a section [[sign_in]], one for each",
        "links: must be a section: [links]",
    ]


def test_one_status_cannot_have_two_stages() -> None:
    stages = '[case.stages]\n"Under Review" = "under_review"\n"under  REVIEW" = "approved"\n'

    assert ["another stage" in fault for fault in faults_of(COMPLETE + stages)] == [True]


def test_password_in_two_steps_is_a_fault() -> None:
    step = '[[sign_in]]\npost = "/again"\nform = { p = "{password}" }\nrejected = ["css:.error"]'

    assert any("more than one step" in one for one in faults_of(replacing(f"{step}\n[signed_out]", of="[signed_out]")))


def test_case_needs_its_own_address_without_a_list() -> None:
    listless = re.sub(r"\[cases\].*?(?=\[case\])", "", COMPLETE, flags=re.DOTALL)
    assert faults_of(listless) == ()

    nowhere = listless.replace('get = "/cases/{case_number}"', "")
    assert any("[cases] is missing" in one for one in faults_of(nowhere))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 300_000])
def test_file_that_is_not_a_recipe_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(content)

    with pytest.raises(RecipeFaults):
        load_recipe(tmp_path / "x.toml")


def test_account_must_have_the_values_that_its_recipe_sends() -> None:
    with pytest.raises(ValueError, match="needs username") as fault:
        account_of(RECIPES / "practice.toml")
    assert "needs password; set the environment variable WATCHER_ACCOUNTS__" in str(fault.value)


def test_account_may_not_be_checked_more_often_than_its_recipe_allows(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(COMPLETE)

    with pytest.raises(ValueError, match='every = "30m"'):
        account_of(tmp_path / "x.toml", username="a", password="b", every="20m")


def test_missing_recipe_file_is_a_fault_of_its_key() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        account_of(Path("nowhere.toml"), username="a", password="b")
