"""Every claim of the page, in its order: what is true, measured, with expected values from theory or from numpy.

Each test checks one row of `recipes/CLAIMS.md`, which quotes the verdict and the figure that the test found. Most
claims are about the recipes, and their tests run them; a few are about TensorFlow alone, and their tests say so.
"""

from types import SimpleNamespace

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, read_log

from common import data
from common import tf1 as tf
from common.comparison import blocks, loops, optimizers, table
from common.ending.model import Model

PAGE_REGRESSION = {25: 6.23402166, 50: 8.50733757, 75: 9.37753201, 100: 9.80041122}  # step: A, as the page prints it
PAGE_CLASSIFICATION = {200: 3.59597969, 400: 0.50947344, 600: -0.50994617, 800: -0.76606178, 1000: -0.90859312,
                       1200: -0.86169094, 1400: -1.08486211}


@pytest.fixture
def row(request):
    """Check the verdict and the figure against this test's row of the table."""
    name = request.node.originalname.removeprefix("test_")
    rows = [line.split(" | ") for line in (CHECKOUT / "recipes" / "CLAIMS.md").read_text(encoding="utf-8").splitlines()]
    (_, verdict, figure, _), = (cells for cells in rows if cells[-1] == f"`{name}` |")

    def check(expected_verdict, measured):
        assert (verdict, figure) == (expected_verdict, measured)

    return check


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def least_loss(x, y):
    """The `A` at which the classification's loss over the samples is least, where Σ(sigmoid(x + A) - y) = 0."""
    low, high = -1e3, 1e3
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if np.sum(0.5 + 0.5 * np.tanh((x + middle) / 2) - y) > 0 else (middle, high)
    return middle


def runs(script, rows, count, steps, seed=18):
    """Train `count` runs of each (optimizer, rate) with the compiled loop; returns A [rows, count] and the table."""
    args = SimpleNamespace(runs=count, steps=steps, seed=seed, rows=rows)
    A, figures = [], []
    for pair, (now, loss, arrived, gone, _, _) in zip(
            rows, loops.outcomes(script.main, args, lambda: None, lambda done: None), strict=True):
        A.append(now.astype(np.float64))
        figures.append(table.summary(pair, now, loss, arrived, gone))
    return np.array(A), figures


def samples(script, count, streams):
    """The samples of so many runs that a chunk's streams give: x, y [count, samples]."""
    return (np.array(column) for column in zip(*(script.draw_samples(streams.samples) for _ in range(count)),
                                               strict=True))


def fresh(start, x, y=10):
    """A block of runs that take a fresh sample at each step: x [lanes, steps] in its order."""
    lanes, steps = x.shape
    return blocks.Block(0, np.float32(x), np.full(x.shape, y, np.float32), np.float32(start),
                        np.tile(np.arange(steps, dtype=np.int32)[:, None], lanes), 0, steps)


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


# --- getting ready ---

def test_declaring_an_optimizer_adds_the_terms_of_back_propagation_to_the_graph(row):
    with tf.Graph().as_default() as graph:
        x, y = tf.placeholder(tf.float32, [1]), tf.placeholder(tf.float32, [1])
        loss = regression.graph(x, y, tf.Variable([1.0]))[1]
        before = {op.name for op in graph.get_operations()}
        tf.train.GradientDescentOptimizer(0.02).minimize(loss)
        added = [op for op in graph.get_operations() if op.name not in before]
    update, = (op for op in added if op.type == "ResourceApplyGradientDescent")
    assert update.inputs[2].op.name.startswith("gradients/")
    row("true", f"the operations `gradients/…`, and one {update.type} that they feed")


def test_feeding_data_and_minimizing_changes_the_variable_by_rate_times_gradient(row, tmp_path):
    regression.main(["--steps", "1", "--no-figure", "--output-dir", str(tmp_path)])
    _, x, _, A, _ = read_log(tmp_path / "regression.csv")
    expected = float(A[0]) - 0.02 * 2 * (x[0] * float(A[0]) - 10) * x[0]
    assert A[1] == pytest.approx(expected, rel=1e-6)
    row("true", f"first step of the default run: {A[0]:.4f} to {A[1]:.4f}")


