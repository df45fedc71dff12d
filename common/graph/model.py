"""A run's graph as functions of `A`, in double precision: the losses of its samples, the least, the output."""

import numpy as np

from common import tf1 as tf
from common.graph import copies, structure

AROUND = np.geomspace(1e-3, 1e7, 200)  # how far from the step with the least loss the model's least is looked for


class Model:
    """The loss and the output of a run's graph over its samples, from copies in a graph of their own.

    x_vals, y_vals  float64 [samples]
    best            the `A` with the least mean loss over them; None if there is none, as where it falls without end
    """

    def __init__(self, log, samples):
        """`samples`: x_vals, y_vals [samples]. Raises `structure.Unknown` where the run's losses do not follow so."""
        self._parts = log.session.parts
        self.x_vals, self.y_vals = (np.asarray(values, np.float64) for values in samples)
        if self.x_vals.ndim != 1 or self.x_vals.shape != self.y_vals.shape:
            raise structure.Unknown("draw_samples() should give one x and one y for each sample")
        reads = structure.reads([each for each in self._parts[3:] if each is not None])
        others = {read.op.inputs[0].op.name for read in reads} - {self._parts.A.op.name}
        if others:
            raise structure.Unknown(f"the loss or the output is computed from {' and '.join(others)} too")
        try:
            with tf.Graph().as_default():
                self._session = tf.load().Session(config=tf.threads(-1))
                self._inputs = [tf.placeholder(tf.float64, [None]) for _ in range(3)]
                self._loss = self._batch(self._parts.loss)
                self._output = None if self._parts.output is None else self._batch(self._parts.output)
            wrong = self._wrong(log)
        except Exception:  # whatever TensorFlow says of an operation that it cannot repeat, or numpy of a type
            wrong = "the loss cannot be computed for other values of A"
        if wrong:
            raise structure.Unknown(wrong)
        self.best = self._least(log.A[1 + np.argmin(np.nan_to_num(log.loss, nan=np.inf))])

    def _batch(self, tensor):
        """A tensor of the run's graph for many x, y and `A`: float64 [n]."""
        x_data, y_target, *_ = self._parts
        places = {x_data: self._inputs[0], y_target: self._inputs[1]}
        places.update(dict.fromkeys(structure.reads([tensor]), self._inputs[2]))
        many = structure.depending(structure.ancestors([tensor.op]), [each.op for each in places])
        return copies.copy([tensor], places, True, many, tf.shape(self._inputs[0]))[0]

    def _run(self, fetched, x, y, A):
        return self._session.run(fetched, dict(zip(self._inputs, (x, y, A), strict=True)))

    def loss(self, x, y, A, order=0):
        """The losses of samples, each with an `A` of its own, or their derivative of this order by it: float64 [n]."""
        wanted = self._loss
        with wanted.graph.as_default():
            for _ in range(order):
                wanted, = tf.gradients(wanted, self._inputs[2], unconnected_gradients="zero")
        return self._run(wanted, x, y, A)

    def losses(self, A, x=None, y=None):
        """The loss of each sample (or of others) with each value of `A` [k]: float64 [k, samples]."""
        x, y = (self.x_vals, self.y_vals) if x is None else (x, y)
        return self.loss(np.tile(x, len(A)), np.tile(y, len(A)), np.repeat(A, len(x))).reshape(len(A), len(x))

    def output(self, x, A):
        """The model's output for x [points] with one `A`: float64 [points]; None if the graph does not name it."""
        return None if self._output is None else self._run(self._output, x, np.zeros(x.shape), np.full(x.shape, A))

    def stable_rate(self):
        """The learning rate below which gradient descent on the samples is stable; None if no loss is a parabola.

        A step multiplies the distance to its sample's minimum by 1 - rate·h, with the curvature h of that sample's
        loss. The variance of `A` grows without end where E[(1 - rate·h)²] > 1.
        """
        x, y = self.x_vals, self.y_vals
        h, elsewhere = (self.loss(x, y, np.full(len(x), A), order=2) for A in (0.3, 7.1))
        return 2 * h.mean() / np.mean(h**2) if np.allclose(h, elsewhere) and np.all(h > 0) else None

    def _wrong(self, log):
        """Say if the run was not fed these samples, or if its losses do not come out again, but for rounding."""
        some = np.unique(np.linspace(0, len(log) - 1, 200).astype(int))
        x, y, A, loss = log.rows[some].T
        kinds = (place.dtype.as_numpy_dtype for place in self._parts[:2])
        drawn = pairs(*(column.astype(kind) for column, kind in zip((self.x_vals, self.y_vals), kinds, strict=True)))
        fed = pairs(log.x, log.y)
        if not np.isin(fed, drawn).all():
            return "train() feeds other samples than draw_samples() draws with this seed"
        places = np.flatnonzero(np.isin(drawn, fed))
        if ((np.ptp(places) + 1) / len(drawn)) ** len(places) < 1e-6:  # the chance that no other place was chosen
            return "train() feeds only a part of the samples that draw_samples() draws"
        near = 8 * np.finfo(loss.dtype).eps
        with np.errstate(all="ignore"):
            exact = self.loss(x, y, A)
            rounded = [self.loss(*np.multiply([x, y, A], 1 + change[:, None])) for change in near * np.eye(3)]
            wrong = np.abs(loss - exact) > np.abs(rounded - exact).sum(axis=0) + near * (np.abs(exact) + 1)
        wrong &= np.isfinite(loss) & np.isfinite(exact)
        return "the loss is another one when it is computed again" if wrong.any() else None

    def _least(self, start):
        grid = start + np.r_[-AROUND[::-1], 0, AROUND]
        for _ in range(9):  # to 1e-8 of its size
            with np.errstate(all="ignore"):
                mean = self.losses(grid).mean(axis=1)
            mean[np.isnan(mean)] = np.inf
            at = np.clip(np.argmin(mean), 1, len(grid) - 2)
            grid = np.linspace(grid[at - 1], grid[at + 1], 41)
        best, near = grid[20], 1e-4 * max(1, abs(grid[20]))
        left, least, right = self.losses(best + np.array([-near, 0, near])).mean(axis=1)
        return float(best) if min(left, right) > least + 8 * np.finfo(float).eps * abs(least) else None


def pairs(x, y):
    """Samples [n] as complex numbers, which numpy compares as a whole."""
    return np.stack([x, y], axis=1).astype(np.float64).view(np.complex128).ravel()
