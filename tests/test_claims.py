"""Every claim of the page, in its order: what is true, measured, with expected values from theory or from numpy.

Each test checks one row of `recipes/CLAIMS.md`, which quotes the verdict and the figure that the test finds. The
figures of many runs are those of the tables in `outputs/reference/`, which test_documents.py holds to what the program
gives.
"""

import re

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, once, samples
from theory import many_samples, moments, paths, rates, sigmoid, table, under_constant_gradient

from common import tf1 as tf
from common.comparison.optimizers import OPTIMIZERS

ENGLISH, CHINESE = (CHECKOUT / f"recipes/CLAIMS{language}.md" for language in ("", ".zh-CN"))
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
PAGE_REGRESSION = {25: 6.23402166, 50: 8.50733757, 75: 9.37753201, 100: 9.80041122}  # step: A, as the page prints it
PAGE_CLASSIFICATION = {200: 3.59597969, 400: 0.50947344, 600: -0.50994617, 800: -0.76606178, 1000: -0.90859312,
                       1200: -0.86169094, 1400: -1.08486211}


def row_of(page, test):
    """The verdict and the figure in the row of a test in a table of claims."""
    line, = (line for line in page.read_text(encoding="utf-8").splitlines() if line.endswith(f" | `{test}` |"))
    return tuple(line.split(" | ")[1:3])


@pytest.fixture
def row(request):
    """Check the verdict and the figure against this test's row, and the numbers against the Chinese one."""
    test = request.node.originalname.removeprefix("test_")

    def check(verdict, measured):
        assert row_of(ENGLISH, test) == (verdict, measured)
        if CHINESE.exists():
            assert NUMBER.findall(row_of(CHINESE, test)[1]) == NUMBER.findall(measured)

    return check


def trained(script, words=""):
    """The log of a single run, which has the session with the graph."""
    return once(script.__name__, *words.split())[0]


def operation(log, kind):
    """The one operation of a type in a run's graph."""
    found, = (op for op in log.session.graph.get_operations() if op.type == kind)
    return found


# --- getting ready ---

def test_declaring_an_optimizer_adds_the_terms_of_back_propagation_to_the_graph(row):
    update = operation(trained(regression), "ResourceApplyGradientDescent")
    assert update.inputs[2].op.name.startswith("gradients/")
    row("true", f"the operations `gradients/…`, and one {update.type} that they feed")


def test_feeding_data_and_minimizing_changes_the_variable_by_rate_times_gradient(row):
    log = trained(regression)
    start, x = float(log.A[0]), float(log.x[0])
    assert log.A[1] == pytest.approx(start - 0.02 * 2 * (x * start - 10) * x, rel=1e-6)
    row("true", f"first step of the default run: {start:.4f} to {log.A[1]:.4f}")


def test_the_regression_samples_have_mean_1_and_standard_deviation_0_1(row):
    x, _ = many_samples(regression, 1000)
    assert abs(x.mean() - 1) < 4 * 0.1 / np.sqrt(x.size)
    assert abs(x.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * x.size)
    row("true", f"{x.mean():.4f} and {x.std():.4f} over 1,000 runs' samples")


def test_the_loss_is_the_l2_norm(row):
    loss = trained(regression).session.run("loss:0", {"my_output:0": [6.], "y_target:0": [10.]})
    assert loss == (6 - 10) ** 2  # not |6 - 10|
    row("loosely true", f"distance 4 gives the loss {loss.item():g}: its square")


def test_in_theory_A_is_10(row):
    x, _ = many_samples(regression, 20_000)
    best = 10 * x.sum(axis=1) / (x**2).sum(axis=1)
    assert best.mean() == pytest.approx(10 / 1.01, abs=4 * 0.1 / np.sqrt(20_000) + 1e-3)  # + terms beyond first order
    assert best.std() == pytest.approx(0.1, abs=0.01)
    x = samples(regression, 8)[0]
    assert f"at A = {10 * x.sum() / (x**2).sum():.4f}" in once("regression", "--seed", "8")[1]
    row("loosely true", f"the loss is least at {best.mean():.2f} ± {best.std():.2f}, and the run goes there")


def test_the_runs_approach_the_least_loss_value_of_their_samples(row):
    A, x = paths(regression, 0.02, 1024, 400)
    best = 10 * x.sum(axis=1) / (x**2).sum(axis=1)
    to_best, to_10 = (np.sqrt(np.mean((A[-1] - where) ** 2)) for where in (best, 10))
    assert to_best < to_10
    # In the end A scatters around `best` with the variance of a stationary affine process.
    factor, shift = 1 - 0.04 * x**2, 0.4 * x
    scatter = np.mean((factor * best[:, None] + shift - best[:, None]) ** 2, axis=1) / (1 - np.mean(factor**2, axis=1))
    assert to_best**2 == pytest.approx(scatter.mean(), rel=5 * np.sqrt(2 / 1024))
    row("true", f"after 400 steps {to_best:.3f} away from it (r.m.s.), {to_10:.3f} from 10")