def test_the_regression_samples_have_mean_1_and_standard_deviation_0_1(row):
    x, _ = samples(regression, 1000, data.streams(18))
    assert abs(x.mean() - 1) < 4 * 0.1 / np.sqrt(x.size)
    assert abs(x.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * x.size)
    row("true", f"{x.mean():.4f} and {x.std():.4f} over 1,000 runs' samples")


def test_the_loss_is_the_l2_norm(row):
    with tf.Graph().as_default(), tf.Session() as sess:
        loss = sess.run(regression.graph(*map(tf.constant, ([2.0], [10.0], [3.0])))[1])
    assert loss == (2 * 3 - 10) ** 2  # not |2 * 3 - 10|
    row("loosely true", f"distance 4 gives the loss {loss.item():g}: its square")


def test_in_theory_A_is_10(row):
    rng = np.random.default_rng(0)
    x = np.array([regression.draw_samples(rng)[0] for _ in range(20_000)])
    best = 10 * x.sum(axis=1) / (x**2).sum(axis=1)
    assert best.mean() == pytest.approx(10 / 1.01, abs=4 * 0.1 / np.sqrt(20_000) + 1e-3)  # + terms beyond first order
    assert best.std() == pytest.approx(0.1, abs=0.01)
    x, y = regression.draw_samples(rng)
    grid = np.linspace(9, 11, 20_001)
    least = Model(regression.graph, x, y).least(-10, 30)  # as the script's last line has it
    assert grid[np.argmin([np.mean((x * A - y) ** 2) for A in grid])] == pytest.approx(least, abs=1e-4)
    assert least == pytest.approx(10 * x.sum() / (x**2).sum(), abs=1e-6)
    row("loosely true", f"the loss is least at {best.mean():.2f} ± {best.std():.2f}, and the run goes there")


def test_the_runs_approach_the_least_loss_value_of_their_samples(row):
    A, _ = runs(regression, [("gradient-descent", 0.02)], 1024, 400)
    x, _ = samples(regression, 1024, data.streams(18))
    best = 10 * x.sum(axis=1) / (x**2).sum(axis=1)
    to_best, to_10 = (np.sqrt(np.mean((A[0] - where) ** 2)) for where in (best, 10))
    assert to_best < to_10
    # In the end A scatters around `best` with the variance of a stationary affine process.
    factor, shift = 1 - 0.04 * x**2, 0.4 * x
    scatter = np.mean((factor * best[:, None] + shift - best[:, None]) ** 2, axis=1) / (1 - np.mean(factor**2, axis=1))
    assert to_best**2 == pytest.approx(scatter.mean(), rel=5 * np.sqrt(2 / 1024))
    row("true", f"after 400 steps {to_best:.3f} away from it (r.m.s.), {to_10:.3f} from 10")


def test_the_two_classes_come_from_N_minus_1_1_and_N_3_1(row):
    x, y = samples(classification, 1000, data.streams(18))
    low, high = x[y == 0], x[y == 1]
    np.testing.assert_array_equal(np.sum(y == 0, axis=1), 50)
    for group, mean in ((low, -1), (high, 3)):
        assert group.shape == (1000 * 50,)
        assert abs(group.mean() - mean) < 4 / np.sqrt(group.size)
        assert abs(group.std() - 1) < 4 / np.sqrt(2 * group.size)
    row("true", f"means {low.mean():.3f} and {high.mean():.3f}, deviations {low.std():.3f} and {high.std():.3f}")


def test_A_is_minus_half_the_sum_of_the_means(row):
    # The mean gradient E[sigmoid(x + A) - y] changes its sign at -1, by symmetry; here by integration.
    z = np.linspace(-12, 12, 200_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])

    def gradient(A):
        return np.sum(density * (sigmoid(z - 1 + A) + sigmoid(z + 3 + A) - 1)) / 2

    assert gradient(-1) == pytest.approx(0, abs=1e-9)
    assert gradient(-1.01) < 0 < gradient(-0.99)
    A, _ = runs(classification, [("gradient-descent", 0.05)], 4000, 1400)
    assert abs(A.mean() + 1) < 0.02
    row("true", f"mean {A.mean():.3f} over 4,000 runs")


# --- the regression, step by step ---

