"""The pictures of one run, read back: each line, mark and label against the numbers, in ordinary and in odd runs."""

import io
from types import SimpleNamespace
from unittest import mock

import matplotlib
import numpy as np
import pytest
from conftest import SCRIPTS
from matplotlib.text import Text
from PIL import Image

from common.pictures import animation, artist, numbers, style
from common.pictures import run as picture

FORMULAS = {  # the model's output, the loss of a sample, its derivative by A
    "regression": (lambda x, A: x * A, lambda x, y, A: (x * A - y) ** 2, lambda x, y, A: 2 * x * (x * A - y)),
    "classification": (lambda x, A: 1 / (1 + np.exp(-x - A)), lambda x, y, A: np.logaddexp(0, x + A) - y * (x + A),
                       lambda x, y, A: 1 / (1 + np.exp(-x - A)) - y)}


class Log(SimpleNamespace):
    def __len__(self):
        return len(self.loss)


def ran(recipe="regression", steps=100, rate=0.02, start=0.3, sd=0.1, y=10.0, early=None, **changes):
    """The numbers of both pictures of a run by hand, with some replaced; `of=False`: the model is not known."""
    output, loss, slope = FORMULAS[recipe]
    rng, best, target, known = np.random.default_rng(18), 9.9, 10, changes.pop("known", True)
    x_vals, y_vals = rng.normal(1, sd, 100), np.broadcast_to(y, 100)
    if recipe == "classification":
        x_vals, y_vals = rng.normal(0, 1, 100) + np.repeat([-1, 3], 50), np.repeat([0.0, 1.0], 50)
        best, target = -0.95, -1
    best, target = changes.pop("best", best), changes.pop("target", target)
    picks = rng.integers(0, 100, steps)
    x, y, A = x_vals[picks], y_vals[picks], np.full(steps + 1, start, np.float32)
    with np.errstate(all="ignore"):
        for step in range(steps):
            A[step + 1] = A[step] - np.float32(rate * slope(x[step], y[step], A[step]))
        log = Log(x=x, y=y, A=A, loss=loss(x, y, A[1:]).astype(np.float32), unknown=None if known else "of a fault")
        model = SimpleNamespace(
            x_vals=x_vals, y_vals=y_vals, best=best, output=output,
            loss=lambda x, y, A, order=0: (loss, slope)[order](x, y, A),
            losses=lambda A, x=x_vals, y=y_vals: loss(x, y, A[:, None])) if known else None
        made = {"title": "The recipe", **numbers.run(SimpleNamespace(target=target), log, model)}
        made["message"] = numbers.message(made, rate, early)
        made["made_by"] = "The recipe; gradient-descent, seed 18"
        moving, moved = None, {name: value for name, value in changes.items() if name not in ("before", "after")}
        if known:
            moving = SimpleNamespace(**{**made, **numbers.animation(made, log, model), **moved})
    return SimpleNamespace(**{**made, **changes}), moving, log


DIVERGED = "the run diverged by step 39 (A = 2e38): try a smaller learning rate"
ODD = {
    "the regression": {}, "the classification": {"recipe": "classification", "rate": 0.2, "start": 9.7, "steps": 300},
    "one step": {"steps": 1}, "7 steps at 1e-6": {"steps": 7, "rate": 1e-6},
    "diverged": {"rate": 3, "early": DIVERGED}, "inf": {"rate": 1e20, "early": DIVERGED},
    "a large rate": {"recipe": "classification", "rate": 50}, "losses of 0": {"rate": 0.3, "sd": 0},
    "a start at the target": {"start": 10, "sd": 0}, "neither": {"best": None, "target": None},
    "no model": {"known": False}, "no model, diverged": {"known": False, "rate": 3},
    "no output": {"before": None, "after": None, "model": None}, "different targets": {"y": np.linspace(-5, 5, 100)},
    "large targets": {"y": 1e6, "best": 1e6, "target": 1e6},
    "small ones": {"y": 1e-5, "best": 1e-5, "target": 1e-5, "start": 0},
    "a long title": {"made_by": "proximal-gradient-descent, learning rate 0.000123, seed 4242424242, 99,999,999 steps"},
    "many steps": {"steps": 10_000},
}


