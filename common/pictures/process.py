"""The process that draws: it loads matplotlib while the script's own loads TensorFlow."""

import contextlib
import importlib.util
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows' way to keep Ctrl-C away from it


class Drawing:
    """A second process that draws pictures, each once it is asked for.

    Raises SystemExit with one sentence if matplotlib is missing or no process can be started.
    """

    def __init__(self):
        if not importlib.util.find_spec("matplotlib"):
            raise SystemExit("matplotlib is not installed: install it with `python -m pip install matplotlib`, "
                             "or leave the picture out with --no-figure.")
        start = "import sys; sys.path[0] = sys.argv[1]; from common.pictures import process; process.serve()"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", start, str(CHECKOUT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                start_new_session=True, creationflags=NEW_GROUP)  # so that Ctrl-C does not reach it
        except OSError as error:
            raise SystemExit(f"The process that draws cannot be started: {error.strerror}; "
                             "leave the picture out with --no-figure.") from None

    def ask(self, picture, metadata, numbers):
        """Have the process begin the file that `picture(metadata, **numbers)`, a function of this folder, makes."""
        with contextlib.suppress(OSError):  # it may have ended already; then there is no answer either
            pickle.dump((picture, metadata, numbers), self._process.stdin)
            self._process.stdin.flush()

    def answer(self, progress=None):
        """Return the bytes of the file asked for last.

        `progress(done, total)` is called as a longer one comes along. Raises `CannotDraw` with the reason if it fails.
        """
        try:
            while isinstance(answer := pickle.load(self._process.stdout), tuple):
                if progress:
                    progress(*answer)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._process.kill()  # whatever it may still be about to say
            answer = "its process was stopped"
        if isinstance(answer, str):
            raise CannotDraw(answer)
        return answer

    def close(self):
        """End the process; it need not be waited for."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()


class CannotDraw(Exception):
    """A picture could not be drawn: the reason, without a full stop."""


def tell(done, total):
    """Called while a picture is drawn: send word of the progress to the script."""
    _answer((done, total))


def serve():
    """Answer each request on standard input with a file's bytes, or a reason, until the other end closes."""
    warnings.simplefilter("ignore")
    broken = None
    try:
        from common.pictures import style

        style.png(style.new_figure(100, 100), {})  # loads what matplotlib itself loads only when it draws
    except Exception as error:
        broken = f"{type(error).__name__}: {error}"
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            picture, metadata, numbers = pickle.load(sys.stdin.buffer)
            try:
                answer = broken or picture(metadata, **numbers)
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"
            _answer(answer)


def _answer(what):
    pickle.dump(what, sys.stdout.buffer)
    sys.stdout.buffer.flush()
