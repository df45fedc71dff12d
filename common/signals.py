"""Ctrl-C, SIGTERM and SIGHUP: they stop a run where it is, but not in the middle of what must be done whole."""

import contextlib
import signal
import threading

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_holds, _waiting = 0, None  # how many hold signals back, and the number of the signal that came meanwhile


class Stopped(BaseException):
    """A signal asks to stop: its number. From then on signals are held back, until `release`."""

    def __str__(self):
        return f"stopped by {signal.Signals(self.args[0]).name}"


@contextlib.contextmanager
def caught():
    """Have signals raise `Stopped`; outside the main thread, where Python hands out none, this does nothing."""
    global _holds, _waiting
    before, (_holds, _waiting) = {}, (0, None)
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, _stop) for number in STOPS
                  if signal.getsignal(number) not in (signal.SIG_IGN, None)}  # as nohup leaves SIGHUP
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number, frame):
    global _waiting
    if _holds:
        _waiting = number
    else:
        hold()
        raise Stopped(number)


def hold():
    """Only note the signals that come from now on."""
    global _holds
    _holds += 1


def release():
    """End a `hold`; returns the signal that came meanwhile as a `Stopped`, or None."""
    global _holds, _waiting
    _holds -= 1
    if _holds or not _waiting:
        return None
    number, _waiting = _waiting, None
    return Stopped(number)


@contextlib.contextmanager
def held():
    """Do the block whole: a signal raises `Stopped` behind it."""
    hold()
    try:
        yield
    finally:
        stopped = release()
        if stopped:
            hold()
            raise stopped