MOVING = "one step", "the classification", "diverged", "inf", "neither", "no output", "large targets", "small ones"


def drawn(n):
    """The figure of a run."""
    with mock.patch.object(style, "png", lambda figure, about: figure):
        return picture.draw(n, {})


def frames(figure, n):
    """What moves, as it is in each frame."""
    moving = animation.still_parts(figure, n)
    for index in range(len(n.steps)):
        animation.show(moving, n, index)
        yield moving


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
    """Labelled ticks on each axis, and no text outside the figure, over another, or too small for 450 pixels."""
    found = texts(figure)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert len({text.get_text() for text in axis.get_ticklabels() if text in found}) >= 2, axes
    assert not [text for text in found if "-0" in text.get_text().split()]
    assert min(text.get_fontsize() for text in found) >= 11
    low, high = np.array([text.get_window_extent().get_points() for text in found]).transpose(1, 0, 2)
    outside = ((low < 0) | (high > figure.bbox.size)).any(1)
    assert not [found[index] for index in np.flatnonzero(outside)]
    overlap = ((low[:, None] < high) & (low < high[:, None])).all(2)
    assert not [(found[one], found[other]) for one, other in np.argwhere(np.triu(overlap, 1))]


@pytest.mark.parametrize("case", ODD)
def test_every_run_has_pictures_that_can_be_read(case):
    n, moving, _ = ran(**ODD[case])
    check_layout(drawn(n))
    if case in MOVING:
        figure = style.new_figure(animation.WIDTH, animation.HEIGHT, moving.message, moving.made_by)
        *_, last = frames(figure, moving)
        for each in last.values():
            each.set_animated(False)
        check_layout(figure)


@pytest.mark.parametrize(("changes", "says"), [
    ({}, "At rate 0.02, A goes from 0.3 to 9.656 in 100 steps and ends 0.244 from where the loss is least"),
    ({"best": None}, "At rate 0.02, A goes from 0.3 to 9.656 in 100 steps and ends 0.344 from the theory"),
    ({"best": None, "target": None}, "At rate 0.02, A goes from 0.3 to 9.656 in 100 steps"),
    ({"steps": 1}, "At rate 0.02, A goes from 0.3 to 0.6838 in 1 step and ends 9.22 from where the loss is least"),
    ({"rate": 3, "early": DIVERGED},
     "The run diverged by step 39: at rate 3, A goes from 0.3 to -6.348e+37 in 52 steps and leaves this "
     "picture at step 1"),
    ({"steps": 7, "early": "stopped by SIGINT after step 7"},
     "Stopped by SIGINT after step 7: at rate 0.02, A goes from 0.3 to 2.706 in 7 steps")])
def test_the_title_says_in_a_sentence_what_the_run_shows(changes, says):
    assert ran(**changes)[0].message == says


@pytest.mark.parametrize("case", ["the regression", "the classification"])
def test_the_run_lies_on_the_mean_loss_between_its_marks(case):
    n, _, log = ran(**ODD[case])
    bowl, A_panel = drawn(n).axes[:2]
    mean, run = lines(bowl)["mean of all samples"], lines(bowl)["the run"]
    np.testing.assert_array_equal(mean.get_xydata(), np.c_[n.grid, n.mean])
    np.testing.assert_array_equal(run.get_xdata(), log.A)
    np.testing.assert_allclose(run.get_ydata(), np.interp(log.A, n.grid, n.mean))
    assert [lines(bowl)[name].get_xdata() for name in ("start", "last step")] == [log.A[0], log.A[-1]]
    for name, A in (f"in theory: {n.target}", n.target), (f"least loss: {n.best}", n.best):
        assert set(lines(bowl)[name].get_xdata()) == {A}
        assert set(lines(A_panel)[name].get_ydata()) == {A}