def test_the_two_classes_come_from_N_minus_1_1_and_N_3_1(row):
    x, y = many_samples(classification, 1000)
    np.testing.assert_array_equal(np.sum(y == 0, axis=1), 50)
    low, high = x[y == 0], x[y == 1]
    for group, mean in ((low, -1), (high, 3)):
        assert abs(group.mean() - mean) < 4 / np.sqrt(group.size)
        assert abs(group.std() - 1) < 4 / np.sqrt(2 * group.size)
    row("true", f"means {low.mean():.3f} and {high.mean():.3f}, deviations {low.std():.3f} and {high.std():.3f}")


def test_A_is_minus_half_the_sum_of_the_means(row):
    # The mean gradient E[sigmoid(x + A) - y] changes its sign at -1, by symmetry; here by integration.
    z = np.linspace(-12, 12, 200_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    low, at, high = (np.sum(density * (sigmoid(z - 1 + A) + sigmoid(z + 3 + A) - 1)) / 2 for A in (-1.01, -1, -0.99))
    assert low < 0 < high
    assert at == pytest.approx(0, abs=1e-9)
    mean = rates("classification-rates")[0.05]["A_mean"]
    assert abs(mean + 1) < 0.02
    row("true", f"mean {mean:.3f} over 1,000 runs")


# --- the regression, step by step ---

def test_the_learning_rate_sets_the_step_and_a_large_one_passes_over_the_minimum(row):
    log = {"0.02": trained(regression), "0.9": trained(regression, "--learning-rate 0.9 --steps 20"),
           "0.002": trained(regression, "--learning-rate 0.002 --steps 1200 --report-every 1200")}
    crossings = {rate: np.sum(np.diff(np.sign(log[rate].A[:21] - 10)) != 0) for rate in ("0.02", "0.9")}
    assert crossings["0.02"] == 0
    assert crossings["0.9"] > 5
    steps = {}
    for rate in ("0.02", "0.002"):
        steps[rate], theory = np.argmax(np.abs(log[rate].A - 10) < 0.5), moments(float(rate), 1200, log[rate].A[0])
        assert steps[rate] == pytest.approx(np.argmax(theory[:, 0] > 9.5), rel=0.2)
    row("true", f"in 20 steps of the default run A passes over its target {crossings['0.02']} times at 0.02, "
                f"{crossings['0.9']} times at 0.9; it takes {steps['0.02']} steps at 0.02, {steps['0.002']} at 0.002")


def test_the_rate_has_to_do_with_vanishing_and_exploding_gradients(row):
    # The gradient that the update is given, at A = 2, x = 1: no rate changes it.
    gradients = []
    for rate in (0.001, 5):
        log = trained(regression, f"--learning-rate {rate} --steps 1")
        update = operation(log, "ResourceApplyGradientDescent")
        feed = {"x_data:0": [1.], "my_output:0": [2.], "y_target:0": [10.]}
        alpha, gradient = log.session.run([update.inputs[1], update.inputs[2]], feed)
        assert alpha == np.float32(rate)
        gradients.append(gradient.item())
    assert gradients == [-16, -16]
    row("not true", f"the gradient at A = 2 is {gradients[0]:g} at the rates 0.001 and 5 alike; the step differs")


def test_the_loop_runs_101_times(row):
    assert "for i in range(100):" in (CHECKOUT / "tests/golden/page-regression.py").read_text(encoding="utf-8")
    row("not true", f"range(100) gives {len(trained(regression))} steps")


def test_every_step_computes_the_loss_and_changes_the_bias(row):
    for script, loss in ((regression, "loss"), (classification, "xentropy")):
        log = trained(script, "--steps 1")
        for fetched in ("GradientDescent", f"{loss}:0"):
            seen = tf.RunMetadata()
            log.session.run(fetched, {"x_data:0": [1.], "y_target:0": [0.]},
                            tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), seen)
            ran = {node.node_name for device in seen.step_stats.dev_stats for node in device.node_stats}
            assert "my_output" in ran
            assert (loss in ran) == (fetched == f"{loss}:0")
    row("loosely true", "a step computes the loss's gradient, the loss only where it is printed; "
                        "in the regression A is a factor")


