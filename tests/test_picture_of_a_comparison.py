"""What the picture of a comparison shows, read back from the figure and held against the numbers put in."""

from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from common.pictures import comparison, style, sweep

GRID = np.linspace(-10, 30, 601)  # twice the way from the start to the target, as `table.draw` makes it
STEPS = np.arange(101)


def row(rate, optimizer="gradient-descent", runs=100, diverged=0, last=(9.9, 0.25, 9.5, 9.8, 10.4), steps=77.0):
    mean, sd, low, middle, high = last or [None] * 5
    return {"optimizer": optimizer, "learning_rate": rate, "runs": runs, "diverged": diverged, "A_mean": mean,
            "A_sd": sd, "A_p05": low, "A_p50": middle, "A_p95": high, "loss_mean": mean, "steps_to_target": steps}


def lost(rate, optimizer="gradient-descent", runs=100):
    return row(rate, optimizer, runs, runs, None, None)


def path(rate, steps=STEPS):
    """`A` by gradient descent on (A - 10)²."""
    with np.errstate(all="ignore"):
        return (10 - 10 * np.float64(1 - 2 * rate) ** steps).astype(np.float32)


def numbers(*rows, ways=None, **changes):
    """Numbers of a comparison; the rows' medians are paths at their rates, unless `ways` has others."""
    first = [path(each["learning_rate"] or 0.1) for each in rows]
    curves = [(STEPS, np.stack([A - 0.5, A, A + 1.5])) for A in first]
    if ways:
        curves = [(STEPS[:len(each)], np.nan_to_num([each] * 3, nan=3e38, posinf=3e38, neginf=-3e38)) for each in ways]
    return SimpleNamespace(**{
        "title": "A title", "made_by": "what made it", "rows": rows, "curves": curves, "first": first, "grid": GRID,
        "mean": (GRID - 10) ** 2, "target": 10.0, "goal": 10.0, "near": 0.5, "far": 100,
        "stable": 0.95, **changes})


def drawn(module, some_numbers):
    """The figure that a module draws."""
    with mock.patch.object(style, "png", lambda figure, about: figure):
        return module.draw(some_numbers, {})


def draw(*rows, **changes):
    return drawn(comparison, numbers(*rows, **changes))


def assert_readable(figure):
    """No text is smaller than 11 points, on another one or outside the picture."""
    figure.draw_without_rendering()  # lays it out
    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    beyond = {label for axis in axes for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)
              if np.clip(tick.get_loc(), *sorted(axis.get_view_interval())) != tick.get_loc()}
    texts = [text for text in figure.findobj(Text)
             if text.get_visible() and text.get_text().strip() and text not in beyond]
    boxes = [text.get_window_extent() for text in texts]
    for index, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        assert text.get_size() >= style.SMALL, text
        assert all(figure.bbox.contains(*corner) for corner in (box.min, box.max)), text
        near = [other for other, there in zip(texts[:index], boxes, strict=False) if box.padded(-1).overlaps(there)]
        assert not near, text


def words(figure):
    return [text.get_text().replace("\n", " ") for text in figure.findobj(Text) if text.get_text()]


def line_of(axes, look):
    return next(line for line in axes.lines if line.get_color() == look and len(line.get_xdata()) > 5)


def entries(axes):
    """{the text of an entry of the legend: the colour of the line beside it}"""
    legend = axes.get_legend()
    found = {}
    for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True):
        assert text.get_color() == line.get_color()
        found[text.get_text()] = line.get_color()
    return found


