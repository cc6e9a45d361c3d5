"""Every stored moment has a rule for a clock that was ahead."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Date, DateTime
from sqlmodel.sql.sqltypes import UTCDateTime

from watcher.store.database.stored_moments import RULES, moved_to
from watcher.store.database.tables import Row

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_every_column_with_a_moment_or_day_has_a_rule() -> None:
    columns = {
        table.name: {column.key for column in table.columns if _is_moment(column.type)}
        for table in Row.metadata.tables.values()
    }
    assert {name: set(rules) for name, rules in RULES.items()} == {
        name: found for name, found in columns.items() if found
    }


def _is_moment(column_type: object) -> bool:
    return isinstance(column_type, Date | DateTime | UTCDateTime)


@given(st.lists(st.integers(1, 10**9)))
def test_moments_of_the_future_become_now_and_keep_their_order(seconds: list[int]) -> None:
    moments = [NOW + timedelta(seconds=count) for count in seconds]
    moved = moved_to(NOW, moments)
    assert sorted(moments, key=moved.__getitem__) == sorted(moments)
    assert len(set(moved.values())) == len(moved)
    assert max(moved.values(), default=NOW) == NOW
    assert all(NOW - moment < timedelta(seconds=1) for moment in moved.values())
