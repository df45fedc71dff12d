"""The pictures are given the numbers of the run: its log, and what its graph says, here computed by numpy."""

import classification
import numpy as np
import pytest
import regression

from common.pictures import process

SCRIPTS = {"regression": regression, "classification": classification}


class Drawing:
    """Stands in for the process that draws, and keeps what it is asked for: {function's module: numbers}."""

    asked = {}  # noqa: RUF012, of the last run

    def ask(self, picture, metadata, numbers):
        self.asked[picture.__module__.rsplit(".", 1)[-1]] = numbers

    def answer(self, progress=None):
        return b"drawn"

    def close(self):
        pass


@pytest.fixture(scope="module", params=SCRIPTS)
def drawn(request, tmp_path_factory):
    """A recipe, its run, and the numbers for its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "Drawing", Drawing)
        Drawing.asked = {}
        run = SCRIPTS[request.param].main(["--animate", "--output-dir", str(tmp_path_factory.mktemp("drawn"))])
    assert {path.read_bytes() for path in run.files if path.suffix in (".png", ".gif")} == {b"drawn"}
    return request.param, run, Drawing.asked


def output(recipe, x, A):
    return x * A if recipe == "regression" else 1 / (1 + np.exp(-(x + A)))


def losses(recipe, x, y, A):
    return (x * A - y) ** 2 if recipe == "regression" else np.logaddexp(0, x + A) - (x + A) * y


def test_before_is_the_first_A_after_the_last_and_the_boundary_where_the_sigmoid_is_one_half(drawn):
    recipe, run, asked = drawn
    numbers = asked["training"]
    x, first, last = numbers["x"], float(run.A[0]), float(run.A[-1])
    assert x[0] < run.x_vals.min() < run.x_vals.max() < x[-1]
    np.testing.assert_allclose(numbers["before"], output(recipe, x, first), rtol=1e-12)
    np.testing.assert_allclose(numbers["after"], output(recipe, x, last), rtol=1e-12)
    if recipe == "regression":
        assert numbers["boundary"] is None
    else:
        assert numbers["boundary"] == pytest.approx(-last, abs=1e-9)


def test_the_curves_are_the_mean_loss_and_single_samples_losses(drawn):
    recipe, run, asked = drawn
    curve = asked["training"]["curve"]
    every = losses(recipe, run.x_vals, run.y_vals, curve["A"][:, None])
    np.testing.assert_allclose(curve["mean"], every.mean(axis=1), rtol=1e-12)
    for single in curve["singles"]:
        assert np.any(np.all(np.isclose(every, single[:, None], rtol=1e-9), axis=0))
    assert len(curve["singles"]) == 6
    np.testing.assert_array_equal(asked["training"]["path"]["A"][[0, -1]], run.A[[0, -1]])


def test_the_least_loss_is_where_the_gradient_of_all_samples_is_zero(drawn):
    recipe, run, asked = drawn
    best = asked["training"]["best"]
    if recipe == "regression":
        assert best == pytest.approx(10 * run.x_vals.sum() / (run.x_vals**2).sum(), abs=1e-6)
    else:
        assert np.mean(output(recipe, run.x_vals, best) - run.y_vals) == pytest.approx(0, abs=1e-7)


def test_a_frame_of_the_moving_picture_shows_its_step(drawn):
    recipe, run, asked = drawn
    numbers = asked["animation"]
    steps = numbers["steps"]
    for name, column in (("x", run.x[steps - 1]), ("y", run.y[steps - 1]), ("A_before", run.A[steps - 1]),
                         ("A_after", run.A[steps])):
        np.testing.assert_array_equal(numbers[name], column)
    x, y, A = (numbers[name].astype(np.float64) for name in ("x", "y", "A_before"))
    np.testing.assert_allclose(numbers["loss"], losses(recipe, x, y, A), rtol=1e-9, atol=1e-12)
    gradient = 2 * (x * A - y) * x if recipe == "regression" else output(recipe, x, A) - y
    np.testing.assert_allclose(numbers["gradient"], gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(numbers["own"], losses(recipe, x[:, None], y[:, None], numbers["grid"]), rtol=1e-9,
                               atol=1e-12)
    np.testing.assert_allclose(numbers["model"], output(recipe, numbers["curve_x"], A[:, None]), rtol=1e-12)
    if recipe == "classification":
        inside = [(place, -start) for place, start in zip(numbers["boundary"], A, strict=True) if place is not None]
        assert len(inside) == len(A)
        np.testing.assert_allclose(*np.transpose(inside), atol=1e-7)
