"""The start of a script: what a recipe hands over, and how its flags lead to one run or to many."""

import sys
from typing import NamedTuple

from common import options
from common import tf1 as tf
from common.comparison import optimizers
from common.ending import surroundings
from common.ending.output import Output


class Recipe(NamedTuple):
    """What a recipe is made of; called with the words of a command line, it runs.

    name, title   of its files and of its pictures
    train         (run, *, learning_rate, steps, report_every): the page's program; `run` is a `common.run.Run`
    graph         (x, y, A) -> output, loss: tensors of like shapes
    draw_samples  (generator) -> x_vals, y_vals: arrays [samples]
    draw_start    (generator, shape) -> the start of `A`, an array
    target        what `A` comes to in theory
    threshold     the output above which the model says class 1, in a classification
    """

    name: str
    title: str
    train: object
    graph: object
    draw_samples: object
    draw_start: object
    target: float
    threshold: float = None

    def __call__(self, words=()):
        """Run the recipe with the flags of a command line, a list of words.

        Prints what the page prints and writes the files. Returns the `Run`, or for more than one run the `Comparison`,
        whose `status` is 0 if all went well. Raises SystemExit if it cannot be started; and with that status, if it is
        not 0, where the recipe is the program.
        """
        signals = surroundings.Signals()
        with surroundings.lines_at_once():
            try:
                with signals, surroundings.collector_as_before():
                    result = self._start(words, signals)
            except surroundings.Stopped:  # before there was anything to write
                raise SystemExit(signals.status) from None
        if self.train.__module__ == "__main__":
            surroundings.leave(result.status, sys._getframe(1))
        return result

    def _start(self, words, signals):
        own = self.train.__kwdefaults__
        args = options.parse(self.name, self.title, words, **own,
                             rates=optimizers.rates(self.name, own["learning_rate"]))
        output, artist = Output(args), None
        if args.figure:
            from common.pictures import process

            artist = process.Drawing()
        try:
            tf.load()
            with tf.quiet():
                if args.comparison:
                    from common.comparison.table import compare as run
                else:
                    from common.single import train as run
                result = run(self, args, signals, output, artist)
        finally:
            if artist:
                artist.close()
        surroundings.show(result.files)
        return result
