"""Ctrl-C, SIGTERM and SIGHUP: they stop a run where it is, but not in the middle of what must be done whole."""

import contextlib
import signal
import threading

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_holds, _waiting = 0, None  # how many blocks are to be done whole, and the number of the signal that came meanwhile


class Stopped(BaseException):
    """A signal asks to stop: its number."""

    def __str__(self):
        return f"stopped by {signal.Signals(self.args[0]).name}"


@contextlib.contextmanager
def caught():
    """Have signals raise `Stopped`; outside the main thread, where Python hands out none, this does nothing."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, _stop) for number in STOPS
                  if signal.getsignal(number) not in (signal.SIG_IGN, None)}  # as nohup leaves SIGHUP
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held():
    """Do the block whole: a signal that comes meanwhile raises `Stopped` behind it."""
    global _holds, _waiting
    _holds += 1
    try:
        yield
    finally:
        _holds -= 1
    if _waiting and not _holds:
        number, _waiting = _waiting, None
        raise Stopped(number)


def _stop(number, frame):
    global _waiting
    if not _holds:
        raise Stopped(number)
    _waiting = number
