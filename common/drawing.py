"""How pictures are drawn: in a process of their own, in one style, without a display or pyplot."""

import contextlib
import importlib.util
import io
import logging
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

# Okabe and Ito's colours, which readers with any colour vision can tell apart; nothing is told by colour alone.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#5F5F5F")


class Drawing:
    """A second process that draws: it loads matplotlib while this one loads TensorFlow.

    Raises SystemExit with one sentence if matplotlib is missing.
    """

    def __init__(self):
        if not importlib.util.find_spec("matplotlib"):
            raise SystemExit("matplotlib is not installed: install it with `python -m pip install matplotlib`, "
                             "or leave the picture out with --no-figure.")
        start = "import sys; sys.path[0] = sys.argv[1]; from common import drawing; drawing._draw_on_request()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, Path(__file__).resolve().parents[1]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)  # so that Ctrl-C does not reach it

    def png(self, picture, **numbers):
        """Return what the function `picture(**numbers)` of a room draws; SystemExit if it cannot be drawn."""
        try:
            with contextlib.suppress(BrokenPipeError):  # it may have failed already, and left its answer
                pickle.dump((picture, numbers), self._process.stdin)
                self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)
        except (OSError, EOFError):
            answer = "its process was stopped"
        if isinstance(answer, str):
            raise SystemExit(f"The picture cannot be drawn: {answer}; leave it out with --no-figure.")
        return answer


def _draw_on_request():
    """Serve `Drawing`: answer each request on standard input with a PNG, or a sentence, until the other end closes."""
    warnings.simplefilter("ignore")
    try:
        png(new_figure(1, 1))  # loads what matplotlib itself loads only when it draws
        while True:
            picture, numbers = pickle.load(sys.stdin.buffer)
            pickle.dump(picture(**numbers), sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except EOFError:
        pass
    except Exception as error:
        pickle.dump(f"{type(error).__name__}: {error}", sys.stdout.buffer)


def new_figure(width, height):
    """An empty matplotlib figure, size in inches, that looks the same whatever the user's own settings are."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # an unwritable home is no reason for a warning
    os.environ.pop("MPLBACKEND", None)  # the picture goes to a file
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    matplotlib.rcParams.update({
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
        "axes.titlesize": 11, "legend.fontsize": 8.5, "legend.framealpha": 0.9})
    return Figure(figsize=(width, height))


def plain_numbers(axis):
    """Label a logarithmic axis 0.01, 1, 100: setting powers of ten takes longer than the rest of the picture."""
    axis.set_major_formatter("{x:g}")
    axis.minorticks_off()


def png(figure):
    """The figure as the bytes of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
