"""What the documents say beyond the page, checked against calculations of their own.

Each test quotes the sentence or the table that it is about, so that neither can change without the other.
"""

import re
import shlex

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, train, without_curves
from make_reference import rows
from theory import moments, rates, sigmoid, table, under_constant_gradient

from common import tf1 as tf
from common.comparison import optimizers

WALKTHROUGH, REFERENCE, EXERCISES = ((CHECKOUT / f"recipes/{name}.md").read_text(encoding="utf-8")
                                     for name in ("README", "REFERENCE", "EXERCISES"))
RULES = {row[0].strip("`"): row[1:] for row in rows(REFERENCE) if len(row) == 3 and "A' = " in row[2]}
# Commands of the documents, which run here.
RATES, ADAM = TRAINED = [f".venv/bin/python recipes/{words}" for words in (
    "regression.py --learning-rate 0.1 0.2 0.4 0.495 0.6 0.9 --runs 1000 --output-dir outputs/rate-3",
    "classification.py --optimizer adam --learning-rate 0.02 0.05 0.1 --runs 1000")]
SERIES = [float(f"{factor}e{power}") for power in range(-5, 6) for factor in (1, 2, 5)]


def says(*sentences):
    """Demand that the documents say so, in these words."""
    for sentence in sentences:
        assert sentence in " ".join((WALKTHROUGH + REFERENCE).split()), sentence


def test_the_limit_of_stable_rates_is_that_of_the_moments_of_the_samples():
    x = np.random.default_rng(0).normal(1, 0.1, 4_000_000)
    second, fourth = np.mean(x**2), np.mean(x**4)
    assert (round(second, 2), round(fourth, 2)) == (1.01, 1.06)
    says(rf"\eta > \frac{{1.01}}{{1.0603}} = {second / fourth:.3f}.")


