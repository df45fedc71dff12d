"""What the walkthrough says beyond the page, checked against calculations of its own.

Each test quotes the sentence or the figure that it is about, so that neither can change without the other.
"""

import re
from types import SimpleNamespace

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, read_log
from test_claims import moments, runs, samples, sigmoid

from common import data, graphs
from common import tf1 as tf
from common.backprop.memory import UPDATES, Memory
from common.comparison import loops, optimizers
from common.ending.model import Model
from common.pictures import animation

TEXT = " ".join((CHECKOUT / "recipes/README.md").read_text(encoding="utf-8").split())
SERIES = [float(f"{factor}e{power}") for power in range(-5, 6) for factor in (1, 2, 5)]
STEPS = {"regression": 100, "classification": 1400}


def says(*sentences):
    """Demand that the walkthrough says so, in these words."""
    for sentence in sentences:
        assert sentence in TEXT, sentence


def defaults(recipe):
    own = {"regression": 0.02, "classification": 0.05}[recipe]
    assert SCRIPTS[recipe].train.__kwdefaults__["learning_rate"] == own
    return optimizers.rates(recipe, own)


def steps_up(rate, number):
    """The rate so many places up in 1, 2, 5, 10, …"""
    return SERIES[SERIES.index(rate) + number]


# --- the default rates ---

# The recipe and optimizer whose default is the rate above the one with the least loss.
ONE_UP = {("regression", "momentum"), ("regression", "nesterov"), ("classification", "adagrad-da"),
          ("classification", "adadelta"), ("classification", "adam")}
# These two are others again when nothing is regularized: the same rows, number for number.
TWINS = {"proximal-gradient-descent": "gradient-descent", "proximal-adagrad": "adagrad"}


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_each_default_is_the_rate_with_the_least_loss_or_the_one_above_it(recipe):
    says("Each default is the rate of 1, 2, 5, 10, … (times a power of ten) with the least `loss_mean`, or the next "
         "larger one. At each of them at least 95% of 1,000 runs arrive in time.", "for 17 of the 22",
         "at most 2.5% above, for momentum and Nesterov in the regression and for Adagrad-DA, Adadelta and Adam in the "
         "classification, where the runs arrive sooner for it",
         "Then the proximal ones are gradient descent and Adagrad.")
    assert len(ONE_UP) == 22 - 17
    rates = defaults(recipe)
    rows = [(name, steps_up(rate, number)) for name, rate in rates.items()
            for number in ([0] if name in TWINS else [-2, -1, 0, 1] if (recipe, name) in ONE_UP else [-1, 0, 1])]
    args = SimpleNamespace(runs=1000, steps=STEPS[recipe], seed=18, rows=rows)
    last_A, loss, steps = {}, {}, {}
    for row, (A, losses, arrived, gone, _, _) in zip(rows, loops.outcomes(
            SCRIPTS[recipe].main, args, lambda: None, lambda done: None), strict=True):
        assert not gone.any()
        last_A[row], loss[row] = A.copy(), losses.mean(dtype=np.float64)
        steps[row] = np.median(np.where(arrived > 0, arrived, np.inf))
        if rates[row[0]] == row[1]:
            assert np.mean(arrived > 0) >= 0.95, row
            assert abs(np.median(A) - SCRIPTS[recipe].main.target) < 0.5, row
    for name, rate in rates.items():
        if name in TWINS:
            assert rates[TWINS[name]] == rate
            np.testing.assert_array_equal(last_A[name, rate], last_A[TWINS[name], rate])
            continue
        least = min((row for row in rows if row[0] == name), key=loss.get)
        assert least == (name, steps_up(rate, -((recipe, name) in ONE_UP)))
        assert loss[name, rate] <= 1.025 * loss[least]
        assert steps[name, rate] <= steps[least]


# --- the update rules ---

def one_update(optimizer, rate, start, slope, steps=1):
    """`A` after each step under a constant gradient: float64 [steps + 1]."""
    with tf.Graph().as_default(), tf.Session() as sess:
        A = tf.Variable([start], dtype=tf.float32)
        train_step = optimizers.OPTIMIZERS[optimizer](rate).minimize(slope * A)
        sess.run(tf.global_variables_initializer())
        way = [start]
        for _ in range(steps):
            sess.run(train_step)
            way.append(sess.run(A).item())
    return np.array(way)