def test_each_row_is_a_line_at_every_step_named_in_its_colour_with_where_it_ends_beside():
    axes, = (figure := draw(row(0.02), row(0.1, "adam", last=(9, 1, 8.0, 9.3, 12.0), steps=1.0))).axes
    bands = {to_hex(band.get_facecolor()[0]): band.get_paths()[0].vertices for band in axes.collections}
    assert list(entries(axes)) == ["adam at rate 0.1\n9.3 (8 to 12)",  # which ends higher
                                   "gradient-descent at rate 0.02\n9.8 (9.5 to 10.4)"]
    for colour, rate in zip(entries(axes).values(), (0.1, 0.02), strict=True):
        np.testing.assert_array_equal(line_of(axes, colour).get_xydata(), np.column_stack([STEPS, path(rate)]))
        heights = bands[colour.lower()][bands[colour.lower()][:, 0] == 30, 1]
        np.testing.assert_allclose((heights.min(), heights.max()), path(rate)[30] + np.float32([-0.5, 1.5]))
    assert len({line.get_linestyle() for line in axes.lines if len(line.get_xdata()) > 5}) == 2
    assert "last A: median (5% to 95%) grey: within 0.5 of 10" in words(figure)
    assert [line.get_ydata() for line in axes.lines if line.get_color() == "black"] == [[10, 10]]
    assert [(patch.get_y(), patch.get_height()) for patch in axes.patches] == [(9.5, 1)]


def test_rows_that_coincide_are_named_together():
    axes, = draw(row(0.02), row(0.1, "adam"), row(0.02, "ftrl"), row(0.02, "adagrad")).axes
    assert list(entries(axes)) == ["adam at rate 0.1\n9.8 (9.5 to 10.4)", (
        "gradient-descent at rate 0.02\nftrl at rate 0.02\nadagrad at rate 0.02\n9.8 (9.5 to 10.4)")]


def test_a_single_run_has_no_percentiles():
    axes, = (figure := draw(row(0.02, runs=1), ways=[path(0.02)])).axes
    np.testing.assert_array_equal(line_of(axes, style.BLUE).get_xydata(), np.column_stack([STEPS, path(0.02)]))
    assert list(entries(axes)) == ["gradient-descent at rate 0.02\n9.8"]
    assert "last A grey: within 0.5 of 10" in words(figure)


@pytest.mark.parametrize(("rows", "sentence"), [
    ([row(0.02), row(0.1, "adam", steps=15_280.0), row(0.1, "ftrl", steps=533.5)],
     "In the median run, gradient-descent at rate 0.02 is first within 0.5 of 10, after 77 steps, "
     "adam at rate 0.1 last, after 15,280 steps"),
    ([row(0.02), row(0.1), row(0.1, "adam", steps=None)], "In the median run, gradient-descent at rate 0.02 and "
     "gradient-descent at rate 0.1 are first within 0.5 of 10, after 77 steps; 1 of 3 never are"),
    ([row(0.02, runs=1, steps=1.0)], "gradient-descent at rate 0.02 is first within 0.5 of 10, after 1 step"),
    ([row(0.02, runs=1), row(0.1, "adam", runs=1, steps=None)],
     "gradient-descent at rate 0.02 is first within 0.5 of 10, after 77 steps; 1 of 2 never are"),
    ([row(0.02, steps=None), lost(3, "adam")], "In the median run, A ends at 9.8"),
    ([row(0.02, steps=None), row(0.1, "adam", last=(1, 1, 1, 1, 1), steps=None)],
     "In the median run, A ends at 1 to 9.8"),
    ([lost(3), lost(3, "adam")], "A diverges"), ([lost(3)], "A diverges")])
def test_the_title_says_who_arrives(rows, sentence):
    assert sentence in words(draw(*rows))


@pytest.mark.parametrize("beyond", [1e38, np.nan, -np.inf])
def test_a_line_that_leaves_is_out_of_sight(beyond):
    A = np.where(STEPS > 40, beyond, path(0.02)).astype(np.float32)
    A[20] = 1e6  # it comes back from there
    axes, = draw(lost(0.02, runs=1), row(0.1, "adam", runs=1), ways=[A, path(0.1)]).axes
    colour = entries(axes)["gradient-descent at rate 0.02\ndiverged"]
    steps, line = line_of(axes, colour).get_data()
    np.testing.assert_array_equal(steps, STEPS)
    np.testing.assert_array_equal(np.delete(line[:41], 20), np.delete(path(0.02)[:41], 20))
    assert not np.any((line >= axes.get_ylim()[0]) & (line <= axes.get_ylim()[1]) & (STEPS > 40))