def test_the_learning_rate_sets_the_step_and_a_large_one_passes_over_the_minimum(row):
    block, crossings = fresh([0], np.random.default_rng(0).normal(1, 0.1, (1, 20))), {}
    loop = loops.Loop(regression.main, "gradient-descent", block, False)
    for rate in (0.02, 0.9):
        loop.reset(block.start)
        A = [0, *(loop.advance(rate, block, step, step + 1)[0].item() for step in range(20))]
        crossings[rate] = np.sum(np.diff(np.sign(np.array(A) - 10)) != 0)
    assert crossings[0.02] == 0
    assert crossings[0.9] > 5
    block, steps = fresh([0], np.random.default_rng(1).normal(1, 0.1, (1, 1000))), {}
    loop = loops.Loop(regression.main, "gradient-descent", block, False)
    for rate in (0.02, 0.002):
        loop.reset(block.start)
        steps[rate] = loop.advance(rate, block, 0, 1000)[1].item()
        mean = moments(rate, 1000)[:, 0]
        assert steps[rate] == pytest.approx(np.argmax(mean > 9.5), rel=0.1)
    row("true", f"in 20 steps A passes over its target {crossings[0.02]} times at 0.02, {crossings[0.9]} times at 0.9; "
                f"it takes {steps[0.02]} steps at 0.02, {steps[0.002]} at 0.002")


def test_the_rate_has_to_do_with_vanishing_and_exploding_gradients(row):
    # In these graphs the gradient is exact whatever the rate; at the same A no rate changes it.
    x = 1.0
    with tf.Graph().as_default(), tf.Session() as sess:
        A = tf.Variable([2.0])
        loss = regression.graph(tf.constant([x]), tf.constant([10.0]), A)[1]
        gradients = [tf.train.GradientDescentOptimizer(rate).compute_gradients(loss)[0][0] for rate in (0.001, 5.0)]
        sess.run(tf.global_variables_initializer())
        small, large = (value.item() for value in sess.run(gradients))
    assert small == large == 2 * x * (x * 2 - 10)
    row("not true", f"the gradient at A = 2 is {small:g} at the rates 0.001 and 5 alike; it is the step that differs")


def test_the_loop_runs_101_times(row, tmp_path):
    regression.main(["--no-figure", "--output-dir", str(tmp_path)])
    steps, *_ = read_log(tmp_path / "regression.csv")
    page = (CHECKOUT / "tests/golden/page-regression.py").read_text(encoding="utf-8")
    assert "for i in range(100):" in page
    row("not true", f"range(100) gives {len(steps)} steps")


def test_every_step_computes_the_loss_and_changes_the_bias(row):
    # About TensorFlow, on the recipes' graphs.
    for script in SCRIPTS.values():
        with tf.Graph().as_default(), tf.Session() as sess:
            x, y = (tf.placeholder(tf.float32, [1]) for _ in range(2))
            loss = script.graph(x, y, tf.Variable([1.0]))[1]
            train_step = tf.train.GradientDescentOptimizer(0.02).minimize(loss)
            sess.run(tf.global_variables_initializer())
            for fetched in (train_step, loss):
                seen = tf.RunMetadata()
                sess.run(fetched, {x: [1.0], y: [0.0]}, tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), seen)
                ran = {node.node_name for device in seen.step_stats.dev_stats for node in device.node_stats}
                assert "my_output" in ran
                assert (loss.op.name in ran) == (fetched is loss)
    row("loosely true", "a step computes the loss's gradient, the loss only where it is printed; "
                        "in the regression A is a factor")


def test_the_pages_figures_for_the_regression_are_what_its_process_gives(row):
    theory = moments(0.02, 100)
    # A run has 100 samples and not a fresh one a step: that adds the spread of the least-loss value, about 0.1.
    z = [(A - theory[step][0]) / np.sqrt(theory[step][1] + 0.1**2) for step, A in PAGE_REGRESSION.items()]
    assert np.max(np.abs(z)) < 4
    # The recipe's own process is the one that the theory is about.
    args = SimpleNamespace(runs=1024, steps=100, seed=18, rows=[("gradient-descent", 0.02)])
    (_, _, _, _, at, paths), = loops.outcomes(regression.main, args, lambda: None, lambda done: None)
    for step in PAGE_REGRESSION:
        here, deviation = paths[list(at).index(step)], np.sqrt(theory[step][1] + 0.1**2)
        assert abs(here.mean() - theory[step][0]) < 4 * deviation / np.sqrt(1024) + 0.01  # + samples not fresh
        assert 0.9 * np.sqrt(theory[step][1]) < here.std() < 1.1 * deviation
    row("true", f"within {np.max(np.abs(z)):.1f} standard deviations of the closed form at all four reports")