@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS)
def test_the_table_has_each_update_rule_and_what_it_starts_with(optimizer):
    with tf.Graph().as_default(), tf.Session() as sess:
        A = tf.Variable([0.5])
        train_step = optimizers.OPTIMIZERS[optimizer](0.05).minimize(tf.square(A))
        sess.run(tf.global_variables_initializer())
        memory = Memory(train_step, A)
        before = memory.read(sess)
    row, = re.findall(rf"\| `{optimizer}` \| ([^|]*) \| ([^|]*) \|", TEXT)
    remembers, update = row
    assert re.findall("`([^`]+ = [^`]+)`", update) == UPDATES[memory.kind][1]
    named = dict(re.findall(r"`(\w+)` \(([\d.]+)\)", remembers))
    assert bool(named) == (remembers != "nothing")
    for name, value in named.items():
        assert before[name] == pytest.approx(float(value)), name
    changed = {formula.split("' = ")[0] for formula in UPDATES[memory.kind][1] if "' = " in formula} - {"A"}
    assert set(named) == changed | ({"beta1_power", "beta2_power"} & set(before))
    for name, value in re.findall(r"(rho|epsilon|momentum|beta1|beta2) (\d[\de.-]*\d|\d)(?=[;, ]|$)", update):
        assert before[name] == pytest.approx(float(value)), name


def test_adadeltas_first_step_is_the_rate_times_4_47e_4_whatever_the_gradient_unless_it_is_tiny():
    says("its first step is rate·√ε/√(1 − ρ) = 4.47e-4 times the rate, whatever the gradient, as long as that is well "
         "above 4.47e-4 itself (below, as after a sample of class 1, the step is shorter still): 2e-5 here, 4e-7 at "
         "the default 0.001 of TensorFlow")
    assert f"{np.sqrt(1e-8) / np.sqrt(1 - 0.95):.2e}" == "4.47e-04"
    for slope in (-20.0, -0.1, 1.0, 20.0):
        _, A = one_update("adadelta", 100, 0.0, slope)
        assert -np.sign(slope) * A / 100 == pytest.approx(4.4721e-4, rel=1e-4)
    stream = data.streams(18)
    x, y = samples(classification, 1000, stream)
    gradient = sigmoid(x + stream.start.normal(10, size=(1000, 1))) - y
    assert np.median(np.abs(gradient[y == 1])) < 4.47e-5
    assert np.min(gradient[y == 0]) > 4.47e-3
    assert one_update("adadelta", 100, 0.0, 4.47e-5)[1] == pytest.approx(-100 * 4.47e-5, rel=0.01)
    assert f"{0.05 * 4.4721e-4:.0e} {0.001 * 4.4721e-4:.0e}" == "2e-05 4e-07"
    with tf.Graph().as_default():
        step = tf.train.AdadeltaOptimizer().minimize(tf.Variable([1.0]))
        update = next(op for op in step.graph.get_operations() if op.type == "ResourceApplyAdadelta")
        constants = {name: tf.get_static_value(tensor) for name, tensor in graphs.inputs(update).items()}
    assert constants["lr"] == np.float32(0.001)


def test_ftrl_is_adagrad_but_for_its_first_step_which_takes_away_a_part_of_the_start():
    says("**FTRL** is Adagrad but for its first step, which also takes away the part √(0.1/(0.1 + gradient²)) of the "
         "start: all of it after a sample of class 1, 30% after one of class 0, and about 1.6% in the regression.")
    for slope, start in ((1.0, 10.0), (-0.3, 4.0), (-20.0, 0.3)):
        part = np.sqrt(0.1 / (0.1 + slope**2))
        ftrl, adagrad = (one_update(name, 0.5, start, slope, 4) for name in ("ftrl", "adagrad"))
        np.testing.assert_allclose(np.diff(ftrl)[0], np.diff(adagrad)[0] - part * start, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.diff(ftrl)[1:], np.diff(adagrad)[1:], rtol=1e-4, atol=1e-5)
    (A,), _ = runs(classification, [("ftrl", 0.5)], 1000, 1)
    stream = data.streams(18)
    x, y = samples(classification, 1000, stream)
    picks = np.empty((1, data.CHUNK), np.int32)
    start = stream.start.normal(10, size=data.CHUNK)[:1000]
    data.draw_picks(stream.picks, 100, picks)
    x, y = (values[np.arange(1000), picks[0, :1000]] for values in (x, y))
    gradient = sigmoid(x + start) - y
    part = np.sqrt(0.1 / (0.1 + gradient**2))
    np.testing.assert_allclose(A, start * (1 - part) - 0.5 * gradient / np.sqrt(0.1 + gradient**2), atol=2e-5)
    assert np.min(part[y == 1]) > 0.999
    assert np.median(part[y == 0]) == pytest.approx(0.30, abs=0.005)
    assert np.sqrt(0.1 / (0.1 + 20**2)) == pytest.approx(0.016, abs=0.0005)