def test_a_panel_shows_where_the_lines_go_and_not_twice_as_much():
    low, high = draw(row(0.02, runs=1), ways=[path(0.02)]).axes[0].get_ylim()
    assert -1 < low < 0
    assert 10.5 < high < 11.5
    over = 10 + 4 * np.sin(STEPS / 5) - 10 * (STEPS == 0)
    assert 14 < draw(row(0.02, runs=1), ways=[over]).axes[0].get_ylim()[1] < 15
    assert draw(row(0.02, runs=1), ways=[100 * over]).axes[0].get_ylim()[1] < 20


def test_several_optimizers_at_several_rates_have_a_panel_each_and_a_rate_has_one_colour():
    figure = draw(*(row(rate, name) for name in ("adam", "ftrl") for rate in (0.1, 0.02)))
    assert [axes.get_title("left") for axes in figure.axes] == ["adam", "ftrl"]
    looks = entries(figure.axes[-1])
    assert list(looks) == ["0.02", "0.1"]
    assert "learning rate grey: within 0.5 of 10" in words(figure)
    for axes in figure.axes:
        lines = [line_of(axes, colour) for colour in looks.values()]
        np.testing.assert_array_equal([line.get_ydata() for line in lines], [path(float(rate)) for rate in looks])
        assert len({line.get_linestyle() for line in lines}) == 2
        assert len([line for line in axes.lines if len(line.get_xdata()) > 5]) == 2


@pytest.mark.parametrize(("A", "word"), [
    (path(0.002), "creeps"), (path(0.02), "arrives"), (path(0.99), "leaps across"), (path(1.2), "flies off"),
    (path(0.4), "arrives"), (10 + 3 * np.sin(STEPS / 5), "wanders"), (path(1e-9), "creeps"),
    (np.full(101, 10.0), "arrives"), (np.array([0, 18.0]), "leaps across"), (np.array([0, 0.1]), "creeps"),
    (np.array([0, 10.2]), "arrives"), (np.r_[0.0, 4, 8, 12, 11, np.full(20, 10.0)], "arrives"),
    (np.r_[path(0.02), np.nan], "flies off"), (np.float32([0, 2e38, 10]), "flies off"), (0.0 - STEPS, "flies off")])
def test_what_a_path_does_is_told_by_its_numbers(A, word):
    assert sweep.outcome(A, numbers()) == word


def test_a_sweep_shows_each_rates_path_on_the_loss_step_by_step_with_what_happened():
    figure = draw(row(0.2), lost(1.2), row(0.02), row(0.99), row(0.002))
    *bowls, _ = figure.axes
    titles = ["0.002 creeps", "0.02 arrives", "0.2 arrives", "0.99 leaps across", "1.2 flies off"]
    assert [axes.get_title("left") for axes in bowls] == titles
    made_by = "A title; gradient-descent, what made it; paths: run 1"
    assert {f"A rate of {', '.join(titles)}", made_by} <= set(words(figure))
    for axes, rate in zip(bowls, (0.002, 0.02, 0.2, 0.99), strict=False):
        np.testing.assert_array_equal(line_of(axes, style.BLUE).get_xydata(), np.column_stack([GRID, (GRID - 10) ** 2]))
        A, loss = line_of(axes, style.VERMILION).get_xydata().T
        np.testing.assert_allclose(A, path(rate))
        np.testing.assert_allclose(loss, (path(rate) - 10.0) ** 2, atol=0.01)
        end, = (line for line in axes.lines if line.get_marker() == "D")
        np.testing.assert_allclose(end.get_xdata(), path(rate)[-1:])
        assert axes.get_xlabel() == f"◆ last A: {style.number(path(rate)[-1])}"
    A, loss = line_of(bowls[-1], style.VERMILION).get_xydata().T
    inside = np.abs(path(1.2) - 10) <= 16
    np.testing.assert_allclose(A[inside], path(1.2)[inside])
    assert np.all(loss[~inside] > bowls[-1].get_ylim()[1])


