"""A recipe: how the flags of its command line lead to one run or to many, and how the script ends."""

import contextlib
import sys
from pathlib import Path
from typing import NamedTuple

from common import flags, signals
from common import tf1 as tf
from common.output import Output


class Recipe(NamedTuple):
    """What a recipe is made of; called with the words of a command line, it runs.

    train         (seed, learning_rate, steps, report_every, optimizer): the page's program
    draw_samples  () -> x_vals, y_vals [samples], from numpy's global random numbers
    target        what `A` comes to in theory; None if there is no telling
    threshold     the prediction above which the model says class 1, in a classification
    """

    train: object
    draw_samples: object
    target: float = None
    threshold: float = None

    def __call__(self, words=()):
        """Print what the page prints, and write the files.

        Returns the `Log` of the run, or for more than one run the `Comparison`, each with `files` and `status`, which
        is 0 if all went well. Raises SystemExit if it cannot be started; and with that status, if it is not 0, where
        the script is the program.
        """
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, ValueError):  # not every stand-in can, as a notebook's
                stream.reconfigure(errors="backslashreplace", line_buffering=True)
        args = flags.parse(self, words)
        with signals.caught(), tf.quiet(), contextlib.closing(Output(self, args)) as output:
            tf.load()
            if len(args.rows) * args.runs > 1:
                from common.comparison.table import compare as run
            else:
                from common.run import run
            result = run(self, args, output)
        goes_on = self.train.__module__ != "__main__" or sys.flags.inspect or hasattr(sys, "ps1")
        if output.status and not goes_on:
            raise SystemExit(output.status)
        result.files, result.status = output.files, output.status
        return result

    @property
    def path(self):
        """The script's file."""
        return Path(self.train.__code__.co_filename)

    @property
    def name(self):
        """The script's, by which its files are called."""
        return self.path.stem