def test_adagrad_da_forgets_the_start():
    says("**Adagrad-DA** computes `A` from the sum of the gradients alone; the start does not count. After the first "
         "step `A` is about −0.95 or about 0 in the classification, by the class of the sample")
    ways = [one_update("adagrad-da", 1.0, start, 1.0, 3)[1:] for start in (10.0, -5.0)]
    np.testing.assert_allclose(ways[0], ways[1], rtol=1e-6)
    t = np.arange(1, 4)
    np.testing.assert_allclose(ways[0], -t / np.sqrt(0.1 + t), rtol=1e-6)
    assert ways[0][0] == pytest.approx(-0.95, abs=0.005)
    (A,), _ = runs(classification, [("adagrad-da", 1.0)], 1000, 1)
    near = [np.mean(np.abs(A - value) < 0.02) for value in (-0.95, 0.0)]
    assert sum(near) > 0.98
    assert near[0] == pytest.approx(0.5, abs=0.06)


def test_momentums_steps_add_up_to_ten_times_their_length():
    says("Steps in one direction add up to ten times their length.")
    assert np.diff(one_update("momentum", 0.01, 0.0, 1.0, 200))[-1] == pytest.approx(-0.1, rel=1e-4)


# --- the rates at which the regression diverges, and the quickest ---

def growth(rate, x, weights):
    """E[log|1 - 2·rate·x²|] over the values x with these weights."""
    return np.sum(weights * np.log(np.abs(1 - 2 * rate * x**2)))


def test_the_three_limits_are_those_of_the_formulas_and_of_the_numerical_integration():
    says("| the mean of `A` over many runs | E[f] = 1 − 2.02·rate < −1 | 1/1.01 = 0.990 |",
         "| its variance | E[f²] = 1 − 4.04·rate + 4.2412·rate² > 1 | 1.01/1.0603 = 0.953 |",
         "| 1.036 (by numerical integration) |")
    assert (f"{1 / 1.01:.3f}", f"{1.01 / 1.0603:.3f}") == ("0.990", "0.953")
    # The midpoint rule over ±7 standard deviations; the logarithm's pole can be integrated over.
    x = 1 + 0.1 * (-7 + 14 * (np.arange(400_000) + 0.5) / 400_000)
    weights = np.exp(-((x - 1) / 0.1) ** 2 / 2)
    weights /= weights.sum()
    assert np.sum(weights * x**2) == pytest.approx(1.01)
    assert np.sum(weights * x**4) == pytest.approx(1.0603)
    assert growth(1.0355, x, weights) < 0 < growth(1.0365, x, weights)
    assert growth(0.97, x, weights) == pytest.approx(-0.147, abs=0.0005)  # both in exercise 6
    assert growth(1.05, x, weights) == pytest.approx(0.028, abs=0.0005)

    x_vals = np.random.default_rng(1).normal(1, 0.1, 100_000)
    limits = Model(regression.graph, x_vals, np.full(100_000, 10.0)).limits()
    h = 2 * x_vals**2
    assert limits["mean"] == pytest.approx(2 / h.mean())
    assert limits["variance"] == pytest.approx(2 * h.mean() / np.mean(h**2))
    assert limits["mean"] == pytest.approx(0.990, abs=0.002)
    assert limits["variance"] == pytest.approx(0.953, abs=0.003)
    assert limits["typical"] == pytest.approx(1.036, abs=0.003)
    near = [np.mean(np.log(np.abs(1 - (limits["typical"] + d) * h))) for d in (-1e-4, 1e-4)]
    assert near[0] < 0 < near[1]


def test_the_classification_has_no_such_limit():
    says("The classification has no such rate: its gradient stays between −1 and 1.")
    x, y = classification.draw_samples(np.random.default_rng(0))
    model = Model(classification.graph, x, y)
    assert model.limits() is None
    for A in (-50.0, -1.0, 0.3, 50.0):
        _, gradient = model.at(x, y, np.full(100, A))
        np.testing.assert_allclose(gradient, sigmoid(x + A) - y, atol=1e-12)
        assert np.max(np.abs(gradient)) <= 1


def test_the_quickest_rate_is_the_one_that_takes_away_the_mean_distance():
    says("In the regression 0.2 takes 6 steps and 0.9 takes 11.", "1/2.02 = 0.495", "arrives after 2 steps")
    rates = [0.02, 0.1, 0.2, 0.4, 0.495, 0.7, 0.9]
    _, figures = runs(regression, [("gradient-descent", rate) for rate in rates], 1000, 100)
    steps = dict(zip(rates, (row["steps_to_target"] for row in figures), strict=True))
    assert (steps[0.2], steps[0.9], steps[0.495]) == (6, 11, 2)
    assert min(steps.values()) == steps[0.495]
    assert steps[0.02] > steps[0.1] > steps[0.2] > steps[0.4] >= steps[0.495] < steps[0.7] < steps[0.9]
    assert moments(1 / 2.02, 1)[1, 0] == pytest.approx(10 / 1.01)  # the mean after one step


