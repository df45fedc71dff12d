"""The scripts print and log what the page's own programs print and compute on the TensorFlow of their time.

`golden/README.md` says how the programs were recorded, and explains the differences of 0.12.1.
"""

import functools
import re

import numpy as np
import pytest
from conftest import CHECKOUT, RECIPES, assert_same, once, read_log

from common.comparison import optimizers

DEFAULT_SEED = "605"
SEEDS = [DEFAULT_SEED, "0", "1", "2", "7", "18"]
CASES = [(recipe, name) for recipe in RECIPES for name in [*SEEDS, *optimizers.OPTIMIZERS]]

# The largest difference of 0.12.1 in `A` and in the loss. Its mistake in Adadelta has a test of its own.
DIFFERENCE = {"regression": 0, ("regression", "0"): 6e-8, "classification": 1e-6}
NUMBER = re.compile(r"-?[0-9]+\.[0-9]+(?:e-[0-9]+)?")


@functools.cache
def recorded(version, recipe, name):
    """What the page's program printed, and float32 `A` [steps + 1] and loss [steps].

    name  a seed, or an optimizer that took the place of the page's under the default seed
    """
    name = DEFAULT_SEED if name == "gradient-descent" else name  # which is the page's own
    with np.load(CHECKOUT / "tests" / "golden" / f"tensorflow-{version}.npz") as arrays:
        printed, A, loss = (arrays[f"{recipe}/{name}/{column}"] for column in ("printed", "A", "loss"))
    return printed.item(), A, loss


@functools.cache
def results(recipe, name):
    """What a case printed above the last lines, and the log's `A` and loss."""
    flags = () if name == DEFAULT_SEED else ("--seed" if name.isdecimal() else "--optimizer", name)
    _, printed, folder = once(recipe, *flags)
    _, _, _, A, loss = read_log(folder / f"{recipe}.csv")
    return re.split(r"^(?:Accuracy|In theory)", printed, maxsplit=1, flags=re.MULTILINE)[0], A, loss


def assert_equal(ours, theirs):
    """Demand the same float32 numbers, and then the same characters."""
    for our, their in zip(ours[1:], theirs[1:], strict=True):
        assert_same(our, their)
    if all(map(np.array_equal, ours[1:], theirs[1:])):
        assert ours[0] == theirs[0]
    else:  # on a machine that rounds differently, of which assert_same warns
        assert_near(ours, theirs, 1e-6)


def assert_near(ours, theirs, difference):
    """Demand the same words, and numbers that differ by no more than so much."""
    assert NUMBER.sub("#", ours[0]) == NUMBER.sub("#", theirs[0])
    printed = [np.array(NUMBER.findall(text), float) for text in (ours[0], theirs[0])]
    for our, their in (printed, *zip(ours[1:], theirs[1:], strict=True)):
        assert np.max(np.abs(our - their)) <= difference


@pytest.mark.parametrize(("recipe", "name"), CASES)
def test_every_seed_and_optimizer_gives_the_characters_and_bits_of_1_15_5(recipe, name):
    assert_equal(results(recipe, name), recorded("1.15.5", recipe, name))


@pytest.mark.parametrize(("recipe", "name"), [case for case in CASES if case[1] != "adadelta"])
def test_0_12_1_differs_by_no_more_than_is_said(recipe, name):
    theirs = recorded("0.12.1", recipe, name)
    assert_near(results(recipe, name), theirs, DIFFERENCE.get((recipe, name), DIFFERENCE[recipe]))
    if recipe == "regression":
        assert results(recipe, name)[0] == theirs[0]


@pytest.mark.parametrize(("version", "mistaken"), [("0.12.1", True), ("1.15.5", False)])
def test_adadelta_of_0_12_1_took_its_step_with_an_average_that_already_contains_it(version, mistaken):
    random = np.random.RandomState(int(DEFAULT_SEED))
    x_vals = random.normal(1, 0.1, 100)
    _, recorded_A, _ = recorded(version, "regression", "adadelta")
    rate, rho, epsilon = 1000, 0.95, 1e-8
    A, gradients, updates = float(recorded_A[0]), 0, 0
    for after_step in recorded_A[1:]:
        x = x_vals[random.choice(100)]
        gradient = 2 * (x * A - 10) * x
        gradients = rho * gradients + (1 - rho) * gradient**2
        right = np.sqrt(updates + epsilon) / np.sqrt(gradients + epsilon) * gradient
        updates = rho * updates + (1 - rho) * right**2
        wrong = np.sqrt(updates + epsilon) / np.sqrt(gradients + epsilon) * gradient
        A -= rate * (wrong if mistaken else right)
        assert abs(A - after_step) < 2e-4  # 100 steps of float32 against double precision
