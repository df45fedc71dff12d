"""What theory, plain numpy and the reference tables say of the recipes, for the tests to compare with."""

import csv

import numpy as np
import regression
from conftest import CHECKOUT

from common import tf1 as tf
from common.comparison.optimizers import OPTIMIZERS


def table(name):
    """A comparison of 1,000 runs from `outputs/reference/`: {(optimizer, rate): figures, None where there is none}."""
    found = {}
    with open(CHECKOUT / f"outputs/reference/{name}.csv", encoding="ascii") as file:
        for row in csv.DictReader(file):
            key = row.pop("optimizer"), float(row["learning_rate"])
            found[key] = {column: float(cell) if cell else None for column, cell in row.items()}
    return found


def rates(name):
    """The same by the rates alone, of gradient descent."""
    return {rate: figures for (optimizer, rate), figures in table(name).items() if optimizer == "gradient-descent"}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def many_samples(script, count):
    """x, y [count, 100] of so many runs."""
    np.random.seed(605)
    return (np.array(column) for column in zip(*(script.draw_samples() for _ in range(count)), strict=True))


def paths(script, rate, count, steps):
    """The page's process in numpy: `A` [steps + 1, count] of so many runs, and their samples."""
    x, y = many_samples(script, count)
    rng, lanes = np.random.default_rng(1), np.arange(count)
    A = [rng.normal(0 if script is regression else 10, 1, count)]
    for _ in range(steps):
        at = lanes, rng.integers(0, 100, count)
        gradient = 2 * x[at] * (x[at] * A[-1] - y[at]) if script is regression else sigmoid(x[at] + A[-1]) - y[at]
        A.append(A[-1] - rate * gradient)
    return np.array(A), x


def moments(rate, steps, mean=0.0, variance=1.0):
    """Mean and variance of the regression's `A` after each step, for a fresh x ~ N(1, 0.1) at every step.

    A step is A <- (1 - 2 rate x^2) A + 20 rate x, so they follow from E[x], E[x^2], E[x^3], E[x^4].
    """
    m1, m2, m3, m4 = 1, 1.01, 1.03, 1.0603
    square, result = variance + mean**2, [(mean, variance)]
    for _ in range(steps):
        square = (1 - 4 * rate * m2 + 4 * rate**2 * m4) * square + 40 * rate * (m1 - 2 * rate * m3) * mean \
            + 400 * rate**2 * m2
        mean = (1 - 2 * rate * m2) * mean + 20 * rate * m1
        result.append((mean, square - mean**2))
    return np.array(result)


def under_constant_gradient(optimizer, rate, steps, slope=1.0, start=0.0):
    """`A` after each step under a constant gradient: [steps + 1]. About TensorFlow's optimizers alone."""
    with tf.Graph().as_default(), tf.Session() as sess:
        A, path = tf.Variable([start]), [start]
        train_step = OPTIMIZERS[optimizer](rate).minimize(slope * A)
        sess.run(tf.global_variables_initializer())
        for _ in range(steps):
            sess.run(train_step)
            path.append(sess.run(A).item())
    return np.array(path)