def test_how_many_runs_diverge_around_the_limits():
    says("1,000 runs count as diverged: 8 at 0.96, 23 at 0.97, 87 at 0.99, 410 at 1.02 and 843 at 1.05.")
    _, figures = runs(regression, [("gradient-descent", rate) for rate in (0.96, 0.97, 0.99, 1.02, 1.05)], 1000, 1000)
    ours = [row["diverged"] for row in figures]
    assert np.all(np.abs(np.array(ours) - [8, 23, 87, 410, 843]) <= 2)


# --- the graph ---

def graph_with_minimize(script):
    """The operations of a recipe's graph, and those that `minimize()` adds: lists of types."""
    with tf.Graph().as_default() as graph:
        x, y = (tf.placeholder(tf.float32, [1], name=name) for name in ("x_data", "y_target"))
        A = tf.Variable([1.0], name="A")
        loss = script.graph(x, y, A)[1]
        before = len(graph.get_operations())
        tf.train.GradientDescentOptimizer(0.02).minimize(loss)
        types = [op.type for op in graph.get_operations()]
    return types[:before], types[before:]


@pytest.mark.parametrize(("recipe", "added", "chain", "sentence"), [
    ("regression", 18, 5, "adds 18 operations to the graph: five compute the chain rule, one updates `A`, the others "
                          "are constants and bookkeeping"),
    ("classification", 42, 14, "Here `minimize()` adds 42 operations, of which 14 compute the chain rule")])
def test_how_many_operations_minimize_adds(recipe, added, chain, sentence):
    says(sentence)
    _, types = graph_with_minimize(SCRIPTS[recipe])
    arithmetic = {"Mul", "Neg", "Select", "SelectV2", "AddV2", "Reciprocal", "AddN", "Reshape"}
    assert len(types) == added
    assert sum(each in arithmetic for each in types) == chain
    assert types.count("ResourceApplyGradientDescent") == 1
    assert set(types) - arithmetic - {"ResourceApplyGradientDescent"} <= {"Const", "Identity", "NoOp", "Fill", "Shape"}


@pytest.mark.parametrize(("x", "y", "A"), [(3.0, 0.0, 1.0), (3.0, 1.0, 1.0), (-3.0, 0.0, 1.0), (-3.0, 1.0, 1.0)])
def test_the_classifications_gradients_add_up_to_sigmoid_minus_label(x, y, A):
    says("[`Select`] + y·[`mul`] − [`Neg`] = 1 − y − q, and for z < 0, y·[`mul`] + [`Select_1`] = q − y. Either is "
         "sigmoid(z) − y.", "That takes ten operations. Two of them only provide the 0 and the condition z ≥ 0; the "
         "other eight lie between z and the loss:")
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        place = {name: tf.placeholder(tf.float32, [1], name=name) for name in ("x_data", "y_target")}
        loss = classification.graph(*place.values(), tf.Variable([A], name="A"))[1]
        own = [op for op in graph.get_operations() if op.name.startswith("xentropy")]
        assert len(own) == 10
        nodes = {op.name.rpartition("/")[2]: op.outputs[0] for op in own}
        for name in ("zeros_like", "GreaterEqual"):
            del nodes[name]
        gradients = tf.gradients(loss, [*nodes.values(), graph.get_tensor_by_name("my_output_expanded:0")])
        carry = dict(zip([*nodes, "z"], gradients, strict=True))
        assert len(nodes) == 8
        sess.run(tf.global_variables_initializer())
        feed = {place["x_data"]: [x], place["y_target"]: [y]}
        value, gradient = ({name: each.item() for name, each in sess.run(wanted, feed).items()}
                           for wanted in (nodes, carry))
    z, q = x + A, np.exp(-abs(x + A)) / (1 + np.exp(-abs(x + A)))
    right = {"Select": max(z, 0), "mul": z * y, "sub": max(z, 0) - z * y, "Neg": -z, "Select_1": -abs(z),
             "Exp": np.exp(-abs(z)), "Log1p": np.log1p(np.exp(-abs(z))),
             "xentropy": max(z, 0) - z * y + np.log1p(np.exp(-abs(z)))}
    assert value == pytest.approx(right, rel=1e-5, abs=1e-6)
    table = {"Select": 1, "mul": -1, "sub": 1, "Neg": q if z >= 0 else 0, "Select_1": q, "Exp": 1 / (1 + right["Exp"]),
             "Log1p": 1, "xentropy": 1, "z": 1 / (1 + np.exp(-z)) - y}
    assert gradient == pytest.approx(table, rel=1e-5, abs=1e-6)
    total = gradient["Select"] + y * gradient["mul"] - gradient["Neg"] if z >= 0 else (
        y * gradient["mul"] + gradient["Select_1"])
    assert total == pytest.approx(gradient["z"], rel=1e-5, abs=1e-6)


