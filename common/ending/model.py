"""A recipe's graph as functions of `A`, computed by TensorFlow in double precision: losses, their least, the output."""

import functools

import numpy as np

from common import tf1 as tf

POINTS = 201  # of a grid of values of `A` or x
FINER = 40  # of the grids between two of its points


class Model:
    """The graph of a recipe over given samples, in a graph and a session of its own.

    graph           the recipe's function (x, y, A) -> output, loss; tensors of like shapes
    x_vals, y_vals  float64 [samples]
    """

    def __init__(self, graph, x_vals, y_vals):
        self._x_vals, self._y_vals = (np.asarray(values, np.float64) for values in (x_vals, y_vals))
        with tf.Graph().as_default():
            self._x, self._y, self._A = (tf.placeholder(tf.float64, [None], name=name) for name in ("x", "y", "A"))
            alone = graph(self._x[:1], self._y[:1], self._A[:1])
            self._session = tf.Session(config=tf.threads(-1, rewritten=False))
            self._output, self._loss, self.separate = self._together(graph, alone[1])
            if not self.separate:  # as with tf.reduce_mean: one sample after the other
                self._output, self._loss = tf.vectorized_map(
                    lambda one: [tf.reshape(each, []) for each in graph(*(number[None] for number in one))],
                    (self._x, self._y, self._A))

    def _together(self, graph, alone):
        """The output and the loss of many samples at once, and whether they are those of each sample by itself."""
        try:
            output, loss = (tf.reshape(each, [-1]) for each in graph(self._x, self._y, self._A))
            x, y = np.resize(self._x_vals, 2), np.resize(self._y_vals, 2)
            two, one = self._run([[output, loss], alone], x, y, x)
        except (ValueError, tf.errors.InvalidArgumentError):  # the graph takes nothing but single numbers
            return None, None, False
        return output, loss, two[0].size == two[1].size == 2 and np.allclose(two[1][0], one, rtol=1e-9, equal_nan=True)

    def _run(self, fetched, x, y, A):
        return self._session.run(fetched, {self._x: x, self._y: y, self._A: A})

    @functools.cached_property
    def _gradient(self):
        return self._derivative(self._loss)

    def _derivative(self, of):
        """The derivative of a tensor [samples] by the `A` of each sample."""
        with self._session.graph.as_default():
            derivative = tf.gradients(of, self._A)[0]
            return tf.zeros_like(of) if derivative is None else derivative

    def losses(self, A, x=None, y=None):
        """The loss of each sample with each value of `A` [k]: float64 [k, samples]. Other samples may be given."""
        x, y = (self._x_vals, self._y_vals) if x is None else (x, y)
        few = max(1, 4096 // len(x))  # values of `A` together, for the memory's sake
        parts = [A[first : first + few] for first in range(0, len(A), few)]
        return np.concatenate([self._run(
            self._loss, np.tile(x, len(part)), np.tile(y, len(part)), np.repeat(part, len(x))) for part in parts],
            ).reshape(len(A), len(x))

    def at(self, x, y, A):
        """The loss of samples, each with an `A` of its own, and its gradient at that `A`: float64 [samples] each."""
        return self._run([self._loss, self._gradient], x, y, A)

    def mean_loss(self, A):
        """The mean loss over all samples with each value of `A` [k]: float64 [k]."""
        return self.losses(A).mean(axis=1)

    def output(self, x, A):
        """The model's output for `x` [points] with each `A` [points] (or one number for all): float64 [points]."""
        A = np.broadcast_to(np.float64(A), x.shape)
        return self._run(self._output, x, np.zeros(x.shape), A)

    def gives(self, x, y, A, loss):
        """Whether the graph has those losses for those samples and `A`, as far as float32 can tell; all [steps]."""
        some = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
        some = some[np.isfinite(loss[some])]
        if not len(some):
            return True
        with np.errstate(all="ignore"):
            here = self._run(self._loss, x[some], y[some], A[some])
            return np.allclose(here, loss[some], rtol=1e-3, atol=1e-4)

    def least(self, low, high):
        """The `A` with the least mean loss, to 1e-8 of its size, looked for from `low` to `high`, and beyond where the
        loss still falls there; None if it falls without end."""
        best, points = low, POINTS
        for _ in range(60):
            grid = np.linspace(low, high, points)
            mean = self.mean_loss(grid)
            if not np.isfinite(mean).any():
                return None
            at = np.nanargmin(mean)
            best, width = grid[at], high - low
            if at in (0, points - 1):
                if width > 1e7:
                    return None
                low, high, points = best - width, best + width, POINTS
            elif width <= 1e-8 * max(1, abs(best)):
                break
            else:
                low, high, points = grid[at - 1], grid[at + 1], FINER
        return best

    def crossing(self, threshold, A, low, high):
        """The x between `low` and `high` at which the output with `A` passes the threshold, or None."""
        for _ in range(6):
            x = np.linspace(low, high, POINTS)
            above = self.output(x, A) > threshold
            at, = np.flatnonzero(np.diff(above))[:1] if np.any(np.diff(above)) else (None,)
            if at is None:
                return None
            low, high = x[at], x[at + 1]
        return (low + high) / 2

    def limits(self):
        """The learning rates at which gradient descent on these samples diverges, or None where no rate is the limit.

        Where the curvature h of each sample's loss does not depend on `A`, a step multiplies the distance to the
        sample's minimum by 1 - rate·h. So what grows without end is the mean of `A` where |1 - rate·E[h]| > 1, its
        variance where E[(1 - rate·h)²] > 1, and the distance of a typical run where E[log|1 - rate·h|] > 0.
        """
        if not self.separate:
            return None
        x, y, curvature = self._x_vals, self._y_vals, self._derivative(self._gradient)
        h, other = (self._run(curvature, x, y, np.full(len(x), A)) for A in (0.3, 7.1))
        if not np.allclose(h, other, rtol=1e-9) or np.any(h <= 0):
            return None
        mean, variance = 2 / h.mean(), 2 * h.mean() / np.mean(h**2)
        low, high = variance, 100 * mean
        for _ in range(60):
            middle = (low + high) / 2
            growth = np.mean(np.log(np.abs(1 - middle * h) + 1e-300))
            low, high = (low, middle) if growth > 0 else (middle, high)
        return {"mean": mean, "variance": variance, "typical": middle}


def model_of(graph, x_vals, y_vals):
    """The `Model`, or None where the graph cannot be computed in double precision."""
    try:
        return Model(graph, x_vals, y_vals)
    except (TypeError, ValueError, tf.errors.OpError):
        return None
