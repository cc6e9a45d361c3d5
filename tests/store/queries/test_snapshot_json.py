"""Snapshots as JSON, and back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.snapshots import COLLECTIONS, snapshots
from watcher.model.appointment_time import Moment
from watcher.model.case import ItemKind, PendingItem, Snapshot
from watcher.store.queries.snapshot_json import decode, digest, encode

few = settings(max_examples=40, deadline=None)


@few
@given(snapshots())
def test_snapshot_is_unchanged_after_encoding_and_decoding(snapshot: Snapshot) -> None:
    assert decode(encode(snapshot)) == snapshot
    assert encode(decode(encode(snapshot))) == encode(snapshot)


@few
@given(snapshots(), st.randoms(use_true_random=False))
def test_json_does_not_depend_on_the_order_on_the_page(snapshot: Snapshot, random: Any) -> None:
    shuffled: dict[str, Any] = {
        name: tuple(random.sample(entries, len(entries)))
        for name in COLLECTIONS
        if (entries := getattr(snapshot, name)) is not None
    }
    assert encode(replace(snapshot, **shuffled)) == encode(snapshot)
    assert digest(replace(snapshot, **shuffled)) == digest(snapshot)


@few
@given(snapshots(), snapshots())
def test_digests_are_equal_only_for_equal_snapshots(first: Snapshot, second: Snapshot) -> None:
    assert (digest(first) == digest(second)) is (first == second)
    assert digest(replace(first, silent=frozenset({"notices"}))) != digest(first)


@few
@given(snapshots())
def test_unknown_key_of_a_newer_release_is_ignored(snapshot: Snapshot) -> None:
    document = json.loads(encode(snapshot)) | {"of_a_newer_release": [1, 2]}
    for name in COLLECTIONS:
        for entry in document[name] or ():
            entry["of_a_newer_release"] = "x"
    assert decode(json.dumps(document)) == snapshot


def test_text_that_an_older_release_stored_as_it_came_is_composed() -> None:
    stored = encode(Snapshot(case_number="1", status="Dossie\u0302"))
    assert decode(stored).status == "Dossi\xea"


def test_zone_that_an_older_release_did_not_store_is_taken_from_the_newer_snapshot() -> None:
    moment = Moment(datetime(2026, 7, 9, 19, tzinfo=UTC))
    item = PendingItem(key="a", kind=ItemKind.INTERVIEW, title="Interview", starts_at=moment)
    fresh = Snapshot(case_number="IOE0000000001", pending=(item,))
    stored = encode(fresh).replace("2026-07-09T19:00:00Z", "2026-07-09T19:00:00")
    assert decode(stored, fallback=fresh) == fresh
    moved = encode(fresh).replace("2026-07-09T19:00:00Z", "2026-07-10T19:00:00")
    assert decode(moved, fallback=fresh) != fresh
