"""Ctrl-C, SIGTERM and SIGHUP: they stop a run where it is, but not in the middle of what must be done whole."""

import contextlib
import signal
import threading

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_held, _waiting = False, None  # whether signals are held back, and the number of the last one that came meanwhile


class Stopped(BaseException):
    """A signal asks to stop: its number."""

    def __str__(self):
        return f"stopped by {signal.Signals(self.args[0]).name}"


@contextlib.contextmanager
def caught():
    """Have signals raise `Stopped`; outside the main thread, where Python hands out none, this does nothing."""
    before = {}
    hold()
    try:
        for number in STOPS if threading.current_thread() is threading.main_thread() else ():
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # as nohup leaves SIGHUP
                before[number] = signal.signal(number, _stop)
        release()
        yield
    finally:
        hold()
        for number, handler in before.items():
            signal.signal(number, handler)
        with contextlib.suppress(Stopped):  # all is done
            release()


def hold():
    """Hold signals back until `release`."""
    global _held
    _held = True


def release():
    """Let signals raise `Stopped` again; one that came meanwhile does so here."""
    global _held, _waiting
    number, _held, _waiting = _waiting, False, None
    if number:
        raise Stopped(number)


@contextlib.contextmanager
def held():
    """Do the block whole: a signal that comes meanwhile raises `Stopped` behind it."""
    before = _held
    hold()
    try:
        yield
    finally:
        if not before:
            release()


def _stop(number, frame):
    global _waiting
    if not _held:
        raise Stopped(number)
    _waiting = number
