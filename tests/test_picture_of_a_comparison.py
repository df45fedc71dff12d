"""What the picture of a comparison shows, read back from the figure and held against the numbers put in."""

import functools
import io

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from common.pictures import comparison

LIMITS = {"mean": 0.990, "variance": 0.953, "typical": 1.03}
ELEVEN = ["gradient-descent", "momentum", "nesterov", "adagrad", "adagrad-da", "adadelta", "rmsprop", "adam", "ftrl",
          "proximal-gradient-descent", "proximal-adagrad"]


def row(rate, optimizer="gradient-descent", runs=100, diverged=0, last=(9.9, 0.25, 9.5, 9.8, 10.4), steps=77.0):
    mean, sd, low, middle, high = last or [None] * 5
    return {"optimizer": optimizer, "learning_rate": rate, "runs": runs, "diverged": diverged, "A_mean": mean,
            "A_sd": sd, "A_p05": low, "A_p50": middle, "A_p95": high, "loss_mean": mean, "steps_to_target": steps}


def lost(rate, runs=100):
    return row(rate, runs=runs, diverged=runs, last=None, steps=None)


def curve(speed, steps=100):
    """From 0 towards 10, the percentiles at unlike distances from the median."""
    at = np.arange(steps + 1)
    middle = 10 - 10 * np.exp(-speed * at)
    return at, middle - 0.5, middle, middle + 1.5


def away(steps=100):
    """Ever wider oscillation, in the end no number."""
    with np.errstate(all="ignore"):
        middle = 10 - 10 * np.float64(-20.0) ** np.arange(steps + 1) * np.where(np.arange(steps + 1) > 90, np.nan, 1)
    return np.arange(steps + 1), middle, middle, middle


def draw(rows, curves=None, **changes):
    numbers = {"title": "A title", "made_by": "what made it", "rows": rows, "paths": None, "target": 10.0, "near": 0.5,
               "curves": curves or [curve(0.02 * (1 + index)) for index in range(len(rows))], "limits": LIMITS,
               "curves_of": min(1024, rows[0]["runs"]), **changes}
    return comparison.draw(**numbers)


