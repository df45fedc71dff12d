"""How a script meets its surroundings and leaves them: signals, terminal, standard output, interpreter, notebook."""

import atexit
import contextlib
import errno
import gc
import math
import opcode
import os
import signal
import sys
import threading

from common import tf1

# What Python still does after a call whose result goes into a variable, or nowhere, at the end of a script.
ENDING = {"CACHE", "STORE_NAME", "POP_TOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP"}
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(BaseException):
    """A signal asks to stop at once."""


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP while it is entered.

    `noted` is the last one's number once one came. So many as `patience` are only noted, as the training loop acts on
    the first one between two steps; the next raises `Stopped` where the script is, once until `patience` is set again.
    Outside the main thread, where Python hands out no signals, this does nothing.
    """

    def __init__(self):
        self.noted, self.patience, self._before = None, 0, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._came) for number in STOP_SIGNALS
                            if signal.getsignal(number) not in (signal.SIG_IGN, None)}  # as nohup leaves SIGHUP
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number, frame):
        self.noted, self.patience = number, self.patience - 1
        if self.patience == -1:
            raise Stopped

    @contextlib.contextmanager
    def put_off(self):
        """A block in which signals are only noted."""
        before, self.patience = self.patience, math.inf
        try:
            yield
        finally:
            self.patience = before

    @property
    def name(self):
        return signal.Signals(self.noted).name

    @property
    def status(self):
        return 128 + self.noted


@contextlib.contextmanager
def lines_at_once():
    """Have standard output show each line as it comes, and no letter too many for it, where it can be told so."""
    stream, before = sys.stdout, None
    with contextlib.suppress(OSError, ValueError, AttributeError):  # an IDE's or a notebook's, a closed one or none
        now = {"line_buffering": stream.line_buffering, "errors": stream.errors}
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
        before = now
    try:
        yield
    finally:
        if before:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(**before)


@contextlib.contextmanager
def collector_as_before():
    """Give back to the garbage collector what loading TensorFlow has kept from it."""
    try:
        yield
    finally:
        if tf1.frozen_here:
            gc.unfreeze()
            tf1.frozen_here = False
            atexit.register(gc.freeze)  # or Python would sweep it all once more, when it ends


@contextlib.contextmanager
def progress(total, unit):
    """A progress bar on standard error, a `tqdm`, if that is a terminal; else None."""
    bar = None
    if getattr(sys.stderr, "isatty", bool)():  # an IDE's may have none
        with contextlib.suppress(ModuleNotFoundError):
            from tqdm import tqdm

            bar = tqdm(total=total, unit=f" {unit}", leave=False)
    with bar or contextlib.nullcontext():
        yield bar


def say(sentence):
    """One sentence on standard error, where there is one."""
    if sys.stderr:
        with contextlib.suppress(OSError, ValueError):
            print(letters(sentence), file=sys.stderr, flush=True)


def letters(text):
    """The text as far as it consists of letters: what a name that is not UTF-8 has else is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def output_failed(error):
    """The exit status where standard output is gone (as if ended by SIGPIPE) or cannot be written, then with a word."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
    if error.errno == errno.EPIPE:
        return 128 + 13
    say(f"Cannot write to standard output: {error.strerror}.")
    return 1


def leave(status, frame):
    """End the program with this status where its outermost code, running in `frame`, has nothing more to do.

    Taking TensorFlow down piece by piece would only take time. Where more follows, the program goes on if the status is
    0; `python -i`, IPython, a notebook and the like go on in any case.
    """
    if sys.flags.interactive or os.environ.get("PYTHONINSPECT") or hasattr(sys, "ps1"):
        return
    left = {opcode.opname[code] for code in frame.f_code.co_code[frame.f_lasti + 2 :: 2]}
    watched = frame.f_back or sys.gettrace() or sys.getprofile()  # by a debugger, a profiler, `runpy` and the like
    if left <= ENDING and not watched:
        atexit._run_exitfuncs()  # as Python does before it ends
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(status)
    if status:
        raise SystemExit(status)


def show(paths):
    """Show the pictures below the cell of a notebook; elsewhere do nothing."""
    if hasattr(_notebook(), "kernel"):
        from IPython.display import Image, display

        for path in paths:
            if path.suffix in (".png", ".gif"):
                display(Image(filename=str(path)))


def _notebook():
    """The running IPython, of a notebook, an IDE or a terminal, or None."""
    ipython = sys.modules.get("IPython")
    return ipython and ipython.get_ipython()
