"""The moving picture of a run: which steps it shows, what each frame shows of its step, and the file."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from test_picture_of_a_run import check_layout, lines, sigmoid

from common.pictures import animation, process, training


def run(recipe="regression", steps=100, rate=0.02):
    """The numbers that `frames` wants of a run by hand."""
    rng = np.random.default_rng(18)
    if recipe == "regression":
        x_vals, y_vals, target, start = rng.normal(1, 0.1, 100), np.repeat(10.0, 100), 10, 0.3
        model, loss, slope = np.multiply, lambda x, y, A: (x * A - y) ** 2, lambda x, y, A: 2 * x * (x * A - y)
    else:
        x_vals, y_vals = rng.normal(0, 1, 100) + np.repeat([-1, 3], 50), np.repeat([0.0, 1.0], 50)
        target, start, model = -1, 9.7, lambda x, A: sigmoid(x + A)
        loss, slope = lambda x, y, A: np.logaddexp(0, x + A) - y * (x + A), lambda x, y, A: sigmoid(x + A) - y
    A, samples = [np.float32(start)], rng.integers(0, 100, steps)
    with np.errstate(all="ignore"):
        for sample in samples:
            A.append(np.float32(A[-1] - rate * slope(x_vals[sample], y_vals[sample], A[-1])))
            if not np.isfinite(A[-1]):
                break
        A = np.array(A)
        shown = animation.shown(len(A) - 1)
        x, y, before = x_vals[samples[shown - 1]], y_vals[samples[shown - 1]], A[shown - 1].astype(float)
        grid, curve_x = training.grid(A, target, None), np.linspace(x_vals.min(), x_vals.max(), 50)
        return {"title": "The recipe", "made_by": "gradient-descent, seed 18", "steps": shown, "x": x, "y": y,
                "A_before": before, "A_after": A[shown].astype(float), "loss": loss(x, y, before),
                "gradient": slope(x, y, before), "grid": grid, "x_vals": x_vals, "y_vals": y_vals, "curve_x": curve_x,
                "mean": loss(x_vals[:, None], y_vals[:, None], grid).mean(0), "own": loss(x[:, None], y[:, None], grid),
                "model": model(curve_x, before[:, None]), "target": target, "best": target - 0.07,
                "boundary": None if recipe == "regression" else -before}


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """What is told of the progress, instead of sending it to a script that is not there."""
    told = []
    monkeypatch.setattr(process, "tell", lambda done, total: told.append((done, total)))
    return told


@pytest.mark.parametrize("steps", [1, 2, 13, 14, 30, 31, 90, 91, 100, 1400, 1_000_000, 100_000_000])
def test_40_to_150_frames_show_a_run_from_its_first_to_its_last_step(steps):
    shown = animation.shown(steps)
    assert 40 <= len(shown) <= 150
    assert (shown[0], shown[-1]) == (1, steps)
    assert (np.diff(shown) >= 0).all()
    if steps <= 90:
        assert set(shown) == set(range(1, steps + 1))


@pytest.mark.parametrize("recipe", ["regression", "classification"])
def test_each_frame_shows_its_step(recipe):
    numbers = run(recipe)
    of_steps = [name for name, values in numbers.items() if np.shape(values)[:1] == numbers["steps"].shape]
    for index, (_, artists) in enumerate(animation.frames(**numbers)):
        now = {name: numbers[name][index] for name in of_steps}
        caption = artists["caption"].get_text()
        assert caption.startswith(f"step {now['steps']}: sample x = {now['x']:.4g}, target {now['y']:g}; "
                                  f"A = {now['A_before']:.5g}, loss {now['loss']:.4g}")
        assert artists["point"].get_xydata()[0] == pytest.approx((now["A_before"], now["loss"]))
        mean = np.interp(now["A_before"], numbers["grid"], numbers["mean"])
        assert artists["A"].get_xydata()[0] == pytest.approx((now["A_before"], mean))
        np.testing.assert_array_equal(artists["own"].get_ydata(), now["own"])
        np.testing.assert_array_equal(artists["model"].get_ydata(), now["model"])
        assert artists["fed"].get_xydata().tolist() == [[now["x"], now["y"]]]
        (left, low), (right, high) = artists["tangent"].get_xydata()
        assert (high - low) / (right - left) == pytest.approx(now["gradient"])
        assert ((left + right) / 2, (low + high) / 2) == pytest.approx((now["A_before"], now["loss"]))
        if artists["step"].get_visible():
            assert artists["step"].xyann[0] == pytest.approx(now["A_before"])
            assert artists["step"].xy[0] == pytest.approx(now["A_after"])
            assert f"gradient {now['gradient']:.4g}; new A = {now['A_after']:.5g}" in caption
        if recipe == "classification":
            inside = artists["boundary"].axes.get_xlim()[0] < -now["A_before"]
            assert artists["boundary"].get_marker() == ("|" if inside else "<")
            assert not inside or artists["boundary"].get_xdata() == [-now["A_before"]]
    assert index == len(numbers["steps"]) - 1


def test_the_frames_of_a_step_show_the_sample_then_the_tangent_then_the_step():
    phases = []
    for _, artists in animation.frames(**run(steps=2)):
        phases.append((artists["tangent"].get_visible(), artists["step"].get_visible(),
                       "gradient" in artists["caption"].get_text()))
    assert list(dict.fromkeys(phases)) == [(False, False, False), (True, False, True), (True, True, True)]
    assert phases[:20] == phases[20:]


def test_what_lies_outside_is_an_arrowhead_at_the_edge():
    marks = set()
    for _, artists in animation.frames(**run(rate=3)):
        place = artists["A"].get_xdata()[0]
        assert artists["A"].axes.get_xlim()[0] <= place <= artists["A"].axes.get_xlim()[1]
        marks.add(artists["A"].get_marker())
    assert marks == {"o", "<", ">"}


@pytest.mark.parametrize("recipe", ["regression", "classification"])
@pytest.mark.parametrize("rate", [1e-6, 3])
def test_a_frame_can_be_read(recipe, rate):
    figure, artists = list(animation.frames(**run(recipe, 31, rate)))[-1]  # each frame is the same figure
    for artist in artists.values():
        artist.set_animated(False)
    check_layout(figure)
    assert {"mean of all samples", "the step's sample", "its tangent"} <= set(lines(figure.axes[0]))


@pytest.mark.parametrize(("recipe", "steps", "rate"), [
    ("regression", 1, 0.02), ("regression", 90, 1.05)])
def test_the_file_moves_and_is_small(recipe, steps, rate, told):
    numbers = run(recipe, steps, rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = animation.gif({"Command": "python recipes/regression.py", "Software": "numpy"}, **numbers)
    image = Image.open(io.BytesIO(content))
    assert 40 <= image.n_frames == len(numbers["steps"]) <= 150
    assert len(content) <= 600_000
    assert image.size == (860, 450)
    assert image.info["loop"] == 0
    assert image.info["comment"] == b"Command: python recipes/regression.py\nSoftware: numpy"
    assert told[0] == (10, len(numbers["steps"]))
