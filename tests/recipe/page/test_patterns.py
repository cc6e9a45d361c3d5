"""Regular expressions of a recipe are written as in Python, and every accepted one ends soon on any text."""

import re
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.recipe.page.patterns import MAX_TEXT_LENGTH, compile_pattern, search


@pytest.mark.parametrize(
    "pattern",
    [
        r"decided on (.*) at (.*) office",
        "(a+)+$",
        "(a|a)*b",
        "(x+x+)+y",
        "a*a*a*$",
        "(.*)(.*)(.*)(.*)x",
        "[a-z]+[a-z]+[a-z]+[a-z]+b",
        "(?:a{1,20}){1,20}$",
        "a{0,20}" * 7 + "b",
        r"(?i)([a-z0-9]+\s?){1,20}$",
        "(?:a{0,20}){0,20}(?:a{0,20}){0,20}b",
        "(a?)" * 24 + "(a{24})$",
    ],
)
def test_search_ends_soon_and_lets_other_threads_run(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticks.append(time.monotonic())
    ticker.start()
    for text in ("a" * 30_000, "decided on at " * (MAX_TEXT_LENGTH // 14)):
        search(compiled, text)
    done.set()
    ticker.join()
    ticks.append(time.monotonic())

    assert ticks[-1] - ticks[0] < 20
    assert max(later - earlier for earlier, later in pairwise(ticks)) < 2


@pytest.mark.parametrize(
    ("pattern", "correction"),
    [
        ("due(?=:)", "looks ahead or behind"),
        ("due(?!:)", "looks ahead or behind"),
        ("(?<=due )x", "looks ahead or behind"),
        ("(?<!due )x", "looks ahead or behind"),
        (r"(a)\1", "refers back to a group"),
        ("(?P<a>b)(?P=a)", "refers back to a group"),
        ("(a)?(?(1)b|c)", "depends on a group"),
        ("(?>a+)b", "atomic group"),
        ("a++b", "possessive repeat"),
        ("a*+b", "possessive repeat"),
        ("a{1001}", "use \\* or \\+"),
        ("(?:a{500}){500}", "use \\* or \\+"),
        (r"(?:\w{10}){10}", "too large"),
        ("(((((a?){10}){10}){10}){10})", "repeats|too large"),
        (r"[\W\d]", "in brackets"),
        (r"\C", r"use \\pL for letters"),
        ("(?x) a", "not a regular expression"),
        ("a**", "not a regular expression"),
        ("[b-a]", "not a regular expression"),
        ("a" * 201, "longer than"),
        ("(", "not a regular expression"),
        ("", "empty"),
    ],
)
def test_pattern_that_cannot_be_used_is_reported_with_a_correction(pattern: str, correction: str) -> None:
    with pytest.raises(ValueError, match=correction):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"at (.+)$", "at 10:30 AM"),
        (r"at (.+)$", "at 10:30 AM\n"),
        (r"at (.+)$", "at noon\nor later"),
        (r"^Décision : (\w+)", "Décision : acceptée le 3 mai"),
        (r"상태: (\w+)", "상태: 접수완료."),
        (r"due\s(\S+)", "due\u00a0May 3"),
        (r"due[\s:]+([^\s,]+)", "due:\u202f3\u00a0May"),
        (r"([\w.]+)@", "día.año@example.gov"),
        (r"(?s)<item>(.*?)</item>", "<item>a\nb</item></item>"),
        (r"[\s\S]*!", "a\u00a0\n!"),
        (r"(?i)receipt number ([A-Z]{3}\d{10})", "Receipt Number ioe0900000001"),
        (r"(foo|foobar) \d+", "foobar 7"),
        (r"(a)?b", "b"),
        (r"x{,2}y", "xxxy"),
        (r"[x{,2]+", "a{,2"),
        (r"(\u00e9+|\U0001F600)", "aéé"),
        (r"[]a]+", "b]a"),
        (r"[^]a]+", "]b[a"),
        (r"[a[:]+", "x[:a"),
        (r"\[(.+?)\]", "[a][b]"),
        (r"(\d+)\Z", "12 34"),
        (r"(?P<day>\d+)\.", "3.4"),
        (r"\W+", "a é-."),
    ],
)
def test_pattern_finds_what_pythons_re_finds(pattern: str, text: str) -> None:
    match = re.search(pattern, text)
    expected = match[1 if match.re.groups else 0] if match else None

    assert search(compile_pattern(pattern), text) == expected


# The two libraries may know different versions of Unicode, so only characters of Python's version are compared.
@given(
    st.text(st.characters(exclude_categories=["Cn", "Cs"])),
    st.sampled_from([r"\w+", r"\W+", r"\s+", r"\S+", r"[\w\s]+", r"[^\s-]+", r"a.*$"]),
)
def test_letters_and_spaces_are_those_of_pythons_re(text: str, pattern: str) -> None:
    match = re.search(pattern, text)

    assert search(compile_pattern(pattern), text) == (match[0] if match else None)
