"""Free ports on the loopback address."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ephemeral range of Linux (32768) and macOS (49152), so that no outgoing connection takes a port
# while its broker is down for a moment.
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose(count: int) -> list[int]:
    """``count`` different free ports. Another program may still take one before it is used: check what starts."""
    shuffled = random.sample(_RANGE, len(_RANGE))
    free: list[int] = []
    for port in shuffled:
        if is_free(port):
            free.append(port)
            if len(free) == count:
                return free
    raise OSError(f"no {count} free ports between {_RANGE.start} and {_RANGE.stop} on {LOOPBACK}")


def listening(port: int) -> bool:
    """Whether something accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
