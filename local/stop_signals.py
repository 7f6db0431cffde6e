"""Ctrl-C and SIGTERM, waited for."""

import signal
from queue import SimpleQueue


def stop_signals() -> SimpleQueue[None]:
    """Return a queue that gets an item with each signal to stop.

    An Event's lock is not reentrant: a signal that comes while `wait` holds it would stop the waiting thread for ever.
    """
    stop: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.put(None))
    return stop
