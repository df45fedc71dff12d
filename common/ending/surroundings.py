"""How a script meets its surroundings and leaves them: signals, terminal, standard output, interpreter, notebook."""

import atexit
import contextlib
import errno
import gc
import os
import signal
import sys
import threading

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(BaseException):
    """A signal asks to stop at once."""


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP while it is entered.

    `noted` is the first one's number once it came. Where `patient` is set it is only noted, for the training loop to
    act on between two steps; else, and for a second one, `Stopped` is raised where the script is. Outside the main
    thread, where Python hands out no signals, this does nothing.
    """

    def __init__(self):
        self.noted, self.patient, self._before = None, False, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._came) for number in STOP_SIGNALS
                            if signal.getsignal(number) not in (signal.SIG_IGN, None)}  # as nohup leaves SIGHUP
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number, frame):
        again, self.noted = self.noted is not None, number
        if again or not self.patient:
            raise Stopped

    @property
    def name(self):
        return signal.Signals(self.noted).name

    @property
    def status(self):
        return 128 + self.noted


@contextlib.contextmanager
def lines_at_once():
    """Have standard output show each line as it comes, and no letter too many for it, where it can be told so."""
    stream = sys.stdout
    if not hasattr(stream, "reconfigure"):  # an IDE's or a notebook's, or none at all
        yield
        return
    before = {"line_buffering": stream.line_buffering, "errors": stream.errors}
    stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            stream.reconfigure(**before)


@contextlib.contextmanager
def collector_as_before():
    """Give back to the garbage collector what loading TensorFlow has kept from it."""
    frozen = gc.get_freeze_count()
    try:
        yield
    finally:
        if gc.get_freeze_count() > frozen == 0:
            gc.unfreeze()
            atexit.register(gc.freeze)  # or Python would sweep it all once more, when it ends


@contextlib.contextmanager
def progress(total, unit):
    """A progress bar on standard error, a `tqdm`, if that is a terminal; else None."""
    bar = None
    if sys.stderr and sys.stderr.isatty():
        with contextlib.suppress(ModuleNotFoundError):
            from tqdm import tqdm

            bar = tqdm(total=total, unit=f" {unit}", leave=False)
    with bar or contextlib.nullcontext():
        yield bar


def say(sentence):
    """One sentence on standard error, where there is one."""
    with contextlib.suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)


def output_failed(error):
    """The exit status where standard output is gone (as if ended by SIGPIPE) or cannot be written, then with a word."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
    if error.errno == errno.EPIPE:
        return 128 + 13
    say(f"Cannot write to standard output: {error.strerror}.")
    return 1


def exit_with(status, frame):
    """End the process with this status, if it is not 0, where the script was the program: `frame` is its outermost code.

    In `python -i`, a notebook and the like, and where the recipe is called from other code, Python goes on.
    """
    main = frame.f_globals.get("__name__") == "__main__" and frame.f_code.co_name == "<module>"
    if status and main and not (sys.flags.interactive or os.environ.get("PYTHONINSPECT") or _notebook()):
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