@pytest.mark.parametrize(("steps", "window"), [(100, 5), (1010, 25), (3, 3)])
def test_A_and_the_loss_are_drawn_at_their_steps(steps, window):
    n, _, log = ran(steps=steps)
    _, A_panel, loss_panel, _ = drawn(n).axes
    np.testing.assert_array_equal(lines(A_panel)["the run"].get_xydata(), np.c_[np.arange(steps + 1), log.A])
    points = lines(loss_panel)[f"single steps: {steps:,}"].get_xydata()
    np.testing.assert_array_equal(points, np.c_[np.arange(1, steps + 1), log.loss])
    mean = lines(loss_panel)[f"mean of {window} steps"].get_xydata()
    ends = range(steps % window + window, steps + 1, window)
    np.testing.assert_allclose(mean, [(end, log.loss[end - window : end].mean()) for end in ends], 1e-6)


def test_each_panel_says_what_its_axes_are():
    labels = [(axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) for axes in drawn(ran()[0]).axes]
    assert labels == [("A", "loss", "linear"), ("step", "A", "linear"), ("step", "loss", "log"), ("x", "y", "linear")]


def test_before_and_after_are_not_exchanged_and_the_samples_stand_at_their_targets():
    n, _, log = ran(**ODD["the classification"])
    found, output = lines(drawn(n).axes[3]), FORMULAS["classification"][0]
    for name, A in ("before", log.A[0]), ("after", log.A[-1]):
        np.testing.assert_allclose(found[f"{name}: A = {A:.4g}"].get_ydata(), output(n.x, A))
    np.testing.assert_array_equal(found["samples"].get_xydata(), np.c_[n.x_vals, n.y_vals])


@pytest.mark.parametrize("changes", [{"rate": 0.3, "sd": 0}, {"rate": 3}])
def test_losses_that_a_logarithmic_axis_cannot_show_are_not_counted(changes):
    n, _, log = ran(**changes)
    shown = (log.loss > 0) & (log.loss < np.inf)
    assert 0 < np.sum(shown) < 100
    points = lines(drawn(n).axes[2])
    np.testing.assert_array_equal(points[f"single steps: {np.sum(shown)}"].get_xdata(), 1 + np.flatnonzero(shown))


def test_steps_outside_the_panel_are_not_drawn_at_its_edge():
    n, _, log = ran(rate=0.97, steps=290)
    low, high = n.span
    there = lines(drawn(n).axes[0])["the run"].get_xdata()[(low > log.A) | (high < log.A)]
    assert n.left is None
    assert len(there) > 3
    assert np.all((there < low) | (there > high))


def test_a_run_that_diverges_shows_where_it_left_and_from_which_step_there_is_no_number():
    n, _, log = ran(rate=1.2, early=DIVERGED)
    figure = drawn(n)
    inside = (n.span[0] <= log.A) & (n.span[1] >= log.A)
    assert n.left == 1 + np.flatnonzero(inside)[-1] > 1
    assert n.span[1] - n.span[0] < 5 * 10
    edge = n.span[int(log.A[n.left] > 10)]
    *path, end = lines(figure.axes[0])["the run"].get_xdata()
    np.testing.assert_array_equal(path, log.A[: n.left])
    assert (end - edge) * (edge - 10) > 0  # out of sight
    assert "last step" not in lines(figure.axes[0])
    there = lines(figure.axes[0])[f"leaves at step {n.left}"]
    assert (there.get_marker(), *there.get_xdata()) == (">" if edge > 10 else "<", edge)
    np.testing.assert_array_equal(lines(figure.axes[1])["the run"].get_xdata(), range(n.left + 1))
    assert [name[:9] for name in lines(figure.axes[3]) if "A =" in name] == ["before: A"]  # that after is out of sight


def test_without_the_model_the_picture_has_two_panels_and_says_what_is_left_out():
    figure = drawn(ran(known=False)[0])
    assert len(figure.axes) == 2
    assert "without the loss over A and the model: of a fault" in figure.get_supxlabel().replace("\n", " ")


