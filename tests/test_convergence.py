"""What was asked for: `A` converges near 10 in the regression, and near -1 in the classification."""

import pytest
from conftest import SCRIPTS, train


@pytest.mark.parametrize(("recipe", "near"), [("regression", 10), ("classification", -1)])
def test_the_default_run_ends_with_A_near_10_and_near_minus_1(recipe, near, tmp_path):
    assert abs(train(tmp_path, main=SCRIPTS[recipe].main).A[-1] - near) < 0.2


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("recipe", "near"), [("regression", 10), ("classification", -1)])
def test_so_do_runs_with_other_seeds(recipe, near, seed, tmp_path):
    assert abs(train(tmp_path, "--seed", seed, main=SCRIPTS[recipe].main).A[-1] - near) < 0.5
