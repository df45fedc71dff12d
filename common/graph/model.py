"""A recipe's graph as functions of `A`, in double precision: the losses of its samples, the least, the output."""

import functools

import numpy as np

from common import tf1 as tf
from common.graph import structure

AROUND = np.geomspace(1e-3, 1e7, 200)  # how far from a starting point the least loss is looked for


class Model:
    """The loss and the output over given samples, from copies of a graph's operations, in a graph of their own.

    x_vals, y_vals  float64 [samples]
    """

    def __init__(self, parts, samples, others):
        """Copy what is needed of a graph; raises `structure.Unknown` where its loss cannot be computed otherwise.

        parts    the `structure.Parts` of the graph
        samples  x_vals, y_vals [samples]
        others   {tensor: value} of the other variables that are read
        """
        self.x_vals, self.y_vals = map(np.float64, samples)
        try:
            with tf.Graph().as_default():
                self._session = tf.load().Session(config=tf.threads(-1))
                self._places = [tf.placeholder(tf.float64, [None]) for _ in range(3)]
                self._loss = self._batch(parts, parts.loss, others)
                self._output = None if parts.output is None else self._batch(parts, parts.output, others)
            for tensor in filter(lambda tensor: tensor is not None, (self._loss, self._output)):
                if self._run(tensor, *np.ones((3, 3))).size != 3:
                    raise ValueError
        except (TypeError, ValueError, NotImplementedError, tf.errors.OpError):
            raise structure.Unknown("the loss cannot be computed for other values of A") from None

    def _batch(self, parts, tensor, others):
        reads = {read: parts.A for read in structure.reads([tensor]) if read not in others}
        values = dict(zip((parts.x_data, parts.y_target), self._places, strict=False))
        values.update(dict.fromkeys(reads, self._places[2]))
        values = {old: tf.cast(new, _wide(old)) for old, new in values.items()}
        fixed = {read: tf.constant(value, _wide(read)) for read, value in others.items()}
        return structure.batch(tensor, values, True, fixed)

    def _run(self, fetches, x, y, A):
        return self._session.run(fetches, dict(zip(self._places, (x, y, A), strict=True)))

    def loss(self, x, y, A):
        """The losses of samples, each with an `A` of its own: float64 [samples]."""
        return self._run(self._loss, x, y, A)

    def losses(self, A, x=None, y=None):
        """The loss of each sample (or of others) with each value of `A` [k]: float64 [k, samples]."""
        x, y = (self.x_vals, self.y_vals) if x is None else (x, y)
        return self.loss(np.tile(x, len(A)), np.tile(y, len(A)), np.repeat(A, len(x))).reshape(len(A), len(x))

    def output(self, x, A):
        """The model's output for x [points] with one `A`: float64 [points]; None if the graph does not name it."""
        return None if self._output is None else self._run(self._output, x, np.zeros(x.shape), np.full(x.shape, A))

    def gradient(self, x, y, A):
        """The derivatives of `loss` by `A`: float64 [samples]."""
        return self._run(self._derivatives[0], x, y, A)

    def curvature(self, x, y, A):
        """The second derivatives of `loss` by `A`: float64 [samples]."""
        return self._run(self._derivatives[1], x, y, A)

    @functools.cached_property
    def _derivatives(self):
        with self._session.graph.as_default():
            found = [self._loss]
            for _ in range(2):
                derivative, = tf.gradients(found[-1], self._places[2])
                found.append(tf.zeros_like(found[-1]) if derivative is None else derivative)
        return found[1:]

    def gives(self, x, y, A, loss):
        """Whether a run's losses [steps] are those of the model, as far as the numbers of the run can tell."""
        some = np.unique(np.linspace(0, len(x) - 1, 200).astype(int))
        x, y, A, loss = (each[some] for each in (x, y, A, loss))
        near = 8 * np.finfo(loss.dtype).eps
        with np.errstate(all="ignore"):
            exact = self.loss(x, y, A)
            rounded = [self.loss(*np.multiply([x, y, A], change)) for change in 1 + near * (np.eye(3)[:, :, None])]
            unsure = np.abs(rounded - exact).sum(axis=0) + near * np.abs(exact) + near
        known = np.isfinite(loss) & np.isfinite(exact)
        return bool(np.all(np.abs(loss - exact)[known] <= unsure[known]))

    def least(self, start):
        """The `A` with the least mean loss over the samples, to 1e-8 of its size, looked for around `start`.

        None if there is none, as where the loss falls without end.
        """
        grid = start + np.r_[-AROUND[::-1], 0, AROUND]
        for level in range(9):
            with np.errstate(all="ignore"):
                mean = self.losses(grid).mean(axis=1)
            mean[np.isnan(mean)] = np.inf
            at = np.clip(np.argmin(mean), 1, len(grid) - 2)
            if level == 0 and not mean[at - 1] > mean[at] < mean[at + 1]:
                return None
            grid = np.linspace(grid[at - 1], grid[at + 1], 41)
        return float(grid[20])

    def stable(self):
        """The learning rate below which gradient descent on these samples is stable; None if the loss is no parabola.

        A step multiplies the distance to its sample's minimum by 1 - rate·h, with the curvature h of that sample's
        loss. The variance of `A` grows without end where E[(1 - rate·h)²] > 1.
        """
        h, elsewhere = (self.curvature(self.x_vals, self.y_vals, np.full(len(self.x_vals), A)) for A in (0.3, 7.1))
        return 2 * h.mean() / np.mean(h**2) if np.allclose(h, elsewhere) and np.all(h > 0) else None


def _wide(tensor):
    """The type of a tensor's copy in double precision."""
    return tf.float64 if tensor.dtype.is_floating else tensor.dtype.base_dtype