def test_a_long_run_is_drawn_from_evenly_spaced_steps_and_says_so_and_a_short_one_from_all():
    n, _, _ = ran(steps=20_000, rate=1e-4)
    np.testing.assert_array_equal(n.steps, np.arange(0, 20_001, 10))
    assert drawn(n).get_supxlabel() == "The recipe; gradient-descent, seed 18; one step in 10 is drawn"
    n, _, _ = ran(steps=2000)
    np.testing.assert_array_equal(n.steps, np.arange(2001))
    assert drawn(n).get_supxlabel() == "The recipe; gradient-descent, seed 18"


@pytest.mark.parametrize("steps", [1, 2, 13, 14, 30, 31, 60, 61, 100, 1400, 1_000_000, 100_000_000])
def test_up_to_70_frames_show_a_run_from_its_first_to_its_last_step(steps):
    shown = numbers.frames_of(steps)
    assert min(steps, 50) <= len(shown) <= 70
    assert (shown[0], shown[-1]) == (1, steps)
    first = range(1, min(steps, 5) + 1)
    assert shown[: animation.PHASES].tolist() == [step for step in first for _ in range(3)]
    spaces = np.diff(shown[animation.PHASES :])
    assert len(spaces) == 0 or 0 < spaces.max() < 1.1 * spaces[1:].min() + 1
    assert steps > 55 or set(shown) == set(range(1, steps + 1))


@pytest.mark.parametrize("case", ["the regression", "the classification", "diverged"])
def test_each_frame_shows_its_step_first_the_sample_then_the_tangent_then_the_step(case):
    _, n, log = ran(**ODD[case])
    phases, recipe = [], ODD[case].get("recipe", "regression")
    output, loss, slope = FORMULAS[recipe]
    for step, seen in zip(n.steps, frames(style.new_figure(800, 540), n), strict=True):
        x, y, A, after = log.x[step - 1], log.y[step - 1], float(log.A[step - 1]), float(log.A[step])
        fed = f"Step {step:,} is fed the sample x = {style.number(x)} with target {y:g}:\n"
        assert seen["caption"].get_text().startswith(fed)
        assert seen["fed"].get_xydata().tolist() == [[x, y]]
        np.testing.assert_allclose(seen["own"].get_ydata(), loss(x, y, n.grid))
        np.testing.assert_allclose(seen["model"].get_ydata(), output(n.x, A))
        for name in ("model", "A"):  # not beyond what the panel shows
            low, high = seen[name].axes.get_ylim()
            assert np.all((seen[name].get_ydata() > low) & (seen[name].get_ydata() < high))
        (left, low), (right, high) = seen["tangent"].get_xydata()
        assert (high - low) / (right - left) == pytest.approx(slope(x, y, A), rel=1e-5, abs=1e-9)
        np.testing.assert_allclose(seen["step"].get_xydata(), [(A, loss(x, y, A)), (after, loss(x, y, after))])
        np.testing.assert_allclose(seen["A"].get_xydata(), [(A, loss(x, y, A))])
        phases.append((step, seen["tangent"].get_visible(), seen["step"].get_visible()))
    assert phases[:3] == [(1, False, False), (1, True, False), (1, True, True)]
    assert phases[-1] == (n.left or len(log), True, True)


def test_the_files_are_sharp_small_and_carry_what_made_them_whatever_the_users_settings():
    n, moving, _ = ran(steps=1)
    plain = picture.draw(n, {"Command": "python"})
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        assert picture.draw(n, {"Command": "python"}) == plain
    image = Image.open(io.BytesIO(plain))
    assert (image.size, image.text["Command"], image.mode) == ((1800, 1600), "python", "P")
    assert len(plain) < 150_000
    content = animation.draw(moving, {"Command": "python", "Source": "numpy"})
    image = Image.open(io.BytesIO(content))
    assert (image.size, image.n_frames) == ((1200, 810), 3)
    assert (image.info["loop"], image.info["comment"]) == (0, b"Command: python\nSource: numpy")
    assert len(content) < 400_000


