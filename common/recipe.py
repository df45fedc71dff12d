"""A recipe: its command line leads to many runs or to a single one, trained by its `train`; and how the script ends."""

import contextlib
import sys
from pathlib import Path
from typing import NamedTuple

from common import flags, report, signals
from common import tf1 as tf
from common.log import Log
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
            run = single_run
            if len(args.rows) * args.runs > 1:
                from common.comparison.table import compare as run
            result = run(self, args, output)
        goes_on = self.train.__module__ != "__main__" or sys.flags.inspect or hasattr(sys, "ps1")
        if output.status and not goes_on:
            raise SystemExit(output.status)
        result.files, result.status = output.files, output.status
        return result

    @property
    def path(self):
        """The script's file, after which its own files are called."""
        return Path(self.train.__code__.co_filename)


def single_run(recipe, args, output):
    """Train as the flags say, write the log and all that is computed from it, however the run ends; the log."""
    log, ended = train(recipe, args, args.rows[0], output)
    if not len(log) and (ended or not log.unknown):  # nothing was trained, and no earlier file is to be lost for it
        raise ended or SystemExit(
            "train() takes no step that feeds x and y: let it execute sess.run(train_step, feed_dict=…) in a session "
            "of common.tf1.")
    try:
        report.report(recipe, args, log, ended, output)
    except signals.Stopped as stopped:
        output.failed(f"{stopped}; what is not named as written is not written", stopped.code)
    if isinstance(ended, Exception) and not report.is_output(ended):
        raise ended
    return log


def train(recipe, args, row, output=None):
    """Have the script train with a row's optimizer and rate; its log, written to `output`, and what ended it."""
    (name, rate), log, ended, optimizer = row, Log(), None, None
    if args.trace:
        from common.backprop.trace import Trace

        log.watcher = Trace(args, output)
    if args.optimizer:
        from common.comparison.optimizers import OPTIMIZERS

        optimizer = OPTIMIZERS[name](rate)
    Log.current = log
    try:
        recipe.train(seed=args.seed, learning_rate=rate, steps=args.steps, report_every=args.report_every,
                     optimizer=optimizer)
    except BaseException as error:
        ended = error
    try:
        with signals.held():
            Log.current = None
            if log.session:
                log.session.finish()
            if output and len(log):
                output.save(".csv", log.write)
    except signals.Stopped as stopped:
        ended = ended or stopped
    return log, ended
