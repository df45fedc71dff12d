"""How the tests start the real scripts, and what several of them need."""

import contextlib
import functools
import io
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType

import classification
import numpy as np
import pytest
import regression

from common import output
from common import tf1 as tf
from common.comparison import runs

# As nohup and a shell's `&` leave them, for the scripts that are started here too.
for number, handler in (signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)
output.metadata.version = functools.cache(output.metadata.version)  # it reads a file, for each run's record
CHECKOUT = Path(__file__).resolve().parents[1]
SCRIPTS = {"regression": regression, "classification": classification}
RECIPES = list(SCRIPTS)
FILES = ["regression.csv", "regression.json"]  # of a plain run without its picture
WHOLE = [*FILES, "regression.png"]


def command(recipe, *flags):
    """The words of `python recipes/RECIPE.py FLAGS`, started by this very Python."""
    return [sys.executable, str(CHECKOUT / "recipes" / f"{recipe}.py"), *map(str, flags)]


def start(words, **options):
    """Start a process that runs while the tests go on; its output must fit into a pipe."""
    return subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            encoding="utf-8", **options)


def end(process):
    """Wait for the end of what `start` started; returns the `CompletedProcess` with text output."""
    with process:
        try:
            printed, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)


def run(recipe, *flags, env=None):
    """Run a script as a user does, to its end; returns the `CompletedProcess` with text output."""
    return end(start(command(recipe, *flags), env={**os.environ, **(env or {})}))


def train(folder, *flags, main=regression.main):
    """Run a recipe in this process, without a picture; returns its log."""
    return main(["--no-figure", "--output-dir", folder, *flags])


@functools.cache
def scratch():
    """A folder for as long as the tests run."""
    return tempfile.TemporaryDirectory()


@functools.cache
def once(recipe, *flags):
    """A run as `train` does it, once for all tests: its log, all that it printed, and its folder."""
    folder, printed = Path(tempfile.mkdtemp(dir=scratch().name)).resolve(), io.StringIO()
    with (pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed),
          contextlib.redirect_stderr(printed)):
        patch.chdir(CHECKOUT)
        return train(folder, *flags, main=SCRIPTS[recipe].main), printed.getvalue(), folder


def without_curves(patch):
    """Have comparisons train from the first step to the last without a stop, for the table alone."""
    patch.setattr(runs, "together", lambda *given, train=runs.together: train(*given[:3], given[3][-1:], *given[4:]))


@pytest.fixture
def unoptimized(monkeypatch):
    """Have graphs executed as they are: to optimize one takes TensorFlow longer than a test's few steps.

    Optimized are those of the default runs, and wherever figures are compared with recorded ones.
    """
    def threads(number, threads=tf.threads):
        config = threads(number)
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
        return config

    monkeypatch.setattr(tf, "threads", threads)


def imported(folder, *changes, recipe="regression"):
    """The module mine.py, the script in which each text of `changes` gave way to the one beside it."""
    text, path = (CHECKOUT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8"), folder / "mine.py"
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    module = ModuleType("mine")
    module.__file__ = str(path)
    exec(compile(text, path, "exec"), vars(module))
    return module


def edited(folder, *changes, recipe="regression"):
    """The `main` of such a module."""
    return imported(folder, *changes, recipe=recipe).main


def at_call(patch, owner, name, number, action):
    """Have an action taken when `owner.name` is called for so many times, before it does what it does."""
    function, calls = getattr(owner, name), []

    def call(*arguments, **named):
        calls.append(name)
        if len(calls) == number:
            action()
        return function(*arguments, **named)

    patch.setattr(owner, name, call)


def samples(script, seed):
    """The samples of a script's run with this seed: x_vals, y_vals."""
    np.random.seed(seed)
    return script.draw_samples()


def names(folder):
    """The names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def wrote(text):
    """The names of the files in the "Wrote" lines."""
    return [line.rpartition("/")[2] for line in text.splitlines() if line.startswith("Wrote ")]


def read_log(path):
    """A log's columns: steps, and float32 x, y, A (with the starting value in front) and loss."""
    header, first, *rows = path.read_text(encoding="ascii").splitlines()
    step, x, y, A_start, loss = first.split(",")
    assert (header, step, x, y, loss) == ("step,x,y,A,loss", "0", "", "", "")
    steps, x, y, A, loss = zip(*(row.split(",") for row in rows), strict=True)
    return [int(step) for step in steps], *map(np.float32, (x, y, [A_start, *A], loss))


def assert_same(ours, theirs):
    """Demand the same float32 numbers bit for bit.

    A processor or C library that rounds exp or log1p in its own way may differ in the last bit; then a warning tells
    the largest difference, and beyond 1e-6 it is a failure all the same.
    """
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if not np.array_equal(ours, theirs):
        difference = np.max(np.abs(ours - theirs))
        warnings.warn(f"this machine rounds differently, by up to {difference:.3g}", stacklevel=2)
        assert difference <= 1e-6


def one_sentence(text):
    """Whether the text is a single line that ends as a sentence does, and no traceback."""
    return text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text
