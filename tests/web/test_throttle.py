"""Wrong tokens are looked up no more often than allowed, per address and in all."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.web.throttle import Rate, Throttle

PER_ADDRESS, IN_ALL = Rate(burst=3, seconds=30), Rate(burst=8, seconds=5)


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 40)), max_size=120))
def test_no_guesser_gets_more_than_the_rate(attempts: list[tuple[str, float]]) -> None:
    seconds, taken = Seconds(), Counter[str]()
    throttle = Throttle(seconds, per_address=PER_ADDRESS, in_all=IN_ALL)
    for address, pause in attempts:
        seconds.now += pause
        if throttle.wait(address) == 0:
            throttle.count(address)
            taken[address] += 1
    assert sum(taken.values()) <= IN_ALL.burst + seconds.now / IN_ALL.seconds + 1e-6
    assert all(count <= PER_ADDRESS.burst + seconds.now / PER_ADDRESS.seconds + 1e-6 for count in taken.values())


def test_address_may_try_again_after_the_time_it_was_told() -> None:
    seconds = Seconds()
    throttle = Throttle(seconds, per_address=PER_ADDRESS, in_all=IN_ALL)
    for _ in range(3):
        throttle.count("192.0.2.1")
    wait = throttle.wait("192.0.2.1")
    assert (wait, throttle.wait("192.0.2.2")) == (30, 0)
    seconds.now += wait
    assert throttle.wait("192.0.2.1") == 0


def test_addresses_of_one_customer_count_together() -> None:
    throttle = Throttle(Seconds(), per_address=PER_ADDRESS, in_all=IN_ALL)
    for number in range(3):
        throttle.count(f"2001:db8:0:1::{number:x}")
    assert throttle.wait("2001:db8:0:1:ffff::1") > 0
    assert throttle.wait("2001:db8:0:2::1") == 0
    for _ in range(3):
        throttle.count("::ffff:192.0.2.1")
    assert throttle.wait("192.0.2.1") > 0