@pytest.mark.parametrize("xla", [False, True])
def test_mean_and_variance_of_A_follow_from_the_moments_of_x(row, xla):
    lanes, steps = 8192, 100
    rng = np.random.default_rng(1)
    x = rng.normal(1, 0.1, (lanes, steps))
    block = fresh(rng.normal(size=lanes), x)
    loop = loops.Loop(regression.main, "gradient-descent", block, xla)
    loop.reset(block.start)
    theory = moments(0.02, steps)
    worst = 0
    every = 5 if xla else 1  # what XLA computes is slow to begin, and `A` depends on all steps before
    for step in range(every, steps + 1, every):
        A = loop.advance(0.02, block, step - every, step)[0].astype(np.float64)
        mean, variance = theory[step]
        worst = max(worst, abs(A.mean() - mean) / np.sqrt(variance / lanes))
        assert A.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / lanes))
    assert worst < 4.5
    row("true", f"A = {theory[100][0]:.3f} ± {np.sqrt(theory[100][1]):.3f} after 100 steps, in theory and over "
                f"{lanes:,} runs")


# --- the classification, step by step ---

def test_A_starts_near_10_and_crosses_to_minus_1(row):
    streams = data.streams(18)
    start = classification.draw_start(streams.start, 1000)
    A, figures = runs(classification, [("gradient-descent", 0.05)], 1000, 1400)
    assert abs(start.mean() - 10) < 4 / np.sqrt(1000)
    assert np.all(A < 0)
    assert np.all(np.abs(A + 1) < 1)
    row("true", f"all of 1,000 runs; half of them are within 0.5 after {figures[0]['steps_to_target']:g} steps")


def test_the_model_needs_no_sigmoid_because_the_loss_applies_it(row):
    rng = np.random.default_rng(0)
    x, y = rng.normal(1, 2, 50), rng.choice([0.0, 1.0], 50)
    with tf.Graph().as_default(), tf.Session() as sess:
        loss = sess.run(classification.graph(tf.constant(x), tf.constant(y), tf.constant(-1.0, tf.float64))[1])[0]
    p = sigmoid(x - 1)
    by_definition = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    twice = sigmoid(p)  # what a sigmoid of the model's own would lead to
    assert np.max(np.abs(loss - by_definition)) < 1e-12
    assert np.max(np.abs(loss + y * np.log(twice) + (1 - y) * np.log(1 - twice))) > 0.1
    row("true", "the loss is the cross entropy of sigmoid(x + A), to 1e-12")


def test_the_loss_needs_an_extra_dimension(row):
    # About TensorFlow alone.
    with tf.Graph().as_default(), tf.Session() as sess:
        logits, labels = tf.constant([0.5]), tf.constant([1.0])
        plain = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
        expanded = tf.nn.sigmoid_cross_entropy_with_logits(
            logits=tf.expand_dims(logits, 0), labels=tf.expand_dims(labels, 0))
        plain, expanded = sess.run([plain, expanded])
    assert plain.shape == (1,)
    assert plain.item() == expanded.item() == pytest.approx(np.log1p(np.exp(-0.5)))
    row("not true", "the same number without expand_dims")


def test_the_variables_may_be_initialized_before_the_optimizer_is_declared(row):
    failed = {}
    for name in ("gradient-descent", "momentum"):
        with tf.Graph().as_default(), tf.Session() as sess:
            loss = classification.graph(tf.constant([1.0]), tf.constant([0.0]), tf.Variable([1.0]))[1]
            sess.run(tf.global_variables_initializer())
            train_step = optimizers.OPTIMIZERS[name](0.05).minimize(loss)
            try:
                sess.run(train_step)
                failed[name] = False
            except tf.errors.OpError:
                failed[name] = True
    assert failed == {"gradient-descent": False, "momentum": True}
    row("loosely true", "works for gradient descent; Momentum's own variable is then uninitialized")


def test_the_classification_takes_some_hundred_samples(row):
    steps = classification.train.__kwdefaults__["steps"]
    assert f"for i in range({steps}):" in (CHECKOUT / "tests/golden/page-classification.py").read_text(encoding="utf-8")
    row("loosely true", f"{steps:,}")


