"""The picture of one run, read back: each line, mark and label against the numbers, in ordinary and in odd runs."""

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from common.pictures import style, training


def regression(steps=100, rate=0.02, start=0.3, sd=0.1):
    """The numbers of a run of the regression by hand, to its first number that is not finite, as `draw` wants them."""
    rng = np.random.default_rng(18)
    x_vals, y_vals = rng.normal(1, sd, 100), np.repeat(10.0, 100)
    A, losses = [np.float32(start)], []
    with np.errstate(all="ignore"):
        for x in x_vals[rng.integers(0, 100, steps)].astype(np.float32):
            A.append(np.float32(A[-1] - np.float32(2 * rate) * x * (x * A[-1] - 10)))
            losses.append(np.float32((x * A[-1] - 10) ** 2))
            if not np.isfinite(losses[-1]):
                break
    x = np.linspace(x_vals.min(), x_vals.max(), 50)
    return _numbers(A, losses, 10, x_vals @ y_vals / (x_vals @ x_vals), x_vals, y_vals, x,
                    lambda A, x, y: (x * A - 10) ** 2, x * A[0], x * A[-1], None)


def classification(steps=300, rate=0.2, start=9.7):
    """The same of the classification."""
    rng = np.random.default_rng(18)
    x_vals, y_vals = rng.normal(0, 1, 100) + np.repeat([-1, 3], 50), np.repeat([0.0, 1.0], 50)
    A, losses = [np.float32(start)], []
    for sample in rng.integers(0, 100, steps):
        x, y = x_vals[sample], y_vals[sample]
        A.append(np.float32(A[-1] - rate * (sigmoid(x + A[-1]) - y)))
        losses.append(np.float32(np.logaddexp(0, x + A[-1]) - y * (x + A[-1])))
    x = np.linspace(x_vals.min(), x_vals.max(), 50)
    return _numbers(A, losses, -1, -0.95, x_vals, y_vals, x, lambda A, x, y: np.logaddexp(0, x + A) - y * (x + A),
                    sigmoid(x + A[0]), sigmoid(x + A[-1]), -float(A[-1]))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _numbers(A, losses, target, best, x_vals, y_vals, x, loss, before, after, boundary):
    A, losses = np.array(A), np.array(losses)
    grid = training.grid(A, target, best)
    over_A = loss(grid, x_vals[:, None], y_vals[:, None])
    return {"title": "The recipe", "made_by": f"gradient-descent, seed 18, {len(losses):,} steps",
            "path": training.summary(A, losses), "target": target, "best": best, "x_vals": x_vals, "y_vals": y_vals,
            "x": x, "before": before, "after": after, "boundary": boundary,
            "curve": {"A": grid, "mean": over_A.mean(0), "singles": over_A[::20]}}


def without_curve():
    return {**regression(), "curve": None}


def ends_in(value):
    numbers = regression(20)
    numbers["path"]["A"][-1] = value
    numbers["path"]["loss"][-1] = np.inf
    return {**numbers, "after": numbers["x"] * value}


ODD = {
    "the regression": regression, "the classification": classification, "one step": lambda: regression(1),
    "a rate of 1e-6": lambda: regression(rate=1e-6), "7 steps at 1e-6": lambda: regression(7, 1e-6),
    "a rate of 1.05": lambda: regression(rate=1.05), "no curve": without_curve,
    "a rate of 3": lambda: regression(rate=3), "inf": lambda: ends_in(np.inf), "nan": lambda: ends_in(np.nan),
    "a large rate": lambda: classification(rate=50),
    "losses of 0": lambda: regression(rate=0.3, sd=0), "a start at the target": lambda: regression(start=10, sd=0),
    "no least loss": lambda: {**classification(), "best": None},
    "a long title": lambda: {**regression(), "made_by": "adagrad-da, learning rate 0.000123, seed " + 42 * "8"},
}


def lines(axes):
    """The lines of a panel by their label."""
    return {line.get_label(): line for line in axes.get_lines()}


def texts(figure):
    """The visible texts of a drawn figure that say something, tick labels within the limits only."""
    figure.draw_without_rendering()
    away = [tick.label1 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()
            if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())]
    seen = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in seen if text not in away]


def check_layout(figure):
    """Two labelled ticks on each axis, and no text outside the figure, over another, or too small for 900 pixels."""
    found = texts(figure)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert len({text.get_text() for text in axis.get_ticklabels() if text in found}) >= 2, axes
    assert min(text.get_fontsize() for text in found) >= 9.5
    low, high = np.array([text.get_window_extent().get_points() for text in found]).transpose(1, 0, 2)
    outside = ((low < 0) | (high > figure.bbox.size)).any(1)
    assert not [found[index] for index in np.flatnonzero(outside)]
    overlap = ((low[:, None] < high) & (low < high[:, None])).all(2)
    assert not [(found[one], found[other]) for one, other in np.argwhere(np.triu(overlap, 1))]