def test_the_pages_figures_for_the_regression_are_what_its_process_gives(row):
    theory = moments(0.02, 100)
    # A run has 100 samples and not a fresh one a step: that adds the spread of the least-loss value, about 0.1.
    z = [(A - theory[step][0]) / np.sqrt(theory[step][1] + 0.1**2) for step, A in PAGE_REGRESSION.items()]
    assert np.max(np.abs(z)) < 4
    row("true", f"within {np.max(np.abs(z)):.1f} standard deviations of the closed form at all four reports")


def test_mean_and_variance_of_A_follow_from_the_moments_of_x(row):
    (mean, variance), ours = moments(0.02, 100)[-1], rates("regression-rates")[0.02]
    deviation = np.sqrt(variance + 0.1**2)
    assert abs(ours["A_mean"] - mean) < 4 * deviation / np.sqrt(1000) + 0.005  # + 100 samples instead of fresh ones
    assert np.sqrt(variance) < ours["A_sd"] < deviation
    row("true", f"A = {mean:.3f} ± {np.sqrt(variance):.3f} after 100 steps in theory; {ours['A_mean']:.3f} ± "
                f"{ours['A_sd']:.3f} over 1,000 runs, whose sets of samples differ too")


# --- the classification, step by step ---

def test_A_starts_near_10_and_crosses_to_minus_1(row):
    ours = rates("classification-rates")[0.05]
    assert abs(trained(classification).A[0] - 10) < 4
    assert ours["diverged"] == 0
    assert -1.5 < ours["A_p05"] < -1 < ours["A_p95"] < -0.5
    row("true", f"90% of 1,000 runs end between {ours['A_p05']:.2f} and {ours['A_p95']:.2f}; half of them are within "
                f"0.5 after {ours['steps_to_target']:g} steps")


def test_the_model_needs_no_sigmoid_because_the_loss_applies_it(row):
    session = trained(classification).session
    for z, y in ((-3., 0.), (-3., 1.), (0.5, 1.), (2., 0.)):
        p = sigmoid(z)
        loss = session.run("xentropy:0", {"my_output:0": [z], "y_target:0": [y]}).item()
        assert loss == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)), abs=1e-6)
        assert abs(loss + y * np.log(sigmoid(p)) + (1 - y) * np.log(1 - sigmoid(p))) > 0.02  # with a sigmoid more
    row("true", "the loss is the cross entropy of sigmoid(x + A), to 1e-6")


def test_the_loss_needs_an_extra_dimension(row):
    with tf.Graph().as_default(), tf.Session() as sess:  # about TensorFlow alone
        logits, labels = tf.constant([0.5]), tf.constant([1.0])
        plain = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
        expanded = tf.nn.sigmoid_cross_entropy_with_logits(
            logits=tf.expand_dims(logits, 0), labels=tf.expand_dims(labels, 0))
        plain, expanded = sess.run([plain, expanded])
    assert plain.shape == (1,)
    assert plain.item() == expanded.item() == pytest.approx(np.log1p(np.exp(-0.5)))
    row("not true", "the same number without expand_dims")


def test_the_variables_may_be_initialized_before_the_optimizer_is_declared(row):
    works = []
    for name, optimizer in OPTIMIZERS.items():
        with tf.Graph().as_default(), tf.Session() as sess:
            loss = tf.square(tf.Variable([1.0]))
            sess.run(tf.global_variables_initializer())
            train_step = optimizer(0.05).minimize(loss)
            try:
                sess.run(train_step)
            except tf.errors.OpError:
                continue
            works.append(name)
    assert works == ["gradient-descent", "proximal-gradient-descent"]
    row("loosely true", f"works for {len(works)} optimizers of {len(OPTIMIZERS)}; the others have own variables")


def test_the_classification_takes_samples_hundreds_of_times(row):
    assert "for i in range(1400):" in (CHECKOUT / "tests/golden/page-classification.py").read_text(encoding="utf-8")
    row("true", f"{len(trained(classification)):,} times")


def test_the_pages_figures_for_the_classification_are_what_its_process_gives(row):
    A, _ = paths(classification, 0.05, 1024, 1400)
    ours = rates("classification-rates")[0.05]
    assert A[-1].mean() == pytest.approx(ours["A_mean"], abs=0.03)  # the program's process is the one in numpy
    assert A[-1].std() == pytest.approx(ours["A_sd"], abs=0.02)
    z = [(value - A[step].mean()) / A[step].std() for step, value in PAGE_CLASSIFICATION.items()]
    assert np.max(np.abs(z)) < 4
    row("true", f"within {np.max(np.abs(z)):.1f} standard deviations of 1,024 runs at all seven reports")


# --- how it works ---