def test_below_the_paths_stand_the_error_of_each_rate_and_where_it_diverges():
    rows = [row(0.2), lost(3), row(0.02, last=(7.0, 4.0, 1, 7, 9)), row(0.9, diverged=5),
            row(0.05, last=(0.0, 0, 0, 0, 0))]
    axes = draw(*rows).axes[-1]
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel()) == ("log", "log", "learning rate")
    assert axes.get_title("left") == (
        "Root mean square error of the last A (target 10), without runs that diverged")
    near = np.hypot(0.1, 0.25)
    line, = axes.lines
    np.testing.assert_allclose(line.get_xydata(), [(0.02, 5), (0.05, 10), (0.2, near), (0.9, near), (3, np.nan)])
    for changes, rate in (({}, 0.95), ({"stable": None}, 3), ({"stable": 5.0}, 3)):
        band, = draw(*rows, **changes).axes[-1].patches
        assert band.get_x() == rate
    assert [text.get_text() for text in axes.texts] == ["diverges"]
    band, = draw(lost(1, "adam"), lost(3, "adam"), lost(4, "adam"), row(2, "adam"), stable=None).axes[-1].patches
    assert band.get_x() == 3  # where larger rates diverge too
    assert not draw(row(0.02, "adam"), row(0.2, "adam")).axes[-1].patches
    assert not draw(row(0.2), row(1, diverged=1), stable=0.9).axes[-1].patches  # where most runs do not
    assert draw(row(0.02), row(0.2), goal=30).axes[-1].get_title("left") == "Mean loss with the last A"  # other data
    assert draw(row(0.02), row(0.2), goal=None).axes[0].get_title("left") == "0.02"
    assert not draw(lost(2), lost(3)).axes[-1].get_yticks().size  # where nothing is drawn
    axes = draw(row(0.02), row(0.2), target=None).axes[-1]
    assert axes.get_title("left") == "Mean loss with the last A"
    axes = draw({**row(0.02), "runs": 1}, {**row(0.2), "runs": 1}).axes[-1]
    assert axes.get_title("left") == "Error of the last A (target 10)"


RATES = [row(0.002), row(0.02), row(0.2), row(0.9), lost(1.2)]
ELEVEN = [row(0.005 * (1 + index), name) for index, name in enumerate((
    "gradient-descent", "momentum", "nesterov", "adagrad", "adagrad-da", "adadelta", "rmsprop", "adam", "ftrl",
    "proximal-gradient-descent", "proximal-adagrad"))]
ODD = {
    "a sweep": (RATES, {}), "eleven": (ELEVEN, {}), "no target": (RATES, {"target": None}),
    "no model": (RATES, {"grid": None}),
    "all diverge": ([lost(30), lost(50)], {}), "one diverges": ([lost(3)], {}),
    "one step": (ELEVEN, {"ways": [path(0.02)[:2]] * 11}), "its own": ([row(None, None)], {}),
    "zero": ([row(0.02, last=(10.0, 0, 10, 10, 10)), row(0.2)], {"mean": 0 * GRID, "first": [np.full(9, 10.0)] * 2}),
    "tiny rates": ([row(rate) for rate in (1e-7, 1e-6, 2e-6)], {}),
    "many steps": (ELEVEN, {"curves": [(STEPS * 10**6, np.stack([path(0.02)] * 3))] * 11}),
    "many": ([row(0.01 * rate, each["optimizer"]) for each in ELEVEN for rate in range(1, 9)], {}),
    "forty rates": ([row(0.001234 * rate) for rate in range(1, 41)], {}),
}


@pytest.mark.parametrize("case", ODD)
def test_every_picture_can_be_read(case):
    rows, changes = ODD[case]
    assert_readable(draw(*rows, **changes))