def test_the_pages_figures_for_the_classification_are_what_its_process_gives(row):
    args = SimpleNamespace(runs=1024, steps=1400, seed=18, rows=[("gradient-descent", 0.05)])
    (_, _, _, _, at, paths), = loops.outcomes(classification.main, args, lambda: None, lambda done: None)
    z = [(A - paths[list(at).index(step)].mean()) / paths[list(at).index(step)].std()
         for step, A in PAGE_CLASSIFICATION.items()]
    assert np.max(np.abs(z)) < 4
    row("true", f"within {np.max(np.abs(z)):.1f} standard deviations of 1,024 runs at all seven reports")


# --- how it works ---

def test_both_variables_are_matrices_that_multiply(row):
    kinds = []
    for script in SCRIPTS.values():
        with tf.Graph().as_default() as graph:
            one, A = tf.constant([1.0]), tf.Variable(script.draw_start(np.random.default_rng(0), [1]), dtype=tf.float32)
            assert A.shape == [1]
            script.graph(one, one, A)
        kinds.append(graph.get_operation_by_name("my_output").type)
    assert kinds == ["Mul", "AddV2"]
    row("not true", "A is a vector of one element; it multiplies in the regression and is added in the classification")


def test_both_algorithms_use_gradient_descent(row, tmp_path):
    rates = []
    for script in SCRIPTS.values():
        made = script.main(["--steps", "2", "--no-figure", "--output-dir", str(tmp_path)])
        name, rate = made.made_by()  # as the update in the graph has it
        assert name == "gradient-descent"
        rates.append(float(str(rate)))
    assert rates == [0.02, 0.05]
    row("true", f"rates {rates[0]} and {rates[1]}")


# --- there is more ---

def test_a_smaller_rate_is_slower_but_more_exact_and_a_larger_one_faster_but_less_exact(row):
    A, rows = runs(classification, [("gradient-descent", rate) for rate in (0.05, 0.5, 5.0)], 1000, 1400)
    x, y = samples(classification, 1000, data.streams(18))
    best = np.array([least_loss(*one) for one in zip(x, y, strict=True)])
    assert Model(classification.graph, x[0], y[0]).least(-21, 19) == pytest.approx(best[0], abs=1e-6)
    errors = np.sqrt(np.mean((A - best) ** 2, axis=1))
    steps = [figures["steps_to_target"] for figures in rows]
    assert errors[0] < errors[1] < errors[2]
    assert steps[0] > 5 * steps[1] > 5 * steps[2]
    row("true", "rates 0.05, 0.5, 5: " + ", ".join(f"{step:g}" for step in steps) + " steps to arrive; from the least "
                "loss of their samples they end " + ", ".join(f"{error:.2f}" for error in errors) + " away (r.m.s.)")


def test_a_smaller_rate_gives_the_more_exact_result_in_the_pages_100_steps(row):
    A, rows = runs(regression, [("gradient-descent", rate) for rate in (0.002, 0.02)], 1000, 100)
    assert rows[0]["steps_to_target"] is None
    means = [moments(rate, 100)[-1][0] for rate in (0.002, 0.02)]
    for measured, mean, rate in zip(A.mean(axis=1), means, (0.002, 0.02), strict=True):
        deviation = np.sqrt(moments(rate, 100)[-1][1] + 0.1**2)
        assert abs(measured - mean) < 4 * deviation / np.sqrt(1000) + 0.005  # + 100 samples instead of fresh ones
    row("not true", f"at 0.002 A is only at {A[0].mean():.1f} when the loop ends, at 0.02 at {A[1].mean():.1f}")


def test_if_a_run_is_unstable_a_smaller_rate_makes_it_stable(row):
    _, rows = runs(regression, [("gradient-descent", rate) for rate in (1.2, 0.2)], 1000, 100)
    diverged = [figures["diverged"] for figures in rows]
    assert diverged == [1000, 0]
    row("true", f"{diverged[0]:,} of 1,000 runs diverge at 1.2, {diverged[1]} at 0.2")