@pytest.mark.parametrize("case", ODD)
def test_every_run_has_a_picture_that_can_be_read(case):
    check_layout(training.draw(**ODD[case]()))


@pytest.mark.parametrize("recipe", [regression, classification])
def test_the_run_lies_on_the_mean_loss_in_the_order_of_its_steps(recipe):
    numbers = recipe()
    whole, close, *_ = training.draw(**numbers).axes
    A = numbers["path"]["A"]
    points = whole.collections[0]
    np.testing.assert_array_equal(points.get_offsets()[:, 0], A)
    mean = lines(whole)["mean of all samples"]
    np.testing.assert_array_equal(mean.get_ydata(), numbers["curve"]["mean"])
    np.testing.assert_allclose(points.get_offsets()[:, 1], np.interp(A, *mean.get_data()))
    assert (np.diff(points.get_array()) > 0).all()
    low, high = close.get_xlim()
    np.testing.assert_array_equal(close.collections[0].get_offsets()[:, 0], A[np.clip(A, low, high) == A])
    assert lines(whole)[f"start: A = {A[0]:.4g}"].get_xdata() == A[0]
    assert lines(whole)[f"last: A = {A[-1]:.4g}"].get_xdata() == A[-1]


@pytest.mark.parametrize("recipe", [regression, classification])
def test_the_target_and_the_least_loss_are_marked_apart_at_their_A(recipe):
    numbers = recipe()
    whole, close, moves, *_ = training.draw(**numbers).axes
    theory, least = f"in theory: {numbers['target']}", f"least loss for these samples: {numbers['best']:.4g}"
    for axes in whole, close:
        assert set(lines(axes)[theory].get_xdata()) == {numbers["target"]}
        assert set(lines(axes)[least].get_xdata()) == {numbers["best"]}
    assert set(lines(moves)[theory].get_ydata()) == {numbers["target"]}
    assert set(lines(moves)[least].get_ydata()) == {numbers["best"]}
    left, right = close.transData.transform([(numbers["target"], 0), (numbers["best"], 0)])[:, 0]
    assert abs(left - right) >= 4  # pixels


def test_before_and_after_are_not_exchanged_and_the_boundary_has_its_sign():
    numbers = classification()
    fits = training.draw(**numbers).axes[4]
    A = numbers["path"]["A"]
    np.testing.assert_array_equal(lines(fits)[f"before: A = {A[0]:.4g}"].get_ydata(), sigmoid(numbers["x"] + A[0]))
    np.testing.assert_array_equal(lines(fits)[f"after: A = {A[-1]:.4g}"].get_ydata(), sigmoid(numbers["x"] + A[-1]))
    boundary = lines(fits)[f"boundary: x = {-A[-1]:.4g}"]
    assert set(boundary.get_xdata()) == {-A[-1]}
    assert np.interp(boundary.get_xdata()[0], numbers["x"], numbers["after"]) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("sign", "mark", "edge"), [(-1, "<", 0), (1, ">", 1)])
def test_a_boundary_outside_the_samples_is_an_arrow_at_the_edge(sign, mark, edge):
    numbers = {**classification(), "boundary": sign * 40.0}
    fits = training.draw(**numbers).axes[4]
    arrow = lines(fits)[f"boundary: x = {sign * 40}"]
    assert (arrow.get_marker(), float(arrow.get_xdata()[0])) == (mark, edge)
    assert fits.get_xlim() == pytest.approx((numbers["x_vals"].min(), numbers["x_vals"].max()), abs=0.5)


def test_A_and_the_loss_are_drawn_at_their_steps():
    numbers = regression()
    moves, falls = training.draw(**numbers).axes[2:4]
    path = numbers["path"]
    np.testing.assert_array_equal(moves.get_lines()[0].get_xydata(), np.c_[np.arange(101), path["A"]])
    loss = lines(falls)["of the step's sample, after the step"]
    np.testing.assert_array_equal(loss.get_xydata(), np.c_[np.arange(1, 101), path["loss"][1:]])
    mean = lines(falls)["mean of the last 5 steps"].get_xydata()
    np.testing.assert_allclose(mean, [(step, path["loss"][step - 4 : step + 1].mean()) for step in range(5, 101)], 1e-6)


def test_losses_of_exactly_0_are_drawn_at_the_bottom_and_counted():
    numbers = regression(rate=0.3, sd=0)
    zeros = np.flatnonzero(numbers["path"]["loss"] == 0)
    falls = training.draw(**numbers).axes[3]
    line = lines(falls)[f"exactly 0: {len(zeros)} of them"]
    np.testing.assert_array_equal(line.get_xdata(), zeros)
    assert set(line.get_ydata()) == {falls.get_ylim()[0]}


