"""The random numbers of many runs, drawn as the script draws its own."""

import numpy as np

from common import tf1 as tf
from common.comparison.step import random
from common.graph import copies, structure

RUNS = 1023  # trained side by side; run 1 stands behind them once more
BLOCK = 1500  # steps whose sample indices are held at once; a signal waits for them, some 0.1 s at most


class Draws:
    """The random numbers of many runs, drawn as the script draws its own; those of run 1 are the script's.

    x, y, indices  of run 1: its samples [samples], and which of them each step takes [steps]
    start          of run 1: {operation of a variable: its value before the first step}
    """

    def __init__(self, recipe, args, log, step):
        """Draw run 1's numbers again; raises `structure.Unknown` if the script was not trained on them."""
        self._recipe, self._args, self._own, (x_data, y_target, A, *_) = recipe, args, step.own, log.session.parts
        self._kinds = x_data.dtype.as_numpy_dtype, y_target.dtype.as_numpy_dtype
        if len(log) != args.steps:
            raise structure.Unknown(f"train() takes {len(log):,} steps instead of {args.steps:,}")
        np.random.seed(args.seed)
        (self.x,), (self.y,) = self._samples(1)
        self._after = np.random.get_state()
        self.indices = np.random.choice(len(self.x), args.steps).astype(np.int32)
        for drawn, fed in ((self.x, log.x), (self.y, log.y)):
            if not np.isin(fed, drawn.astype(fed.dtype)).all():
                raise structure.Unknown("train() feeds other samples than draw_samples() draws")
            if not np.array_equal(drawn[self.indices].astype(fed.dtype), fed):
                raise structure.Unknown(f"train() does not take its samples by np.random.choice({len(drawn)}) alone")
        with tf.Graph().as_default():
            self._starts = {op: self._start(initial, op in step.own) for op, initial in step.variables.items()}
            self._session = tf.load().Session(config=tf.threads(-1))
        self._first = self._session.run(self._starts)
        self.start = {op: value[0] if op in step.own else value for op, value in self._first.items()}
        if self.start[A.op] != log.A[0]:
            raise structure.Unknown("A starts elsewhere when its initial value is drawn again: give it seed=seed")

    def _start(self, initial, own):
        """The initial value of a variable, or of those of `RUNS` runs."""
        size = tf.constant([RUNS])
        drawn = {op.outputs[0]: copies.copy(op.outputs, {op.inputs[0]: size})[0] for op in random(initial)}
        many = structure.depending(structure.ancestors([initial.op]), random(initial))
        return copies.copy([initial], drawn, many=many, size=size if own else None)[0]

    def _samples(self, runs):
        """The samples of the next runs: x, y [runs, samples]."""
        drawn = [self._recipe.draw_samples() for _ in range(runs)]
        try:
            x, y = (np.array(column, kind) for column, kind in zip(zip(*drawn, strict=True), self._kinds, strict=True))
        except ValueError:
            raise structure.Unknown("draw_samples() draws another number of samples for each run") from None
        if x.ndim != 2 or x.shape != y.shape:
            raise structure.Unknown("draw_samples() should give one x and one y for each sample")
        return x, y

    def blocks(self):
        """Yield what is trained on, chunk by chunk and within it block by block.

        The chunk; the steps before the block; what its runs begin with (x, y [runs, samples] and the starts, {operation
        of a variable: [runs]}); and the sample indices [steps, runs]. Run 1 comes last in each chunk, and first in the
        first. The last chunk has as many runs as the others, of which those beyond `args.runs` are of no interest.
        """
        np.random.set_state(self._after)
        steps, runs = self._args.steps, min(self._args.runs, RUNS)
        length = min(steps, BLOCK)
        for chunk in range(-(-self._args.runs // RUNS)):
            first = int(chunk == 0)
            x, y = self._samples(runs - first)
            drawn = self._session.run(self._starts) if chunk else self._first
            starts = {op: beside(self.start[op], drawn[op][first:runs], first) for op in self._own & drawn.keys()}
            begin = beside(self.x, x, first), beside(self.y, y, first), starts
            rng = np.random.default_rng([self._args.seed, chunk])
            for before in range(0, steps, length):
                own = self.indices[before : before + length]
                indices = rng.integers(len(self.x), size=(length, RUNS + 1), dtype=np.int32)[:, : runs + 1]
                indices[: len(own), [0, -1] if first else [-1]] = own[:, None]
                yield chunk, before, begin, indices


def beside(own, drawn, first):
    """The numbers drawn for a chunk's runs with run 1's own behind them, and in front in the first chunk."""
    own = np.asarray(own)[None]
    return np.concatenate([own, drawn, own] if first else [drawn, own])
