"""The runs of one row of the table: the script's own, and others beside it with random numbers of their own."""

import contextlib
import io
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import run
from common import tf1 as tf
from common.comparison.training_loop import Loop, Step, random
from common.graph import structure

RUNS = 1023  # trained side by side; run 1 stands behind them once more
BLOCK = 512  # steps whose sample indices are held at once, and the most that no signal interrupts
AHEAD = 8  # blocks that a second thread draws while one is trained on
XLA_FROM = 4 * 1024 * 1400  # runs times steps; below, compiling takes longer than it saves
# How far run 1 may be from the script's own run, as a part of the largest `A`. The session, the loop and XLA round in
# their own ways, which was measured to add up to 1e-5; another update or mixed samples give far more.
ROUNDING = 1e-4


def own_run(recipe, args, row):
    """Have the script train, without what it prints; returns its log.

    Raises what ended the training, and `structure.Unknown` where the log does not tell of it.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        log, ended = run.train(recipe, args, row)
    if ended:
        raise ended
    if log.unknown or not len(log):
        raise structure.Unknown(log.unknown or "train() takes no step in a tf.Session()")
    return log


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
                raise structure.Unknown("train() feeds other samples than draw_samples() draws after np.random.seed(seed)")
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
        drawn = {op.outputs[0]: structure.copy(op.outputs, {op.inputs[0]: tf.constant([RUNS])})[0] for op in random(initial)}
        if drawn:
            return structure.batch(initial, drawn)
        value, = structure.copy([initial], {})
        return tf.fill([RUNS], tf.reshape(value, [])) if own else value

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

        The chunk; the steps before the block; what the chunk's runs begin with (x, y [runs, samples] and the starts,
        {operation of a variable: [runs]}), None but for its first block; and the sample indices [steps, runs]. Run 1
        stands in all places that the chunk's runs leave.
        """
        np.random.set_state(self._after)
        runs, steps = self._args.runs, self._args.steps
        width, length = min(runs, RUNS) + 1, min(steps, BLOCK)
        for chunk in range(-(-runs // RUNS)):
            others = slice(int(chunk == 0), min(RUNS, runs - chunk * RUNS))
            x, y = self._samples(others.stop - others.start)
            starts = self._session.run(self._starts) if chunk else self._first
            begin = (beside(self.x, x, others, width), beside(self.y, y, others, width),
                     {op: beside(self.start[op], starts[op][others], others, width) for op in self._own.intersection(starts)})
            rng = np.random.default_rng([self._args.seed, chunk])
            for before in range(0, steps, length):
                own = self.indices[before : before + length]
                indices = rng.integers(len(self.x), size=(length, RUNS + 1), dtype=np.int32)[:, :width]
                indices[:len(own), :others.start] = own[:, None]
                indices[:len(own), others.stop:] = own[:, None]
                yield chunk, before, begin, indices
                begin = None


def beside(own, drawn, runs, width):
    """An array of so many rows: those drawn for `runs`, a slice, and run 1's own in all other places."""
    every = np.repeat(np.asarray(own)[None], width, axis=0)
    every[runs] = drawn
    return every


def alone(recipe, args, log, steps, model, done):
    """What `together` returns, of the script's own run."""
    target = np.nan if recipe.target is None else recipe.target
    near = np.abs(log.A[1:] - target) < run.NEAR
    loss = np.nan if model is None else model.losses(log.A[-1:]).mean()
    lost = not np.isfinite(log.rows[:, 2:]).all()
    done(1)
    return log.A[-1:], np.array([loss]), np.array([near.any() * (near.argmax() + 1)]), np.array([lost]), log.A[:1], log.A[steps, None]


def together(recipe, args, log, steps, model, done):
    """Train the runs of a row beside the script's own, whose log is given; `done(n)` is called after n of them.

    Returns `A`, the mean loss, the step of arrival (or 0), whether a number was not finite, the start [runs] each, and
    `A` [steps, runs] of the first runs at these steps. Raises `structure.Unknown` where run 1 is not the script's own.
    """
    try:
        return _together(recipe, args, log, steps, done)
    except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError):
        raise structure.Unknown("a step of train() cannot be computed for many runs at once") from None


def _together(recipe, args, log, steps, done):
    step, target, A_op = Step(log.session), np.nan if recipe.target is None else recipe.target, log.session.parts.A.op
    draws, found, curves = Draws(recipe, args, log, step), [], []
    with ThreadPoolExecutor(1) as pool:
        blocks = draws.blocks()
        coming = deque(pool.submit(next, blocks, None) for _ in range(AHEAD))
        shape = min(args.steps, BLOCK), min(args.runs, RUNS) + 1, len(draws.x)
        loop = Loop(step, log.session.parts, draws.start, shape, args.runs * args.steps > XLA_FROM)
        while block := coming.popleft().result():
            coming.append(pool.submit(next, blocks, None))
            chunk, before, begin, indices = block
            if begin:
                loop.reset(*begin)
                start = begin[2][A_op]
                curves = curves or [start]
            first, last = before, min(before + len(indices), args.steps)
            for end in sorted({last, *steps[(chunk == 0) & (steps > before) & (steps < last)]}):
                A, arrived, lost = loop.advance(indices, before, first - before, end - before, target)
                check(A[[0, -1]] if chunk == 0 else A[-1:], log.A[:end + 1])
                curves += [A] * (chunk == 0 and end in steps)
                first = end
            if last == args.steps:
                found.append([each[:-1] for each in (A, loop.mean_loss(), arrived, lost, start)])
                done(min(RUNS, args.runs - chunk * RUNS))
    columns = [np.concatenate(column)[:args.runs] for column in zip(*found, strict=True)]
    return *columns, np.array(curves)[:, :-1]


def check(A, log):
    """See that run 1's `A`, in all its places, is what the script's log has last."""
    largest = np.abs(log).max()
    if np.isfinite(largest) and not np.all(np.abs(A - log[-1]) <= ROUNDING * largest):
        raise structure.Unknown(f"after step {len(log) - 1}, run 1 is at A = {A[0]!s} beside others and at {log[-1]!s} alone")
