"""How often wrong tokens are looked up: per address and in all. Thread-safe, with bounded memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

_IPV6_NETWORK_BITS = 64
_MAX_ADDRESSES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many at once, and then one more every `seconds`."""

    burst: int
    seconds: float


PER_ADDRESS = Rate(burst=10, seconds=30)
IN_ALL = Rate(burst=200, seconds=3)


class Throttle:
    """Counts wrong tokens. `monotonic` returns seconds that never go back."""

    def __init__(
        self, monotonic: Callable[[], float], *, per_address: Rate = PER_ADDRESS, in_all: Rate = IN_ALL
    ) -> None:
        """Begin with nothing counted."""
        self._monotonic, self._per_address = monotonic, per_address
        self._all = _Bucket(in_all)
        self._addresses = OrderedDict[str, _Bucket]()
        self._lock = Lock()

    def wait(self, address: str) -> int:
        """Return the whole seconds until a token from this address is looked up again; 0 if it is at once."""
        now = self._monotonic()
        with self._lock:
            bucket = self._addresses.get(_network(address))
            return ceil(max(self._all.wait(now), bucket.wait(now) if bucket else 0.0))

    def count(self, address: str) -> None:
        """Count a wrong token from this address."""
        now, network = self._monotonic(), _network(address)
        with self._lock:
            bucket = self._addresses.setdefault(network, _Bucket(self._per_address))
            self._addresses.move_to_end(network)
            while len(self._addresses) > _MAX_ADDRESSES:
                self._addresses.popitem(last=False)
            bucket.take(now)
            self._all.take(now)


class _Bucket:
    """The tokens that may still be wrong, refilled with time."""

    def __init__(self, rate: Rate) -> None:
        self._rate, self._left, self._at = rate, float(rate.burst), float("-inf")

    def wait(self, now: float) -> float:
        return max(0.0, (1 - self._left_at(now)) * self._rate.seconds)

    def take(self, now: float) -> None:
        self._left, self._at = max(0.0, self._left_at(now) - 1), now

    def _left_at(self, now: float) -> float:
        return min(float(self._rate.burst), self._left + (now - self._at) / self._rate.seconds)


def _network(address: str) -> str:
    """Return the address, or for IPv6 the network of one customer, who has all addresses in it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return f"{int(parsed) >> (128 - _IPV6_NETWORK_BITS):x}/64"
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)