def test_the_rates_at_which_the_regression_diverges_are_those_that_theory_names(row):
    # E[1 - 2 rate x^2] leaves [-1, 1] at 1/1.01, and E[(1 - 2 rate x^2)^2] passes 1 at 1.01/1.0603.
    mean_limit, variance_limit = 1 / 1.01, 1.01 / 1.0603
    rng = np.random.default_rng(0)
    x, y = samples(regression, 500, data.Streams(rng, None, None))
    limits = Model(regression.graph, x.ravel(), y.ravel()).limits()  # the limits that the scripts tell and draw
    x = x.ravel()
    assert limits["variance"] == pytest.approx(np.mean(x**2) / np.mean(x**4))
    assert limits["variance"] == pytest.approx(variance_limit, rel=4 * 0.5 / np.sqrt(len(x)))
    assert limits["mean"] == pytest.approx(mean_limit, rel=4 * 0.2 / np.sqrt(len(x)))
    growth = {}
    for rate in (0.9 * variance_limit, 1.1 * variance_limit):
        factor = 1 - 2 * rate * rng.normal(1, 0.1, 1_000_000) ** 2
        growth[rate] = np.mean(factor**2)
    below, above = growth.values()
    assert below < 1 < above
    variance = moments(0.95, 20_000)[-1][1], moments(0.957, 20_000)[-1][1]
    assert variance[0] < 1e5 < variance[1]
    assert abs(1 - 2 * mean_limit * 1.01) == pytest.approx(1)
    block, spread = fresh(np.zeros(8192), rng.normal(1, 0.1, (8192, 100))), {}
    loop = loops.Loop(regression.main, "gradient-descent", block, False)
    for rate in (0.8, 1.05):  # the trajectories themselves: steady below the limits, growing above them
        loop.reset(block.start)
        spread[rate] = [np.median(np.abs(loop.advance(rate, block, at, at + 50)[0] - 10)) for at in (0, 50)]
    assert spread[0.8][1] < 2 * spread[0.8][0]
    assert spread[1.05][1] > 2 * spread[1.05][0]
    row("true", f"variance limit {variance_limit:.3f}, mean limit {mean_limit:.3f}; from step 50 to 100 the "
                "distance to 10 stays the same at the rate 0.8 and grows at the rate 1.05")


def test_a_higher_rate_keeps_the_search_from_stalling(row):
    _, rows = runs(classification, [("gradient-descent", rate) for rate in (0.005, 0.05)], 1000, 1400)
    assert rows[0]["steps_to_target"] is None
    assert rows[1]["steps_to_target"] < 1400
    row("true", f"0.005 never leaves the slope (A = {rows[0]['A_mean']:.1f} at the end), 0.05 arrives after "
                f"{rows[1]['steps_to_target']:g} steps")


def test_momentum_gets_over_the_flat_stretch_sooner_at_the_same_rate(row):
    _, rows = runs(classification, [(name, 0.05) for name in ("gradient-descent", "momentum")], 1000, 1400)
    plain, momentum = (figures["steps_to_target"] for figures in rows)
    # In the long run momentum multiplies the rate by 1 / (1 - 0.9).
    assert 5 < plain / momentum < 15
    row("true", f"{plain:g} steps without, {momentum:g} with momentum 0.9")


def test_the_flat_stretch_is_a_saddle_point(row):
    # One variable has no saddle. The loss is convex: its curvature sigmoid'(x + A) is positive, but nearly 0 at 10.
    streams = data.Streams(np.random.default_rng(0), None, None)
    x, y = (column.ravel() for column in samples(classification, 1000, streams))
    model, curvature = Model(classification.graph, x, y), {}
    for A in (10, -1):  # the difference of the gradients that the recipe's graph has on both sides
        up, down = (np.mean(model.at(x, y, np.full(len(x), A + move))[1]) for move in (1e-3, -1e-3))
        curvature[A] = (up - down) / 2e-3
        assert curvature[A] == pytest.approx(np.mean(sigmoid(x + A) * sigmoid(-x - A)), rel=1e-5)
    assert 0 < curvature[10] < curvature[-1] / 100
    row("not true", f"a convex loss, merely straight far off: curvature {curvature[10]:.1g} at A = 10, "
                    f"{curvature[-1]:.2f} at -1")


def test_adagrad_takes_shorter_steps_the_more_it_has_moved(row):
    # About TensorFlow's optimizer as --optimizer makes it.
    # The step is rate * g / sqrt(0.1 + sum of all g^2): under a constant gradient 1 it shrinks as 1 / sqrt(t).
    with tf.Graph().as_default(), tf.Session() as sess:
        A = tf.Variable([0.0])
        train_step = optimizers.OPTIMIZERS["adagrad"](1.0).minimize(A)
        sess.run(tf.global_variables_initializer())
        path = []
        for _ in range(100):
            sess.run(train_step)
            path.append(sess.run(A).item())
    steps = -np.diff([0.0, *path])
    np.testing.assert_allclose(steps, 1 / np.sqrt(0.1 + np.arange(1, 101)), rtol=2e-5)
    row("true", f"under a constant gradient the first step is {steps[0]:.3f}, the hundredth {steps[-1]:.3f}")


