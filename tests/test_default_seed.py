"""The default seed is the smallest with which both recipes do what the page tells and shows.

The criteria were written down before any seed was tried:
1. Each reported `A` lies within 0.5 of what the page shows at that step.
2. The regression's `A` rises from report to report. The classification's `A` starts within 1 of 10.
3. `A` ends within 0.2 of 10 and within 0.1 of -1, and within 0.1 of the least loss of the run's own samples.
4. The last reported loss is below 1 in the regression (a sample one standard deviation off) and below log 2 in the
   classification (a sample on the right side).
"""

import functools
import inspect

import numpy as np
from conftest import SCRIPTS

from common import tf1 as tf

SEEDS = range(606)
REGRESSION = [6.23402166, 8.50733757, 9.37753201, 9.80041122]  # what the page shows
CLASSIFICATION = [3.59597969, 0.50947344, -0.50994617, -0.76606178, -0.90859312, -0.86169094, -1.08486211]


@functools.cache
def normal():
    """What `tf.random_normal(shape=[1], seed=seed)` draws for each seed: float32 [seeds]."""
    with tf.Graph().as_default(), tf.Session() as sess:
        one, draws = tf.constant([1]), []
        for seed in SEEDS:
            first, second = tf.get_seed(seed)
            draws.append(tf.raw_ops.RandomStandardNormal(shape=one, dtype=tf.float32, seed=first, seed2=second))
        return np.ravel(sess.run(draws))


def train(recipe, A, steps, report_every, rate, gradient):
    """Train with each seed at once, in double precision.

    A         the starts
    gradient  of the loss, as a function of `A`, x and y

    Returns `A` at the start and at each report [seeds, reports + 1], the last step's x and y [seeds], and the mean
    gradient of each seed's samples at 0.1 below the last `A` and at 0.1 above [seeds].
    """
    drawn = []
    for seed in SEEDS:
        np.random.seed(seed)
        drawn.append((*SCRIPTS[recipe].draw_samples(), np.random.choice(100, steps)))
    x, y, indexes = map(np.array, zip(*drawn, strict=True))
    reports = [A]
    for step in range(steps):
        fed = np.arange(len(A)), indexes[:, step]
        A = A - rate * gradient(A, x[fed], y[fed])
        if (step + 1) % report_every == 0:
            reports.append(A)
    below, above = (gradient(A[:, None] + distance, x, y).mean(axis=1) for distance in (-0.1, 0.1))
    return np.array(reports).T, x[fed], y[fed], below, above


def regression():
    """Which seeds meet the criteria."""
    A, x, y, below, above = train("regression", normal(), 100, 25, 0.02, lambda A, x, y: 2 * x * (x * A - y))
    return (
        np.all(np.abs(A[:, 1:] - REGRESSION) <= 0.5, axis=1)
        & np.all(np.diff(A[:, 1:]) > 0, axis=1)
        & (np.abs(A[:, -1] - 10) <= 0.2)
        & (below < 0) & (above > 0)  # the loss is convex, so its least is between
        & ((x * A[:, -1] - y) ** 2 < 1))


def classification():
    """Which seeds meet the criteria."""
    A, x, y, below, above = train(
        "classification", 10 + normal(), 1400, 200, 0.05, lambda A, x, y: 1 / (1 + np.exp(-x - A)) - y)
    logit = x + A[:, -1]
    return (
        np.all(np.abs(A[:, 1:] - CLASSIFICATION) <= 0.5, axis=1)
        & (np.abs(A[:, 0] - 10) <= 1)
        & (np.abs(A[:, -1] + 1) <= 0.1)
        & (below < 0) & (above > 0)
        & (np.logaddexp(0, logit) - y * logit < np.log(2)))


def test_the_default_seed_is_the_smallest_that_shows_what_the_page_tells():
    smallest = int(np.argmax(regression() & classification()))
    defaults = [inspect.signature(script.train).parameters["seed"].default for script in SCRIPTS.values()]
    assert defaults == [smallest, smallest] == [605, 605]
