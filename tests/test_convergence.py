"""`A` converges near 10 and near -1, within the spread of the process, and its gradient is what calculus says."""

import classification
import numpy as np
import pytest
import regression
from conftest import SCRIPTS

from common import data
from common import tf1 as tf
from common.comparison import blocks, loops

SEEDS = 40
STEPS = {regression: 100, classification: 1400}


def last(script):
    """The last `A` of the run of each seed below `SEEDS`, trained one after the other in the compiled loop: float32.

    That these are the numbers of the script's own loop is what the first test checks, bit for bit.
    """
    loop, steps, ended = None, STEPS[script], []
    for seed in range(SEEDS):
        block, = blocks.draw_blocks(script.main, seed, 1, 1, steps)
        loop = loop or loops.Loop(script.main, "gradient-descent", block, xla=False)
        loop.reset(block.start)
        ended.append(loop.advance(script.train.__kwdefaults__["learning_rate"], block, 0, steps)[0][0])
    return np.array(ended)


@pytest.fixture(scope="module")
def final():
    """The last `A` of `SEEDS` runs of each script: float32 [SEEDS]."""
    return {script: last(script) for script in SCRIPTS.values()}


@pytest.mark.parametrize("seed", [0, SEEDS - 1])
@pytest.mark.parametrize("script", SCRIPTS.values())
def test_the_runs_tested_here_are_those_of_the_script_bit_for_bit(script, seed, final, tmp_path):
    made = script.main(["--seed", str(seed), "--no-figure", "--output-dir", str(tmp_path)])
    assert made.A[-1] == final[script][seed]


def spread_of_regression(seed):
    """Mean and standard deviation of `A` after 100 steps over all orders of picks, from the samples' exact moments.

    A step is affine, A <- (1 - 2 rate x^2) A + 20 rate x, so the first two moments of A follow from those of x.
    """
    stream = data.streams(seed)
    x, _ = regression.draw_samples(stream.samples)
    factor, shift = 1 - 2 * 0.02 * x**2, 20 * 0.02 * x
    mean = stream.start.normal()
    square = mean**2
    for _ in range(100):
        square = np.mean(factor**2) * square + 2 * np.mean(factor * shift) * mean + np.mean(shift**2)
        mean = np.mean(factor) * mean + np.mean(shift)
    return mean, np.sqrt(square - mean**2)


def spread_of_classification(seed, orders=400):
    """The same for 1,400 steps of the classification, from numpy's run of these samples in many orders of picks."""
    stream = data.streams(seed)
    x, y = classification.draw_samples(stream.samples)
    A = np.full(orders, stream.start.normal(10))
    rng = np.random.default_rng(seed + 1_000_000)
    for _ in range(1400):
        pick = rng.integers(100, size=orders)
        A -= 0.05 * (1 / (1 + np.exp(-(x[pick] + A))) - y[pick])
    return A.mean(), A.std()


@pytest.mark.parametrize(("script", "spread"), [(regression, spread_of_regression),
                                                (classification, spread_of_classification)])
def test_the_last_A_scatters_around_its_mean_as_the_process_does(script, spread, final):
    mean, deviation = np.transpose([spread(seed) for seed in range(SEEDS)])
    z = (final[script] - mean) / deviation
    # z has mean 0 and variance 1; their estimates have standard errors 1/sqrt(n) and about sqrt(2/n).
    assert np.max(np.abs(z)) < 5
    assert abs(z.mean()) < 4 / np.sqrt(SEEDS)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / SEEDS)


def test_A_of_each_regression_ends_at_its_own_mean_and_they_average_near_10(final):
    # Each run ends within five standard deviations of its own mean, whose distance from the least-loss value of its
    # samples each step multiplies by 1 - 2 rate E[x^2]; that value is 10/1.01 on average with a spread of 0.1.
    for seed, A in enumerate(final[regression]):
        mean, deviation = spread_of_regression(seed)
        stream = data.streams(seed)
        x, _ = regression.draw_samples(stream.samples)
        best, left = 10 * x.sum() / (x**2).sum(), (1 - 2 * 0.02 * np.mean(x**2)) ** 100
        assert abs(A - mean) < 5 * deviation
        assert mean - best == pytest.approx((stream.start.normal() - best) * left)
        assert abs(best - 10 / 1.01) < 5 * 0.1
    assert abs(final[regression].mean() - 10) < 0.5


def test_A_converges_near_minus_1(final):
    # The least-loss shift scatters with variance S/H^2/100 and SGD around it with rate S/(2H), where S is the mean
    # square of the gradient and H the mean curvature of the loss, here at A = -1 for N(-1, 1) and N(3, 1).
    x = np.random.default_rng(0).normal(np.repeat([-1.0, 3.0], 500_000), 1) - 1
    p = 1 / (1 + np.exp(-x))
    S, H = np.mean((p - np.repeat([0, 1], 500_000)) ** 2), np.mean(p * (1 - p))
    deviation = np.sqrt(S / H**2 / 100 + 0.05 * S / (2 * H))
    assert np.all(np.abs(final[classification] + 1) < 5 * deviation)
    assert abs(final[classification].mean() + 1) < 4 * deviation / np.sqrt(SEEDS)


@pytest.mark.parametrize(("script", "by_hand"), [
    (regression, lambda x, y, A: 2 * (x * A - y) * x),
    (classification, lambda x, y, A: 1 / (1 + np.exp(-(x + A))) - y),
])
def test_the_gradient_is_what_calculus_and_a_finite_difference_say(script, by_hand):
    rng = np.random.default_rng(0)
    x, A = rng.normal(1, 2, (2, 50))
    y = rng.choice([0.0, 1.0], 50)
    with tf.Graph().as_default():
        at = tf.placeholder(tf.float64, [50])
        loss = script.graph(tf.constant(x), tf.constant(y), at)[1]
        gradient = tf.gradients(loss, at)[0]
        with tf.Session() as sess:
            computed = sess.run(gradient, {at: A})
            step = 1e-6
            difference = (sess.run(loss, {at: A + step}) - sess.run(loss, {at: A - step})).ravel() / (2 * step)
    np.testing.assert_allclose(computed, by_hand(x, y, A), rtol=1e-12, atol=1e-14)
    # The central difference is off by step^2/6 of the third derivative and by rounding, 1e-16 of the loss over step.
    np.testing.assert_allclose(computed, difference, rtol=1e-7, atol=1e-8)