def test_both_variables_are_matrices_that_multiply(row):
    graphs = [trained(script, "--steps 1").session.graph for script in (regression, classification)]
    assert [graph.get_collection("trainable_variables")[0].shape for graph in graphs] == [[1], [1]]
    assert [graph.get_operation_by_name("my_output").type for graph in graphs] == ["Mul", "AddV2"]
    row("not true", "A is a vector of one element; it multiplies in the regression and is added in the classification")


def test_both_algorithms_use_gradient_descent(row):
    updates = [operation(trained(script, "--steps 1"), "ResourceApplyGradientDescent")
               for script in (regression, classification)]
    found = [float(str(tf.get_static_value(update.inputs[1]))) for update in updates]
    assert found == [0.02, 0.05]
    row("true", f"rates {found[0]} and {found[1]}")


# --- there is more ---

def test_a_smaller_rate_is_slower_but_more_exact_and_a_larger_one_faster_but_less_exact(row):
    ours = [rates("classification-rates")[rate] for rate in (0.05, 0.2, 1, 5)]
    steps, scatter, losses = ([each[name] for each in ours] for name in ("steps_to_target", "A_sd", "loss_mean"))
    assert steps == sorted(steps, reverse=True)
    assert (scatter, losses) == (sorted(scatter), sorted(losses))
    row("true", f"classification, rates 0.05, 0.2, 1, 5: {', '.join(f'{each:g}' for each in steps)} steps to arrive; "
                f"at the end A scatters by {', '.join(f'{each:.2f}' for each in scatter)}")


def test_a_smaller_rate_gives_the_more_exact_result_in_the_pages_100_steps(row):
    small, large = (rates("regression-rates")[rate]["A_mean"] for rate in (0.002, 0.02))
    assert small == pytest.approx(moments(0.002, 100)[-1][0], abs=0.1)
    row("not true", f"at 0.002 A is only at {small:.1f} when the loop ends, at 0.02 at {large:.1f}")


def test_if_a_run_is_unstable_a_smaller_rate_makes_it_stable(row):
    large, small = (int(rates("regression-rates")[rate]["diverged"]) for rate in (1.2, 0.2))
    assert (large, small) == (1000, 0)
    row("true", f"{large:,} of 1,000 runs diverge at 1.2, {small} at 0.2")


def test_the_rate_at_which_the_regression_diverges_is_the_one_that_theory_names(row):
    limit = 1.01 / 1.0603  # beyond, E[(1 - 2 rate x^2)^2] > 1
    x = np.random.default_rng(0).normal(1, 0.1, 1_000_000)
    below, above = (np.mean((1 - 2 * rate * x**2) ** 2) for rate in (0.99 * limit, 1.01 * limit))
    assert below < 1 < above
    variances = [moments(rate, 20_000)[-1][1] for rate in (0.95, 0.957)]
    assert variances[0] < 1e5 < variances[1]
    x = samples(regression, 605)[0]
    own = np.mean(x**2) / np.mean(x**4)
    assert f"stable below {own:.3f}" in once("regression", "--learning-rate", "1.2")[1]
    row("true", f"{limit:.3f} for N(1, 0.1), {own:.3f} for the samples of the default run")


def test_a_higher_rate_keeps_the_search_from_stalling(row):
    small, large = (rates("classification-rates")[rate] for rate in (0.005, 0.05))
    assert small["steps_to_target"] is None
    row("true", f"0.005 never leaves the slope (A = {small['A_mean']:.1f} at the end), 0.05 arrives after "
                f"{large['steps_to_target']:g} steps")


def test_momentum_gets_over_the_flat_stretch_sooner_at_the_same_rate(row):
    plain, momentum = (table("classification-same-rate")[name, 0.05]["steps_to_target"]
                       for name in ("gradient-descent", "momentum"))
    assert 5 < plain / momentum < 15  # in the long run momentum multiplies the rate by 1 / (1 - 0.9)
    row("true", f"{plain:g} steps without, {momentum:g} with momentum 0.9")


def test_the_flat_stretch_is_a_saddle_point(row):
    # One variable has no saddle. The loss is convex: its curvature sigmoid'(x + A) is positive, but nearly 0 at 10.
    x, y = samples(classification, 605)
    session, curvature = trained(classification).session, {}
    gradient = operation(trained(classification), "ResourceApplyGradientDescent").inputs[2]
    for A in (10, -1):  # the difference of the gradients that the recipe's graph has on both sides
        down, up = (np.mean([session.run(gradient, {"my_output:0": [each + at], "y_target:0": [label]})
                             for each, label in zip(x, y, strict=True)]) for at in (A - 0.05, A + 0.05))
        curvature[A] = (up - down) / 0.1
        assert curvature[A] == pytest.approx(np.mean(sigmoid(x + A) * sigmoid(-x - A)), rel=1e-2)
    assert 0 < curvature[10] < curvature[-1] / 100
    row("not true", f"a convex loss, merely straight far off: curvature {curvature[10]:.1g} at A = 10, "
                    f"{curvature[-1]:.2f} at -1")