def test_a_run_that_diverges_says_what_lies_outside_and_from_which_step_there_is_no_number():
    numbers = regression(rate=3)
    whole, _, moves, falls, fits = training.draw(**numbers).axes
    last = numbers["path"]["A"][-1]
    assert abs(last) > 1e15
    assert whole.get_xlim()[1] - whole.get_xlim()[0] < 5 * 10
    assert lines(whole)[f"last: A = {last:.4g}, outside"].get_xdata()[0] in whole.get_xlim()
    assert f"after: A = {last:.4g}, outside" in lines(fits)
    assert f"no finite number from step {len(numbers['path']['A']) - 1} on" in lines(falls)
    assert moves.get_yscale() == "symlog"
    assert np.abs(moves.get_ylim()).min() >= abs(last)


@pytest.mark.parametrize("odd", [None, np.nan, np.inf, -np.inf])
def test_thin_keeps_the_ends_and_the_extremes_and_what_is_not_finite(odd):
    values = np.random.default_rng(1).normal(size=100_000).astype(np.float32)
    values[[33_333, 77_778]] = 9, -9
    if odd is not None:
        values[50_000:] = np.where(np.arange(50_000) % 2, odd, values[50_000:])
    kept = training.thin(values)
    assert len(kept) <= 2000
    assert (np.diff(kept) > 0).all()
    assert {0, 33_333, 77_778, 99_999} | ({50_001} if odd is not None else set()) <= set(kept)
    np.testing.assert_array_equal(training.thin(values[:2000]), np.arange(2000))


def test_a_long_run_is_drawn_from_as_few_numbers_as_a_short_one():
    A = np.random.default_rng(1).normal(size=1_000_001).astype(np.float32)
    loss = A[1:] ** 2
    loss[500_000] = 0
    path = training.summary(A, loss)
    assert sum(np.size(numbers) for numbers in path.values()) < 15_000
    assert (path["steps"][0], path["steps"][-1], path["zeros"], path["broken"]) == (0, 1_000_000, 1, 0)
    np.testing.assert_array_equal(path["A"], A[path["steps"]])
    np.testing.assert_array_equal(path["loss"][1:], loss[path["steps"][1:] - 1])
    assert {A.min(), A.max()} <= set(path["A"])
    assert loss.max() in path["loss"]
    end, window = path["mean_steps"][7], path["window"]
    assert path["mean"][7] == pytest.approx(loss[end - window : end].mean(dtype=np.float64))
    assert path["mean_steps"][-1] == 1_000_000


@pytest.mark.parametrize(("A", "target", "best"), [
    ([0, 9, 9.8], 10, 9.9), ([10, 10, 10], 10, None), ([0.3, 0.3000001], 10, 9.9), ([0, 1e30, np.inf], 10, 9.9),
    ([0, np.nan], 10, 9.9), ([9.7, -1.1], -1, -0.96), ([9.7, 5], -1, 1e3)])
def test_the_span_holds_the_target_and_the_start_and_stays_readable(A, target, best):
    low, high = training.span(np.array(A, np.float32), target, best)
    assert low < min(A[0], target) <= max(A[0], target) < high
    assert high - low <= 5 * max(abs(A[0] - target), 1)
    grid = training.grid(np.array(A, np.float32), target, best)
    assert (np.diff(grid) >= 0).all()
    assert (grid[0], grid[-1]) == (low, high)


def test_the_file_has_the_promised_size_and_its_metadata_whatever_the_users_settings():
    plain = training.png({"Command": "python recipes/regression.py"}, **regression())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        assert training.png({"Command": "python recipes/regression.py"}, **regression()) == plain
    image = Image.open(io.BytesIO(plain))
    assert image.size == (1100, 800)
    assert image.text["Command"] == "python recipes/regression.py"
    assert len(plain) < 300_000


@pytest.mark.parametrize("limits", [(62, 142), (1, 10), (3e-5, 2.9), (1, 1.0000001), (1e-45, 1e38), (20, 49)])
def test_a_logarithmic_axis_has_two_to_seven_ticks_in_plain_text(limits):
    axes = style.new_figure(300, 300).add_subplot(yscale="log", ylim=limits)
    style.log_axis(axes.yaxis)
    assert 2 <= len(axes.get_yticks()) <= 7
    assert limits[0] <= min(axes.get_yticks()) < max(axes.get_yticks()) <= limits[1]
    np.testing.assert_allclose([float(text.get_text()) for text in axes.get_yticklabels()], axes.get_yticks())