def test_the_plain_exponential_is_too_large_for_float32_at_minus_100():
    says("because e^−|z| never exceeds 1, while the e^−z of log(1 + e^−z) is too large for float32 at z = −100.")
    assert np.exp(100.0) > np.finfo(np.float32).max


def test_the_step_that_is_shown_is_a_sample_of_class_1_on_the_wrong_side():
    says("Here z = −0.258 < 0 and y = 1: the gradient is q − 1 = 0.43585 − 1 = −0.56415. The model gave class 1 a "
         "probability of only 0.44, and `A` rises by 0.05·0.56415 = 0.0282.")
    _, x, y, A, _ = read_log(CHECKOUT / "outputs/reference/classification.csv")
    z = float(x[1264]) + float(A[1264])
    assert y[1264] == 1
    assert (f"{z:.3f}", f"{sigmoid(z):.5f}", f"{sigmoid(z) - 1:.5f}") == ("-0.258", "0.43585", "-0.56415")
    assert float(A[1265]) - float(A[1264]) == pytest.approx(0.0282, abs=0.00005)


# --- initialized before the optimizer is declared ---

@pytest.mark.parametrize("recipe", SCRIPTS)
def test_in_the_pages_place_nine_of_the_eleven_optimizers_are_not_initialized(recipe):
    says("In the page's place, nine of the eleven optimizers fail.",
         "works for the two optimizers without variables of their own, and fails for nine of eleven")
    works = []
    for name, optimizer in optimizers.OPTIMIZERS.items():
        with tf.Graph().as_default(), tf.Session() as sess:
            loss = SCRIPTS[recipe].graph(tf.constant([1.0]), tf.constant([0.0]), tf.Variable([1.0]))[1]
            sess.run(tf.global_variables_initializer())
            train_step = optimizer(0.05).minimize(loss)
            try:
                sess.run(train_step)
            except tf.errors.OpError:
                continue
            works.append(name)
    assert works == ["gradient-descent", "proximal-gradient-descent"]


# --- why 9.9 ---

def test_the_least_loss_is_10_over_1_01_on_average_and_varies_by_a_tenth():
    says("10/1.01 ≈ 9.90, and from one set of 100 samples to another it varies by about 0.1")
    x, _ = samples(regression, 2000, data.streams(3))
    best = 10 * x.sum(1) / (x**2).sum(1)
    assert best.mean() == pytest.approx(10 / 1.01, abs=0.01)
    assert best.std() == pytest.approx(0.1, abs=0.01)


# --- the moving picture ---

def test_the_moving_picture_shows_a_choice_of_the_steps():
    says("The first five steps are shown in three phases each; then it makes a choice: of 100 steps it shows 57, of "
         "1,400 it shows 82.")
    for steps, count in (100, 57), (1400, 82):
        shown, phases = np.unique(animation.shown(steps), return_counts=True)
        assert len(shown) == count
        assert list(phases) == [3] * 5 + [1] * (count - 5)


# --- when something fails ---

def test_the_projects_own_messages_are_those_of_the_table():
    says("| `TensorFlow 2.4.0 is older than 2.12` |", "| `TensorFlow is not installed` |")
    with pytest.raises(SystemExit, match=r"^TensorFlow 2\.4\.0 is older than 2\.12: "):
        tf._check_version("2.4.0")
    assert "TensorFlow is not installed: " in (CHECKOUT / "common/tf1.py").read_text(encoding="utf-8")


def test_the_readme_counts_the_verdicts_and_the_factor_between_the_rates():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    rows = (CHECKOUT / "recipes/CLAIMS.md").read_text(encoding="utf-8")
    counts = [rows.count(f"| {verdict} |") for verdict in ("true", "loosely true", "not true")]
    assert "has a test: {} are true, {} loosely true, {} not.".format(*counts) in readme
    rates = optimizers.rates("classification", 0.05)
    assert f"by a factor of {rates['adadelta'] / rates['momentum']:,.0f} between momentum and Adadelta" in readme