def test_adagrad_takes_shorter_steps_the_more_it_has_moved(row):
    # The step is rate * g / sqrt(0.1 + sum of all g^2): under a constant gradient 1 it shrinks as 1 / sqrt(t).
    steps = -np.diff(under_constant_gradient("adagrad", 1.0, 100))
    np.testing.assert_allclose(steps, 1 / np.sqrt(0.1 + np.arange(1, 101)), rtol=2e-5)
    row("true", f"under a constant gradient the first step is {steps[0]:.3f}, the hundredth {steps[-1]:.3f}")


def test_adagrads_steps_die_out_early_at_gradient_descents_own_rates(row):
    far = [trained(regression, "--optimizer adagrad --learning-rate 0.02").A[-1],
           trained(classification, "--optimizer adagrad --learning-rate 0.05").A[-1]]
    assert far[0] < 2
    assert far[1] == pytest.approx(table("classification-same-rate")["adagrad", 0.05]["A_mean"], abs=3)
    row("true", f"from the default start A is at {far[0]:.1f} when the regression ends and at {far[1]:.1f} when the "
                "classification does")


def test_adadelta_is_the_remedy(row):
    moved = []
    for script, steps, rate in ((regression, 100, 1000.0), (classification, 1400, 100.0)):
        A = trained(script, "--optimizer adadelta --learning-rate 0.001").A.astype(float)
        moved.append(np.max(np.abs(A - A[0])))
        assert moved[-1] < 0.01
        tuned = table(f"{script.__name__}-optimizers")["adadelta", rate]
        assert tuned["steps_to_target"] < steps
        assert abs(tuned["A_p50"] - script.main.target) < 0.5
    first = under_constant_gradient("adadelta", 100, 1, slope=20.)[1] / 100
    assert first == pytest.approx(-np.sqrt(1e-8) / np.sqrt(0.05), rel=1e-3)  # 4.5e-4, whatever the gradient
    row("not true", f"with TensorFlow's default rate A moves by {moved[0]:.1g} and {moved[1]:.1g} at most; it needs "
                    "the rates 1000 and 100")


def test_adadelta_limits_the_number_of_steps_it_looks_back(row):
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
    every = {name for name in dir(tf.train) if name.endswith("Optimizer")} - {"Optimizer", "SyncReplicasOptimizer"}
    assert every >= {f"{name}Optimizer" for name in ("GradientDescent", "Momentum", "Adagrad", "Adadelta")}
    with tf.Graph().as_default():
        assert every == {type(make(0.1)).__name__ for make in OPTIMIZERS.values()}
    row("true", f"{len(every)} classes, all of them behind --optimizer")


def test_the_gradient_is_the_chain_rule_worked_out_by_hand(row):
    # x = 1, A = 2, target 10: the output is 2, the loss 64; d loss = 2 (2 - 10) = -16 at the output, times x at A.
    log = trained(regression, "--steps 3")
    A, = log.session.graph.get_collection("trainable_variables")
    A.load([2.], log.session)
    gradient = operation(log, "ResourceApplyGradientDescent").inputs[2]
    values = log.session.run(["my_output:0", "loss:0", gradient], {"x_data:0": [1.], "y_target:0": [10.]})
    assert [value.item() for value in values] == [2, 64, -16]
    row("true", "for x = 1, A = 2, target 10: output 2, loss 64, gradient -16")


def test_every_claim_has_its_row_and_the_documents_count_them():
    claims = ENGLISH.read_text(encoding="utf-8")
    rows = [line.split("`")[-2] for line in claims.splitlines() if line.endswith("` |")]
    assert rows == [name.removeprefix("test_") for name in globals() if name.startswith("test_")][:-1]
    counts = [claims.count(f"| {verdict} |") for verdict in ("true", "loosely true", "not true")]
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert "has a test: {} are true, {} loosely true, {} not.".format(*counts) in readme
    _, wrong, loosely = claims.partition("\n| ")[0].split("true:\n")
    outside = [line for line in claims.splitlines() if line.startswith("| ") and not line.startswith("| (")]
    assert wrong.count("\n- ") == sum("| not true |" in line for line in outside)
    assert loosely.count("\n- ") == sum("| loosely true |" in line for line in outside)
