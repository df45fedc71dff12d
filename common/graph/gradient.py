"""The derivatives of a model's loss by `A`, and what follows from them for gradient descent."""

import numpy as np

from common import tf1 as tf


def gradient(model, x, y, A, order=1):
    """The derivative (or one of higher order) by `A` of the losses of samples, each with its own `A`: float64 [n]."""
    derivative = model.tensor
    with derivative.graph.as_default():
        for _ in range(order):
            found, = tf.gradients(derivative, model.inputs[2])
            derivative = tf.zeros_like(derivative) if found is None else tf.convert_to_tensor(found)
    return model.run(derivative, x, y, A)


def stable_rate(model):
    """The learning rate below which gradient descent on the model's samples is stable; None if no loss is a parabola.

    A step multiplies the distance to its sample's minimum by 1 - rate·h, with the curvature h of that sample's loss.
    The variance of `A` grows without end where E[(1 - rate·h)²] > 1.
    """
    x, y = model.x_vals, model.y_vals
    h, elsewhere = (gradient(model, x, y, np.full(len(x), A), 2) for A in (0.3, 7.1))
    return 2 * h.mean() / np.mean(h**2) if np.allclose(h, elsewhere) and np.all(h > 0) else None


def divergence(log, model, target):
    """Why a run diverged that did, and what helps, as a sentence without its full stop."""
    finite = np.isfinite(log.rows).all(axis=1)
    steps = len(log) if finite.all() else int(np.argmin(finite)) + 1
    x, y, A, loss = log.rows[steps - 1]
    if not np.isfinite([x, y]).all():
        return f"step {steps} was fed x = {x!s} and y = {y!s}: feed finite numbers"
    what = f"A = {A:.8g} is far from {target:g}" if finite.all() else f"A = {A:.8g}, loss = {loss:.8g}"
    stable = model and stable_rate(model)
    limit = f" (gradient descent on these samples is stable below {stable:.3g})" if stable else ""
    return f"the run diverged by step {steps} ({what}): try a smaller learning rate{limit}"