def panels(figure):
    """The panel of the steps, of the last A, of arrivals, and those of a sweep: by name."""
    found = {}
    for axes in figure.get_axes():
        title = axes.get_title("left")
        for name, sign in (("path", axes.get_xlabel() == "step"), ("last", title.startswith("The last A")),
                           ("exact", title.startswith("Root mean square error")), ("fast", title.startswith("Steps"))):
            if sign:
                found.setdefault(name, axes)
    found["arrival"] = next(axes for axes in figure.get_axes() if axes.texts and "first" in axes.texts[0].get_text())
    return found


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def labelled(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def colour(artist):
    return to_hex(np.ravel(artist.get_facecolor())[:3] if hasattr(artist, "get_facecolor") else artist.get_color())


def arrows(axes, mark):
    return [(line.get_xdata()[0], line.get_ydata()[0], colour(line)) for line in axes.lines
            if line.get_marker() == mark and len(line.get_xdata()) == 1]


def test_each_rows_median_is_drawn_under_its_name_and_its_90_percent_shaded_in_its_colour():
    path = panels(draw([row(0.02), row(0.2, "adam")]))["path"]
    bands = {colour(band): band.get_paths()[0].vertices for band in path.collections}
    for label, (at, low, middle, high) in (("gradient-descent 0.02", curve(0.02)), ("adam 0.2", curve(0.04))):
        line = labelled(path, label)
        np.testing.assert_array_equal(line.get_xdata(), at)
        np.testing.assert_array_equal(line.get_ydata(), middle)
        band = bands[colour(line)]
        for step in (1, 50, 99):
            heights = band[band[:, 0] == step, 1]
            assert (heights.min(), heights.max()) == (low[step], high[step])


def test_each_of_a_few_runs_is_a_thin_line_in_its_rows_colour_and_nothing_is_shaded():
    paths = [np.linspace(0, [9, 10, 11], 101), np.linspace(1, [5, 6, 7], 101)]
    path = panels(draw([row(0.02, runs=3), row(0.2, runs=3)], paths=paths))["path"]
    assert not path.collections
    for label, runs in (("gradient-descent 0.02", paths[0]), ("gradient-descent 0.2", paths[1])):
        thick = labelled(path, label)
        thin = [line.get_ydata() for line in path.lines
                if line.get_linewidth() < 1 and colour(line) == colour(thick)]
        np.testing.assert_array_equal(np.transpose(thin), runs)


@pytest.mark.parametrize(("runs", "curves_of", "title"), [
    (1, 1, "A, step by step"),
    (1000, 1000, "A, step by step: median of 1,000 runs, shaded: 90% of them, where they fit"),
    (100_000, 1024, "A, step by step: median of the first 1,024 of 100,000 runs, shaded: 90% of them, where they fit")])
def test_the_title_says_how_many_runs_are_behind_the_curves(runs, curves_of, title):
    assert title in words(draw([row(0.02, runs=runs), row(0.2, runs=runs)], curves_of=curves_of))


@pytest.mark.parametrize(("height", "mark", "text"), [(400.0, "^", "▲ up to 400"), (-400.0, "v", "▼ down to -400"),
                                                      (np.inf, "^", "▲ up to ∞"), (np.nan, "^", "▲ up to ∞")])
def test_a_curve_that_leaves_the_frame_is_marked_there_and_drawn_to_its_end(height, mark, text):
    at, low, middle, high = curve(0.05)
    middle[20:40] = height
    path = panels(draw([row(0.02), row(0.2)], [(at, low, middle, high), curve(0.02)]))["path"]
    line = labelled(path, "gradient-descent 0.02")
    edge = path.get_ylim()[mark == "^"]
    assert arrows(path, mark) == [(20, edge, colour(line))]
    assert path.get_title("right") == text
    np.testing.assert_array_equal(line.get_ydata()[40:], middle[40:])
    assert np.all((line.get_ydata()[20:40] > edge) == (mark == "^"))


def test_the_last_A_shows_the_median_and_the_percentiles_in_the_line_of_their_row():
    rows = [row(0.02, last=(9, 1, 7.0, 9.1, 9.9)), row(0.2, "adam", last=(9, 1, 8.0, 9.3, 12.0), steps=3.0)]
    figure = panels(draw(rows))
    last, arrival = figure["last"], figure["arrival"]
    assert last.get_ylim() == arrival.get_ylim()
    for axes, texts in ((last, ["gradient-descent 0.02", "adam 0.2"]), (arrival, ["77 steps", "3 steps"])):
        assert [label.get_text() for label in axes.get_yticklabels()] == texts
    for name, place, figures in zip(["gradient-descent 0.02", "adam 0.2"], last.get_yticks(), rows, strict=True):
        bar, dot = (line for line in last.lines if np.all(np.equal(line.get_ydata(), place)))
        assert list(bar.get_xdata()) == [figures["A_p05"], figures["A_p95"]]
        assert list(dot.get_xdata()) == [figures["A_p50"]]
        assert colour(bar) == colour(dot) == colour(labelled(figure["path"], name))
        assert dot.get_marker() == labelled(figure["path"], name).get_marker()


def test_what_lies_outside_the_frame_of_the_last_A_has_an_arrow_and_its_value():
    rows = [row(0.02), row(0.2, last=(9, 20, -80.0, 9.1, 70.0)), row(1, last=(60, 9, 50.0, 60.0, 90.0))]
    last = panels(draw(rows))["last"]
    assert [place for _, place, _ in arrows(last, ">")] == [-1, -2]
    assert [place for _, place, _ in arrows(last, "<")] == [-1]
    values = {(text.xy[1], text.get_ha()): text.get_text() for text in last.texts}
    assert values == {(-1, "left"): "70", (-1, "right"): "-80", (-2, "left"): "median 60"}
    low, high = last.get_xlim()
    assert all(low < text.xy[0] < high for text in last.texts)


def test_arrival_is_told_in_words():
    told = [(row(1), "77 steps"), (row(1, steps=1.0), "1 step"), (row(1, steps=1234.5), "1,234.5 steps"),
            (row(1, steps=None), "never"), (lost(1), "diverged"), (row(1, diverged=3), "77 steps, 3 of 100 diverged"),
            (row(1, diverged=1234, runs=5000, steps=None), "never, 1,234 of 5,000 diverged")]
    arrival = panels(draw([figures for figures, _ in told]))["arrival"]
    assert [label.get_text() for label in arrival.get_yticklabels()] == [text for _, text in told]


@pytest.mark.parametrize(("target", "near"), [(10.0, 0.5), (-1.0, 0.25)])
def test_the_target_and_what_is_near_it_are_marked(target, near):
    figure = panels(draw([row(0.02)], target=target, near=near))
    assert list(labelled(figure["path"], f"target: {target:g}").get_ydata()) == [target] * 2
    band = next(patch for patch in figure["path"].patches if patch.get_label() == f"within {near:g} of it")
    assert (band.get_y(), band.get_height()) == (target - near, 2 * near)
    assert list(next(line for line in figure["last"].lines if line.get_ls() == "--").get_xdata()) == [target] * 2
    band = figure["last"].patches[0]
    assert (band.get_x(), band.get_width()) == (target - near, 2 * near)
    assert f"first within {near:g} of {target:g}" in figure["arrival"].texts[0].get_text()


def test_a_sweep_shows_error_and_steps_of_each_rate_and_says_which_never_arrive_or_diverge():
    rows = [row(0.2, steps=7.0), lost(3), row(0.02, last=(7.0, 4.0, 1, 7, 9)), row(0.9, diverged=5, steps=11.0),
            row(0.002, last=(2.0, 6.0, 1, 2, 3), steps=None)]
    figure = panels(draw(rows))
    for name, values in (("exact", [10.0, 5.0, np.hypot(0.1, 0.25), np.hypot(0.1, 0.25), np.nan]),
                         ("fast", [np.nan, 77, 7, 11, np.nan])):
        axes = figure[name]
        assert list(axes.lines[0].get_xdata()) == [0.002, 0.02, 0.2, 0.9, 3]
        np.testing.assert_allclose(axes.lines[0].get_ydata(), values)
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        told = {line.get_label(): list(line.get_xdata()) for line in axes.lines[1:]}
        assert told.pop("diverged") == [3]
        assert told.pop("without the runs that diverged") == [0.9]
        assert told == ({} if name == "exact" else {"never": [0.002]})
        assert {text.get_text() for text in axes.get_legend().get_texts()} >= {"diverged", *told}
    assert not any({"exact", "fast"} & set(panels(draw(some))) for some in (
        rows[:2], [row(1), row(1, "adam"), row(1, "ftrl")]))  # neither is a sweep


@pytest.mark.parametrize(("rates", "side"), [
    ((0.002, 0.02, 0.2), "right"), ((1.5, 2, 3), "left"), ((0.9, 1, 1.05), "right")])
def test_each_limit_is_a_line_at_its_rate_that_alone_reaches_its_name(rates, side):
    figure = draw([row(rate) for rate in rates])
    figure.draw_without_rendering()  # lays it out
    for axes in map(panels(figure).get, ("exact", "fast")):
        lines = {text.xy[0]: text.arrow_patch.get_window_extent() for text in axes.texts if text.arrow_patch}
        names = {text.get_text(): text for text in axes.texts if not text.arrow_patch}
        assert set(lines) == set(LIMITS.values())
        assert set(names) == {"variance diverges beyond 0.953", "mean diverges beyond 0.990",
                              "typical run diverges beyond 1.03"}
        for text, name in names.items():
            rate, box = name.xy[0], name.get_window_extent()
            assert f"{rate:#.3g}" == text.split()[-1]
            ends = box.x1 if side == "right" else box.x0
            as_high = {other: line.x0 for other, line in lines.items() if line.y1 >= box.y0}
            assert min(as_high, key=lambda other: abs(as_high[other] - ends)) == rate
            assert 0 < (as_high[rate] - ends) * (1 if side == "right" else -1) < 8
            assert not any(box.x0 < place < box.x1 for place in as_high.values())
            assert axes.bbox.y0 - 1 < lines[rate].y0 < axes.bbox.y0 + 1


@pytest.mark.parametrize(("optimizer", "limits"), [("adam", LIMITS), ("gradient-descent", None)])
def test_limits_are_drawn_for_gradient_descent_alone(optimizer, limits):
    figure = draw([row(rate, optimizer) for rate in (0.1, 1, 2)], limits=limits)
    assert not [text for text in words(figure) if "beyond" in text]


def test_named_rows_all_look_different():
    rows = [row(0.01 * (1 + index), name) for index, name in enumerate([*ELEVEN, "sgd", "lion", "sophia"])]
    path = panels(draw(rows))["path"]
    looks = {(colour(line), line.get_marker()) for line in path.lines if " 0." in line.get_label()}
    assert len(looks) == 14


def test_the_colour_of_many_rows_tells_their_rate_and_each_optimizer_has_its_own_panel():
    rates = np.geomspace(0.001, 1, 8)
    rows = [row(rate, optimizer) for rate in rates for optimizer in ("adam", "ftrl")]
    figure = draw(rows)
    scale = next(axes for axes in figure.get_axes() if axes.get_ylabel() == "learning rate")
    assert scale.get_ylim() == pytest.approx((0.001, 1))
    colours = {}
    for axes in figure.get_axes():
        if axes.get_xlabel() == "step":
            name = axes.get_title("left")
            lines = [line for line in axes.lines if line.get_label().startswith(name + " ")]
            assert [line.get_label() for line in lines] == [f"{name} {rate:g}" for rate in rates]
            assert len([line for line in axes.lines if line.get_label()[0] != "_"]) == 8 + 1  # and the target
            colours[name] = [line.get_color() for line in lines]
    assert colours["adam"] == colours["ftrl"]
    brightness = np.array(colours["adam"])[:, :3] @ [0.3, 0.6, 0.1]
    assert np.all(np.diff(brightness) > 0)


ODD = {
    "one row of one run": lambda: draw([row(0.02, runs=1)]),
    "one step": lambda: draw([row(rate, runs=1, steps=None) for rate in (0.01, 0.1, 1)], [curve(1, 1)] * 3),
    "none arrives": lambda: draw([row(rate, steps=None) for rate in (0.001, 0.002, 0.005)]),
    "all diverge": lambda: draw([lost(rate) for rate in (1.5, 2, 3)], [away()] * 3),
    "one of all diverges": lambda: draw([lost(1.5)], [away()]),
    "some diverge": lambda: draw([row(rate, diverged=34_567_890, runs=100_000_000, last=(9, 20, -80.0, 50.0, 70.0))
                                  for rate in (0.9, 0.95, 1, 1.02, 1.05)], [away()] * 5),
    "never or diverged": lambda: draw([row(0.001, steps=None), row(0.002, steps=None), lost(3)]),
    "the same rate again": lambda: draw([row(0.02)] * 3, limits=None),
    "exact at once": lambda: draw([row(rate, last=(10.0, 0.0, 10.0, 10.0, 10.0), steps=1.0) for rate in (1, 2, 3)]),
    "tiny rates, many steps": lambda: draw([row(rate) for rate in (1e-7, 1e-6, 2e-6)], [
        (np.array([0, 50_000_000, 100_000_000]), *(np.array([0.0, 4, 9]) + shift for shift in (-1, 0, 1)))] * 3),
    "eleven optimizers": lambda: draw([row(0.02, name, runs=100_000_000, diverged=12_345_678) for name in ELEVEN]),
    "eleven optimizers, two rates": lambda: draw([row(rate, name) for name in ELEVEN for rate in (0.01, 0.1)]),
    "40 rates": lambda: draw([row(rate, diverged=3) for rate in np.geomspace(1e-3, 2, 40)]),
    "200 rates": lambda: draw([row(rate) for rate in np.geomspace(1e-3, 2, 200)], [curve(0.01, 5)] * 200),
    "long texts": lambda: draw([row(0.02), lost(1)], title="A long title " * 15, made_by="a line of settings " * 20),
}


@functools.cache
def odd(case):
    figure = ODD[case]()
    figure.draw_without_rendering()  # lays it out
    return figure


def shown_texts(figure):
    """The texts that are to be seen: all but the labels of ticks outside an axis' view."""
    ticks, unseen = [axis for axes in figure.get_axes() for axis in (axes.xaxis, axes.yaxis)], set()
    for axis in ticks:
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                unseen |= {tick.label1, tick.label2}
    return [text for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and text not in unseen]


@pytest.mark.parametrize("case", ODD)
def test_every_picture_can_be_read(case):
    figure = odd(case)
    width, height = figure.bbox.width, figure.bbox.height
    assert width <= 1200
    texts = shown_texts(figure)
    assert min(text.get_size() for text in texts) >= 9.5  # points: to be read at 900 pixels
    boxes = np.array([text.get_window_extent().extents for text in texts])
    assert boxes.min() >= 0
    assert np.all(boxes[:, 2] <= width)
    assert np.all(boxes[:, 3] <= height)
    left, bottom, right, top = boxes.T
    over = (left[:, None] < right) & (left < right[:, None]) & (bottom[:, None] < top) & (bottom < top[:, None])
    pairs = [(texts[i].get_text(), texts[j].get_text()) for i, j in np.argwhere(np.triu(over, 1))]
    assert pairs == []
    for axes in figure.get_axes():
        if axes.get_xlabel():
            assert axes.bbox.width > 300
            assert axes.bbox.height > 15
            assert len({*axes.get_xticklabels()} & {*texts}) >= 2
        if axes.get_ylabel() == "A" or axes.get_yscale() == "log":
            assert len({*axes.get_yticklabels()} & {*texts}) >= 2
    legends = [axes.get_legend() for axes in figure.get_axes() if axes.get_legend()]
    for legend in legends + [legend for part in figure.subfigs for legend in part.legends]:
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.bbox) for axes in figure.get_axes())  # so that it covers no point


def test_what_no_rate_reaches_is_said_inside_the_panel():
    assert "never" in [text.get_text() for text in panels(odd("none arrives"))["fast"].texts]
    for name in ("exact", "fast"):
        assert "diverged" in [text.get_text() for text in panels(odd("all diverge"))[name].texts]
    assert "diverged or never" in [text.get_text() for text in panels(odd("never or diverged"))["fast"].texts]


def test_the_png_carries_its_metadata_and_is_the_same_whatever_the_users_settings():
    numbers = {"title": "A title", "made_by": "what made it", "rows": [row(0.02)], "curves": [curve(0.02)],
               "paths": None, "target": 10.0, "near": 0.5, "limits": LIMITS, "curves_of": 100}
    first = comparison.png({"Comment": "python recipes/regression.py"}, **numbers)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "lines.linewidth": 9, "savefig.dpi": 30}):
        assert comparison.png({"Comment": "python recipes/regression.py"}, **numbers) == first
    assert Image.open(io.BytesIO(first)).text["Comment"] == "python recipes/regression.py"
