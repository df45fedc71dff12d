"""Ctrl-C, SIGTERM and SIGHUP: they stop a run where it is, but not in the middle of what must be done whole."""

import contextlib
import signal
import threading

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_held, _waiting = False, None  # whether signals are held back, and the number of the last one that came meanwhile


class Stopped(SystemExit):
    """A signal asks to stop; its `code` is the exit status that shells know such an end by."""

    def __str__(self):
        return f"stopped by {signal.Signals(self.code - 128).name}"


@contextlib.contextmanager
def caught():
    """Have signals raise `Stopped`; outside the main thread, where Python hands out none, this does nothing."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in STOPS if main}
    heard = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]  # nohup's is not
    try:
        for number in heard:
            signal.signal(number, _stop)
        yield
    finally:
        with held():
            for number in heard:
                signal.signal(number, before[number])


@contextlib.contextmanager
def held():
    """Do the block whole: a signal that comes meanwhile raises `Stopped` behind it."""
    global _held, _waiting
    before, _held = _held, True
    try:
        yield
    finally:
        _held = before
        if _waiting and not _held:
            number, _waiting = _waiting, None
            raise Stopped(128 + number)


def _stop(number, frame):
    global _waiting
    if not _held:
        raise Stopped(128 + number)
    _waiting = number
