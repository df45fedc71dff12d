"""What a step computes with that differs from run to run, and these numbers, drawn as the script draws its own."""

import contextlib

import numpy as np

from common import tf1 as tf
from common.graph import copies, structure

RUNS = 1024  # trained side by side
BLOCK = 1500  # steps whose sample indices are held at once; a signal waits for them, some 0.1 s at most


class Step:
    """One execution of a script's training operation; raises `structure.Unknown` where there are several.

    operation  the training operation
    parts      of the graph
    variables  {operation that stands for a variable: its initial value, a tensor}
    own        the operations whose numbers differ from run to run
    """

    def __init__(self, session):
        if len(session.steps) != 1:
            raise structure.Unknown("train() executes several training operations")
        (self.operation,), self.parts = session.steps, session.parts
        last = [getattr(self.operation, "op", self.operation), self.parts.loss.op]
        ops = structure.ancestors(last, control=True)
        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        self.variables = {each.op: each.initial_value for each in variables if each.op in ops}
        drawn = [op for op, initial in self.variables.items() if random(initial)]
        self.own = structure.depending(ops, [*(each.op for each in self.parts[:3]), *drawn])


def random(initial):
    """The operations that draw the random numbers of an initial value."""
    return [op for op in structure.ancestors([initial.op]) if op.op_def.is_stateful]


class Draws:
    """The random numbers of many runs, drawn as the script draws its own; those of run 1 are the script's.

    shape    of a block: its steps, runs and samples
    start    of run 1: {operation of a variable: its value before the first step}
    """

    def __init__(self, recipe, args, log, step):
        """Draw run 1's numbers again; raises `structure.Unknown` if the script was not trained on them."""
        self._recipe, self._args, self._own, (x_data, y_target, A, *_) = recipe, args, step.own, log.session.parts
        self._kinds = x_data.dtype.as_numpy_dtype, y_target.dtype.as_numpy_dtype
        if len(log) != args.steps:
            raise structure.Unknown(f"train() takes {len(log):,} steps instead of {args.steps:,}")
        np.random.seed(args.seed)
        (x,), (y,) = self._samples(1)
        self.shape = min(args.steps, BLOCK), min(args.runs, RUNS), len(x)
        self._indices = np.random.choice(len(x), args.steps).astype(np.int32)
        for drawn, fed in ((x, log.x), (y, log.y)):
            if not np.array_equal(drawn[self._indices].astype(fed.dtype), fed):
                raise structure.Unknown(f"train() should feed draw_samples()'s by np.random.choice({len(x)}) alone")
        with tf.Graph().as_default(), refusals():
            self._starts = {op: self._start(initial, op in step.own) for op, initial in step.variables.items()}
            self._session = tf.load().Session(config=tf.threads(-1))
            self._first = self._session.run(self._starts)
        self.start = {op: value[0] if op in step.own else value for op, value in self._first.items()}
        if self.start[A.op] != log.A[0]:
            raise structure.Unknown("A does not start at its initial value as it is drawn again: give it seed=seed")

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
            x = y = np.empty(0)
        if x.ndim != 2 or x.shape != y.shape or not np.isfinite([x, y]).all():
            raise structure.Unknown("draw_samples() should give as many finite x as y, and in each run as many")
        return x, y

    def chunks(self):
        """Yield what the runs of each chunk begin with: x, y [runs, samples] and {operation of a variable: [runs]}.

        Run 1 is the first of the first chunk. The last chunk has as many runs as the others, of which those beyond
        `args.runs` are of no interest.
        """
        np.random.seed(self._args.seed)
        runs = self.shape[1]
        for chunk in range(-(-self._args.runs // runs)):
            x, y = self._samples(runs)
            drawn = self._session.run(self._starts) if chunk else self._first
            yield x, y, {op: drawn[op][:runs] for op in self._own & drawn.keys()}

    def blocks(self, chunk):
        """Yield the steps before each block of a chunk, and the block's sample indices [steps, runs]."""
        (length, runs, size), rng = self.shape, np.random.default_rng([self._args.seed, chunk])
        for before in range(0, self._args.steps, length):
            indices = np.ascontiguousarray(rng.integers(size, size=(length, RUNS), dtype=np.int32)[:, :runs])
            if chunk == 0:
                own = self._indices[before : before + length]
                indices[: len(own), 0] = own
            yield before, indices


@contextlib.contextmanager
def refusals():
    """Raise `structure.Unknown` where TensorFlow refuses to compute the block's graph for many runs."""
    try:
        yield
    except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError):
        raise structure.Unknown("a step of train() cannot be computed for many runs at once") from None
