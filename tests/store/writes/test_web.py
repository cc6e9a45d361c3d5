"""Who may use the page: links, devices, passkeys, and push subscriptions."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from tests.store.backup.test_older_database import restore
from tests.store.temporary_store import NOW, StoreAddress, TemporaryStore, a_draft, record_alerts, temporary_store
from watcher.model.web import IDLE_TIME, LINK_TIME, KeyKind
from watcher.privacy.web_tokens import digest_of
from watcher.store import Store
from watcher.store.backup.backup_files import create_backup
from watcher.store.readonly import open_read_only_store

MINUTE = timedelta(minutes=1)


def sign_in(store: Store, device: str, *, now: datetime = NOW, person: str | None = None) -> int:
    """Sign in a device whose token is `device`, and return its number."""
    store.web.add(KeyKind.LINK, f"link of {device}", now=now, person=person)
    key = store.web.use_link(f"link of {device}", device, name="Phone", now=now)
    assert key is not None
    return key.id


def devices(store: Store) -> list[str]:
    return [name for name in ("first", "second", "third") if store.web.find(KeyKind.DEVICE, name)]


def test_link_makes_a_device_with_its_rights_and_ends(temporary: TemporaryStore) -> None:
    web = temporary.store.web
    web.add(KeyKind.LINK, "link", now=NOW, person="Maria", read_only=True)
    device = web.use_link("link", "device", name="Phone", now=NOW + MINUTE)
    assert device is not None
    assert (device.kind, device.person, device.read_only, device.name) == (KeyKind.DEVICE, "Maria", True, "Phone")
    assert device.created_at == NOW + MINUTE
    assert web.find(KeyKind.DEVICE, "device") == device
    assert web.find(KeyKind.LINK, "device") is None
    assert web.use_link("link", "another", name="Phone", now=NOW + MINUTE) is None
    assert web.keys(KeyKind.LINK) == []


def test_link_of_another_time_makes_no_device(temporary: TemporaryStore) -> None:
    web = temporary.store.web
    for moment in (NOW + LINK_TIME, NOW - LINK_TIME):
        web.add(KeyKind.LINK, "link", now=NOW)
        assert web.use_link("link", "device", name="Phone", now=moment) is None
    assert web.keys(KeyKind.DEVICE) == []


def test_link_that_many_use_at_once_makes_one_device(address: StoreAddress) -> None:
    def use(number: int) -> bool:
        with address.open() as opened:
            return opened.store.web.use_link("link", f"device {number}", name="Phone", now=NOW) is not None

    with address.open() as opened:
        opened.store.web.add(KeyKind.LINK, "link", now=NOW)
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(use, range(4))) == [False, False, False, True]
        assert len(opened.store.web.keys(KeyKind.DEVICE)) == 1


def test_expired_devices_and_links_are_removed_when_one_is_added(temporary: TemporaryStore) -> None:
    store = temporary.store
    used = sign_in(store, "first")
    sign_in(store, "second")
    store.web.add(KeyKind.LINK, "forgotten", now=NOW)
    store.web.note_seen(used, NOW + timedelta(days=1))
    sign_in(store, "third", now=NOW + IDLE_TIME)
    assert devices(store) == ["first", "third"]
    assert store.web.keys(KeyKind.LINK) == []


def test_token_that_is_replaced_ends_and_those_of_others_stay(temporary: TemporaryStore) -> None:
    web = temporary.store.web
    for token, person in (
        ("hers", "Maria"),
        ("his", "Jose"),
        ("all", None),
        ("hers again", "Maria"),
        ("all again", None),
    ):
        web.replace(KeyKind.CALENDAR, token, now=NOW, person=person)
    valid = [token for token in ("hers", "his", "all", "hers again", "all again") if web.find(KeyKind.CALENDAR, token)]
    assert valid == ["his", "hers again", "all again"]


def test_passkey_is_used_once_for_each_count(temporary: TemporaryStore) -> None:
    store = temporary.store
    device = sign_in(store, "first", person="Maria")
    (owner,) = store.web.keys(KeyKind.DEVICE)
    store.web.add_passkey(b"id", b"key", sign_count=0, owner=owner, name="Phone", now=NOW)
    passkey = store.web.passkey(b"id")
    assert passkey is not None
    store.web.remove(device)
    signed_in = store.web.use_passkey(passkey, "second", sign_count=1, name="Laptop", now=NOW + MINUTE)
    assert signed_in is not None
    assert (signed_in.person, signed_in.name) == ("Maria", "Laptop")
    assert store.web.use_passkey(passkey, "third", sign_count=1, name="Laptop", now=NOW + MINUTE) is None
    assert store.web.remove_passkeys(passkey.id) == 1
    assert store.web.passkey(b"id") is None


def test_push_subscription_ends_with_its_device(temporary: TemporaryStore) -> None:
    store = temporary.store
    first, second = sign_in(store, "first"), sign_in(store, "second")
    for content in (b"old", b"new"):
        store.web.subscribe(first, content, NOW)
    kept = store.web.subscribe(second, b"kept", NOW)
    assert [(each.device.id, each.content) for each in store.web.push_subscriptions()] == [
        (first, b"new"),
        (second, b"kept"),
    ]
    store.web.remove(first)
    assert [each.content for each in store.web.push_subscriptions()] == [b"kept"]
    assert [store.web.unsubscribe(kept) for _ in range(2)] == [True, False]


def test_alert_is_found_by_the_token_of_its_link(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("first"), a_draft("second"))
    temporary.store.outbox.set_link(2, digest_of("token"))
    assert temporary.store.web.alert_of_link("token") == (2, NOW)
    assert temporary.store.web.alert_of_link("") is None


def test_read_only_store_returns_the_same(on_disk: TemporaryStore) -> None:
    device = sign_in(on_disk.store, "first", person="Maria")
    on_disk.store.web.note_seen(device, NOW + MINUTE)
    (owner,) = on_disk.store.web.keys(KeyKind.DEVICE)
    on_disk.store.web.add_passkey(b"id", b"key", sign_count=3, owner=owner, name="Phone", now=NOW)
    on_disk.store.web.subscribe(device, b"content", NOW)
    reader = open_read_only_store(on_disk.url, locks=on_disk.folder / "locks")
    assert reader is not None
    with closing(reader):
        assert reader.web.find(KeyKind.DEVICE, "first") == owner
        assert reader.web.passkeys() == on_disk.store.web.passkeys()
        assert reader.web.push_subscriptions() == on_disk.store.web.push_subscriptions()


def test_restore_brings_back_no_device_that_was_signed_out_and_keeps_the_others(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as opened:
        record_alerts(opened.store, a_draft("first"))
        signed_out = sign_in(opened.store, "first")
        opened.store.web.subscribe(signed_out, b"content", NOW)
        create_backup(opened.url, tmp_path / "copy.sqlite3")
        opened.store.web.remove(signed_out)
        sign_in(opened.store, "second")
    assert digest_of("first") not in (tmp_path / "copy.sqlite3").read_bytes()
    restore(tmp_path / "copy.sqlite3", tmp_path, NOW)
    with temporary_store(tmp_path) as opened:
        assert devices(opened.store) == ["second"]
        assert opened.store.web.push_subscriptions() == []


def test_restore_leaves_out_devices_whose_times_are_damaged(tmp_path: Path) -> None:
    with temporary_store(tmp_path) as opened:
        record_alerts(opened.store, a_draft("first"))
        create_backup(opened.url, tmp_path / "copy.sqlite3")
        sign_in(opened.store, "first")
        sign_in(opened.store, "second")
    with closing(sqlite3.connect(tmp_path / "watcher.sqlite3")) as database, database:
        database.execute("UPDATE web_key SET created_at = 'no time' WHERE digest = ?", (digest_of("first"),))
    restore(tmp_path / "copy.sqlite3", tmp_path, NOW)
    with temporary_store(tmp_path) as opened:
        assert devices(opened.store) == ["second"]