def test_adagrads_steps_die_out_early_at_gradient_descents_own_rates(row):
    far = []
    for script, rate, steps in ((regression, 0.02, 100), (classification, 0.05, 1400)):
        _, (figures,) = runs(script, [("adagrad", rate)], 1000, steps)
        assert figures["steps_to_target"] is None
        far.append(figures["A_mean"])
    row("true", f"A is at {far[0]:.1f} when the regression ends and at {far[1]:.1f} when the classification does")


def test_adadelta_is_the_remedy(row):
    # With tf.train's defaults the first step is at most 0.001 * sqrt(1e-8) / sqrt(0.05) in size.
    moved = []
    for script, steps, rate in ((regression, 100, 1000.0), (classification, 1400, 100.0)):
        (A, tuned), rows = runs(script, [("adadelta", 0.001), ("adadelta", rate)], 1000, steps)
        start = np.float32(script.draw_start(data.streams(18).start, 1000))
        moved.append(np.max(np.abs(A - start)))
        assert moved[-1] < 0.01
        assert rows[1]["steps_to_target"] < steps
        assert abs(np.median(tuned) - script.main.target) < 0.5
    row("not true", f"with its defaults A moves by {moved[0]:.1g} and {moved[1]:.1g} at most; it needs the rates 1000 "
                    "and 100")


def test_adadelta_limits_the_number_of_steps_it_looks_back(row):
    # About TensorFlow alone.
    # It forgets gradually: each step counts 0.95 times the next, so half of the memory is log(0.5)/log(0.95) steps old.
    decay = []
    with tf.Graph().as_default(), tf.Session() as sess:
        A, gradient = tf.Variable([0.0]), tf.placeholder(tf.float32, [1])
        optimizer = tf.train.AdadeltaOptimizer()
        train_step = optimizer.apply_gradients([(gradient, A)])
        sess.run(tf.global_variables_initializer())
        for value in (1.0, 0.0, 0.0):
            sess.run(train_step, {gradient: [value]})
            decay.append(sess.run(optimizer.get_slot(A, "accum")).item())
    np.testing.assert_allclose(decay, [0.05, 0.05 * 0.95, 0.05 * 0.95**2], rtol=1e-6)
    row("loosely true", f"no limit but a memory that fades, by half in {np.log(0.5) / np.log(0.95):.1f} steps")


def test_tensorflow_has_the_named_optimizers_and_others(row):
    for name in ("GradientDescentOptimizer", "MomentumOptimizer", "AdagradOptimizer", "AdadeltaOptimizer"):
        assert issubclass(getattr(tf.train, name), tf.train.Optimizer)
    every = {name for name in dir(tf.train) if name.endswith("Optimizer")} - {"Optimizer", "SyncReplicasOptimizer"}
    assert every == {type(make(0.1)).__name__ for make in optimizers.OPTIMIZERS.values()}
    row("true", f"{len(every)} classes, all of them behind --optimizer")


def test_the_gradient_is_the_chain_rule_worked_out_by_hand(row):
    # x = 1, A = 2, target 10: the output is 2, the loss 64; d loss = 2 (2 - 10) = -16 at the output, times x at A.
    with tf.Graph().as_default(), tf.Session() as sess:
        x, y, A = (tf.constant([value]) for value in (1.0, 10.0, 2.0))
        output, loss = regression.graph(x, y, A)
        values = [value.item() for value in sess.run([output, loss, *tf.gradients(loss, [output, A])])]
    assert values == [2, 64, -16, -16]
    row("true", "for x = 1, A = 2, target 10: output 2, loss 64, gradients -16 and -16")


def test_every_claim_has_its_row():
    rows = [line.split("`")[-2] for line in (CHECKOUT / "recipes/CLAIMS.md").read_text(encoding="utf-8").splitlines()
            if line.endswith("` |")]
    tests = [name.removeprefix("test_") for name in globals() if name.startswith("test_")]
    assert rows == [name for name in tests if name != "every_claim_has_its_row"]