@pytest.mark.parametrize("limits", [(62, 142), (1, 10), (3e-5, 2.9), (1, 1.0000001), (1e-45, 1e38), (20, 49)])
def test_a_logarithmic_axis_has_two_to_seven_ticks_in_plain_text(limits):
    axes = style.new_figure(300, 300).add_subplot(yscale="log", ylim=limits)
    style.ticks(axes, y=5)
    ticks = [tick for tick in axes.get_yticks() if limits[0] <= tick <= limits[1]]
    assert 2 <= len(ticks) <= 7
    labels = [text.get_text().replace(",", "") for text in axes.get_yticklabels()]
    np.testing.assert_allclose(np.float64(labels), axes.get_yticks())


@pytest.mark.parametrize(("value", "text"), [
    (-0.0, "0"), (1e-4, "0.0001"), (15_280, "15,280"), (1e6, "1,000,000"), (-9.79624, "-9.796"), (1.7e38, "1.7e+38"),
    (np.nan, "nan"), (-np.inf, "-inf"), (0.99999, "1"), (-3e-7, "-3e-07")])
def test_numbers_are_written_out_where_that_can_be_read(value, text):
    assert style.number(value) == text


def test_a_chinese_title_stays_inside_and_has_a_font_where_there_is_one():
    figure = style.new_figure(900, 800, "A", "回归" * 60)
    assert figure.texts[1].get_fontfamily()[:2] == ["DejaVu Sans", "Noto Sans CJK SC"]
    wide = max(map(len, figure.get_supxlabel().split("\n"))) * style.SMALL * 100 / 72  # such a letter is a square
    assert 700 < wide < 900 - 2 * 0.012 * 900
    check_layout(drawn(ran(made_by="Größe: $x_1^2$; " * 20)[0]))


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_numbers_are_those_of_the_run_and_of_its_graph(recipe, tmp_path, monkeypatch):
    asked = {}

    class Artist:
        def draw(self, about, pictures):
            asked.update(pictures)
            return [(ending, b"drawn") for ending in pictures]

        def close(self):
            pass

    monkeypatch.setattr(artist, "Artist", Artist)
    run = SCRIPTS[recipe].main(["--animate", "--output-dir", tmp_path])
    assert {path.read_bytes() for path in run.files[-2:]} == {b"drawn"}
    n, moving = (SimpleNamespace(**asked[ending][1]) for ending in (".png", ".gif"))
    output, loss, slope = FORMULAS[recipe]
    np.testing.assert_array_equal(n.A, run.A)
    np.testing.assert_array_equal(n.loss[1:], run.loss)
    every = loss(n.x_vals, n.y_vals, n.grid[:, None])
    np.testing.assert_allclose(n.mean, every.mean(axis=1), rtol=1e-12)
    assert slope(n.x_vals, n.y_vals, n.best).mean() == pytest.approx(0, abs=1e-6)
    assert (n.x[0], n.x[-1]) == (n.x_vals.min(), n.x_vals.max())
    assert n.made_by == f"{recipe.capitalize()} by back propagation; gradient-descent, seed 605, {len(run):,} steps"
    for drawn, A in (n.before, run.A[0]), (n.after, run.A[-1]):
        np.testing.assert_allclose(drawn, output(n.x, float(A)), rtol=1e-12)
    x, y, A = (column.astype(float)[moving.steps - 1] for column in (run.x, run.y, run.A))
    after = run.A[moving.steps].astype(float)
    for drawn, expected in ((moving.fed, x), (moving.y, y), (moving.A, np.c_[A, after]),
                            (moving.loss, np.c_[loss(x, y, A), loss(x, y, after)]), (moving.gradient, slope(x, y, A)),
                            (moving.own, loss(x[:, None], y[:, None], n.grid)),
                            (moving.model, output(n.x, A[:, None]))):
        np.testing.assert_allclose(drawn, expected, rtol=1e-9, atol=1e-12)