def test_the_default_rates_differ_by_the_factor_that_the_documents_say():
    known = optimizers.rates("classification", 0.05)
    factor = f"a factor of {known['adadelta'] / known['momentum']:,.0f}"
    says(f"by {factor} between momentum and Adadelta")
    assert factor in (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert (min(known.values()), max(known.values())) == (known["momentum"], known["adadelta"])


def check_rule(optimizer, printed):
    """Check the rule in the table, and what it starts with, against what is printed of a first step."""
    remembers, update = RULES[optimizer]
    assert re.findall("`([^`]+ = [^`]+)`", update) == re.findall(r"^  (\S+ = .*)", printed, re.M)
    named = re.findall(r"`(\w+)` \(([\d.]+)\)", remembers)
    assert bool(named) == ("remembers nothing" not in printed) == (remembers != "nothing")
    for name, value in named:
        assert f"{name} {value} before" in printed or "power" in name
    for name, value in re.findall(r"\b(rho|momentum|beta1|beta2) (\d[\d.]*\d|\d)(?=[;, ]|$)", update):
        assert re.search(rf"{value} ×", printed), name


def test_the_default_rates_arrive_and_differ_by_what_the_documents_say():
    says("At its default rate each optimizer arrives in time.", "by a factor of 20,000 between momentum and Adadelta")
    for script, steps in ((regression, 100), (classification, 1400)):
        found = table(f"{script.__name__}-optimizers")
        assert len(found) == 11
        assert all(each["steps_to_target"] < steps and each["diverged"] == 0 for each in found.values())
    least, most = (min(rate for name, rate in found if name == optimizer) for optimizer in ("momentum", "adadelta"))
    assert most / least == 20_000
    means = [each["A_mean"] for each in found.values()]
    assert np.std(means) < min(each["A_sd"] for each in found.values())
    says("their last `A` differ less between optimizers than between runs")


def trained(command, folder):
    """The rows of a command's comparison."""
    _, script, *words = shlex.split(command)
    with pytest.MonkeyPatch.context() as patch:
        without_curves(patch)
        return SCRIPTS[script[8:-3]].main([*words, "--no-figure", "--output-dir", str(folder)]).rows


@pytest.mark.parametrize(("script", "optimizer", "above"), [
    (regression, "momentum", True), (regression, "adam", False), (classification, "adam", True)])
def test_a_default_is_the_rate_with_the_least_loss_or_the_one_above_it(script, optimizer, above, tmp_path):
    says("the rate with the least `loss_mean` over 1,000 runs, or the next larger one where the runs arrive sooner "
         "for it and the loss is at most 2.5% above.")
    default = optimizers.rates(script.__name__, 0.02)[optimizer]
    at = SERIES.index(default)
    three = " ".join(f"{rate:g}" for rate in SERIES[at - 1:at + 2])
    command = ADAM.replace("adam", optimizer).replace("classification", script.__name__)
    below, ours, larger = trained(command.replace("0.02 0.05 0.1", three), tmp_path)
    least = below if above else ours
    assert least["loss_mean"] == min(each["loss_mean"] for each in (below, ours, larger))
    assert ours["loss_mean"] <= 1.025 * least["loss_mean"]
    assert ours["steps_to_target"] < (below["steps_to_target"] or np.inf)


def test_ftrl_is_adagrad_but_for_its_first_step():
    says("which also takes away the part √(0.1/(0.1 + gradient²)) of the start")
    for slope, start in ((1.0, 10.0), (-0.3, 4.0), (-20.0, 0.3)):
        ftrl, adagrad = (np.diff(under_constant_gradient(name, 0.5, 4, slope, start)) for name in ("ftrl", "adagrad"))
        np.testing.assert_allclose(ftrl[0], adagrad[0] - np.sqrt(0.1 / (0.1 + slope**2)) * start, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(ftrl[1:], adagrad[1:], rtol=1e-4, atol=1e-5)


def test_momentum_arrives_in_a_tenth_of_the_steps_and_scatters_like_a_rate_ten_times_as_large():
    says("It arrives in a tenth of the steps and scatters like gradient descent at ten times the rate.",
         "it has gone less than a quarter of the way",
         "4.5e-4 times the rate, whatever the gradient (unless that is tiny): 2e-5 here")
    same = table("classification-same-rate")
    plain, momentum = same["gradient-descent", 0.05], same["momentum", 0.05]
    assert 0.07 < momentum["steps_to_target"] / plain["steps_to_target"] < 0.13
    assert rates("classification-rates")[0.2]["A_sd"] < momentum["A_sd"] < rates("classification-rates")[1]["A_sd"]
    assert 10 - same["adagrad", 0.05]["A_mean"] < 11 / 4
    assert f"{np.sqrt(1e-8 / 0.05):.1e} {0.05 * np.sqrt(1e-8 / 0.05):.0e}" == "4.5e-04 2e-05"


def test_larger_is_not_always_sooner(tmp_path):
    says("At η = 1/2.02 = 0.495 one step takes away the whole distance; beyond, each step passes over the minimum.")
    assert moments(1 / 2.02, 1)[1, 0] == pytest.approx(10 / 1.01)  # the mean after one step
    found = trained(RATES, tmp_path)
    steps = [each["steps_to_target"] for each in found]
    assert steps[0] > steps[1] > steps[2] >= steps[3] < steps[4] < steps[5]
    assert min(each["loss_mean"] for each in found) == found[0]["loss_mean"]
    assert f"(0.4 and 0.495 after {steps[2]:g} steps; 0.1 ends nearest.)" in EXERCISES
    assert steps[2] == steps[3]


def test_the_rates_of_the_regression_do_what_their_words_say():
    says("0.002 creeps and does not arrive. 0.02 arrives. 0.2 arrives sooner and scatters more. 0.9 leaps across the "
         "minimum again and again. 1.2 flies off.")
    slow, right, large, leaping, off = (rates("regression-rates")[rate] for rate in (0.002, 0.02, 0.2, 0.9, 1.2))
    assert slow["steps_to_target"] is None
    assert large["steps_to_target"] < right["steps_to_target"]
    assert right["A_sd"] < large["A_sd"] < leaping["A_sd"]
    assert (leaping["diverged"], off["diverged"]) == (0, 1000)


def test_what_decides_in_exercise_6():
    z = np.linspace(-8, 8, 400_001)
    weights = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    growth = {rate: np.sum(weights * np.log(np.abs(1 - 2 * rate * (1 + 0.1 * z) ** 2))) for rate in (0.97, 1.05)}
    assert (f"{growth[0.97]:.3f}", f"{growth[1.05]:+.3f}") == ("-0.147", "+0.028")


@pytest.mark.parametrize(("z", "y"), [(4.0, 0.0), (4.0, 1.0), (-2.0, 0.0), (-2.0, 1.0)])
def test_the_gradients_at_the_eight_nodes_are_those_of_the_table_and_add_up(z, y, tmp_path):
    says("At z they add up to 1 − y − q for z ≥ 0, and to q − y for z < 0. Both are sigmoid(z) − y.",
         "because e^−z is too large for float32 at z = −100", "takes eight operations between z and the loss")
    assert np.exp(100.0) > np.finfo(np.float32).max
    found = [row for row in rows(WALKTHROUGH) if len(row) == 4 and row[0] in (
        "`Select`", "`mul`", "`sub`", "`Neg`", "`Select_1`", "`Exp`", "`Log1p`", "`xentropy`")]
    session, e = train(tmp_path, "--steps", 2, main=classification.main).session, np.exp(-abs(z))
    graph, q = session.graph, e / (1 + e)
    own = {op.name.rpartition("/")[2]: op.outputs[0] for op in graph.get_operations() if op.name.startswith("xentropy")}
    assert set(own) - {row[0].strip("`") for row in found} == {"zeros_like", "GreaterEqual"}
    with graph.as_default():
        nodes = [own[row[0].strip("`")] for row in found] + [graph.get_tensor_by_name("my_output_expanded:0")]
        gradients = session.run(tf.gradients(own["xentropy"], nodes), {"my_output:0": [z], "y_target:0": [y]})
    known = {"1": 1, "−1": -1, "0": 0, "q": q, "1/(1 + `Exp`)": 1 / (1 + e), "1, but it does not reach z": 1}
    wanted = [known[row[2 if z >= 0 else 3]] for row in found]
    assert np.ravel(gradients) == pytest.approx([*wanted, sigmoid(z) - y], rel=1e-5, abs=1e-6)
    assert (1 - y - q if z >= 0 else q - y) == pytest.approx(sigmoid(z) - y)
