"""A snapshot as text, and back."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.snapshots import COLLECTIONS, snapshots
from watcher.model.case import Snapshot
from watcher.store.queries.snapshot_json import decode, digest, encode

few = settings(max_examples=40, deadline=None)


@few
@given(snapshots())
def test_what_is_written_is_read_again_unchanged(snapshot: Snapshot) -> None:
    assert decode(encode(snapshot)) == snapshot
    assert encode(decode(encode(snapshot))) == encode(snapshot)


@few
@given(snapshots(), st.randoms(use_true_random=False))
def test_the_text_does_not_depend_on_the_order_of_a_page(snapshot: Snapshot, chance: Any) -> None:
    shuffled: dict[str, Any] = {
        name: tuple(chance.sample(entries, len(entries)))
        for name in COLLECTIONS
        if (entries := getattr(snapshot, name)) is not None
    }
    assert encode(replace(snapshot, **shuffled)) == encode(snapshot)
    assert digest(replace(snapshot, **shuffled)) == digest(snapshot)


@few
@given(snapshots(), snapshots())
def test_two_snapshots_have_one_digest_only_where_they_are_equal(first: Snapshot, second: Snapshot) -> None:
    assert (digest(first) == digest(second)) is (first == second)
    assert digest(replace(first, partial=frozenset({"notices"}))) != digest(first)


@few
@given(snapshots())
def test_a_key_that_only_a_newer_release_knows_does_no_harm(snapshot: Snapshot) -> None:
    document = json.loads(encode(snapshot)) | {"of_tomorrow": [1, 2]}
    for name in COLLECTIONS:
        for entry in document[name] or ():
            entry["of_tomorrow"] = "x"
    assert decode(json.dumps(document)) == snapshot
