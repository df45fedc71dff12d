"""Optimizers and rates compared: the same computation as the page's loop, and figures that numpy confirms."""

import csv
import fcntl
import io
import itertools
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import classification
import numpy as np
import pytest
import regression
import tqdm
from conftest import CHECKOUT, SCRIPTS, assert_same, command, one_sentence, read_log

from common import data
from common.comparison import blocks, loops, optimizers, table
from common.run import FAR, diverged

CASES = [(recipe, name) for recipe in SCRIPTS for name in optimizers.OPTIMIZERS]
GOLDEN = CHECKOUT / "tests" / "golden" / "tensorflow-1.15.5.npz"
STEPS = {"regression": 100, "classification": 1400}


def rows_of(folder, recipe):
    """The rows of a comparison's CSV as dicts of numbers, None for an empty cell."""
    text = (folder / f"{recipe}-comparison.csv").read_text(encoding="ascii")
    return [{key: value if key == "optimizer" else float(value) if value else None for key, value in row.items()}
            for row in csv.DictReader(io.StringIO(text))]


def compare(recipe, folder, *flags):
    """Run a comparison in this process without a picture; returns its table, as the file has it."""
    made = SCRIPTS[recipe].main([*map(str, flags), "--no-figure", "--output-dir", str(folder)])
    rows = rows_of(folder, recipe)
    assert rows == made.rows  # every number reads back as the same float64
    return rows


def outcomes(recipe, rows, runs, steps, seed=18):
    """What `loops.outcomes` yields for each row, copied: A, loss, arrived, gone, at, paths."""
    args = SimpleNamespace(runs=runs, steps=steps, seed=seed, rows=rows)
    return [[np.copy(each) for each in row]
            for row in loops.outcomes(SCRIPTS[recipe].main, args, lambda: None, lambda count: None)]


# --- the compiled loop is the page's loop ---

@pytest.fixture(scope="module")
def compiled():
    """The compiled loop on the recorded inputs: (recipe, optimizer, xla) -> steps, and `A` after each of them."""
    recorded = np.load(GOLDEN)

    def train(recipe, name, xla):
        x, y, picks, start = (recorded[f"{recipe}/{key}"] for key in ("x", "y", "picks", "start"))
        x, y, picks = np.float32(x)[None], np.float32(y)[None], np.int32(picks)[:, None]
        block = blocks.Block(0, x, y, start, picks, 0, len(picks))
        loop = loops.Loop(SCRIPTS[recipe].main, name, block, xla)
        loop.reset(block.start)
        rate = recorded[f"{recipe}/{name}/rate"]
        # Each step of the regression and every 35th of the classification, whose `A` depends on all before it.
        ends = np.arange(0, len(picks) + 1, 1 if recipe == "regression" else 35)
        path = [loop.advance(rate, block, *between)[0][0] for between in itertools.pairwise(ends)]
        return np.array(path), recorded[f"{recipe}/{name}/A"][ends[1:] - 1]

    return train


@pytest.mark.parametrize(("recipe", "name"), CASES)
def test_the_compiled_loop_gives_the_pages_trajectory_bit_for_bit(recipe, name, compiled):
    assert_same(*compiled(recipe, name, xla=False))


# Every optimizer and both recipes, but not every pair: XLA takes a while to compile each of them.
@pytest.mark.parametrize(("recipe", "name"), [
    case for case in CASES if case[0] == "classification" or case[1] in ("gradient-descent", "adam", "adagrad-da")])
def test_with_xla_it_gives_the_pages_trajectory_to_4e_6(recipe, name, compiled):
    path, recorded = compiled(recipe, name, xla=True)
    difference = np.max(np.abs(path - recorded))
    assert difference <= 4e-6, f"XLA differs by up to {difference:.2g}"


def test_a_run_is_the_same_however_many_runs_stand_beside_it(monkeypatch):
    def final(runs, xla_from, length):
        monkeypatch.setattr(blocks, "LENGTH", length)
        monkeypatch.setattr(loops, "XLA_FROM", xla_from)
        (A, loss, arrived, gone, _, paths), = outcomes("classification", [("gradient-descent", 0.3)], runs, 70)
        return A, loss, arrived, gone, paths[:, :2].T

    for xla_from in (0, 10**12):
        many = final(2100, xla_from, 2048)
        for runs, length in ((2, 2048), (1025, 2048), (2100, data.ROWS)):
            for ours, theirs in zip(final(runs, xla_from, length), many, strict=True):
                np.testing.assert_array_equal(ours, theirs[:runs])


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_first_run_of_a_comparison_is_the_recipes_run(recipe, tmp_path):
    SCRIPTS[recipe].main(["--steps", "300", "--no-figure", "--output-dir", str(tmp_path)])
    last = read_log(tmp_path / f"{recipe}.csv")[3][-1]
    row, _ = compare(recipe, tmp_path, "--steps", 300, "--optimizer", "gradient-descent", "adam")
    assert row["A_mean"] == last
    (A, *_), = outcomes(recipe, [("gradient-descent", row["learning_rate"])], 3, 300)
    assert A[0] == pytest.approx(last, abs=2e-6)


# One of each kind of memory: the others remember nothing, or the same as one of these.
@pytest.mark.parametrize(("recipe", "name"), [
    ("classification", "adam"), *(("regression", name) for name in optimizers.OPTIMIZERS if name not in (
        "gradient-descent", "proximal-gradient-descent", "nesterov", "proximal-adagrad"))])
def test_every_chunk_of_runs_starts_with_an_optimizer_that_remembers_nothing(recipe, name):
    rate = optimizers.rates(recipe, SCRIPTS[recipe].train.__kwdefaults__["learning_rate"])[name]
    (A, _, arrived, _, _, _), = outcomes(recipe, [(name, rate)], data.CHUNK + 80, 60)
    *_, second = blocks.draw_blocks(SCRIPTS[recipe].main, 18, data.CHUNK + 80, data.CHUNK, 60)
    assert second.chunk == 1
    loop = loops.Loop(SCRIPTS[recipe].main, name, second, xla=False)
    loop.reset(second.start)
    alone_A, alone_arrived, _ = loop.advance(rate, second, 0, 60)
    np.testing.assert_array_equal(A[data.CHUNK:], alone_A[:80])
    np.testing.assert_array_equal(arrived[data.CHUNK:], alone_arrived[:80])
    assert np.ptp(A[data.CHUNK:]) > 0


def test_a_row_starts_with_an_optimizer_that_remembers_nothing_of_the_row_before():
    twice = outcomes("regression", [("adam", 0.2), ("adam", 0.2), ("momentum", 0.005), ("adam", 0.2)], 50, 80)
    for row in (twice[1], twice[3]):
        for ours, first in zip(row, twice[0], strict=True):
            np.testing.assert_array_equal(ours, first)


def test_steps_beyond_those_whose_picks_are_held_at_once_are_trained_and_kept(tmp_path):
    made = regression.main(["--steps", "5000", "--no-figure", "--output-dir", str(tmp_path)])
    (A, _, _, gone, at, paths), = outcomes("regression", [("gradient-descent", 0.02)], 2, 5000)
    assert not gone.any()
    assert at[0] == 0
    assert at[-1] == 5000
    assert np.max(np.diff(at)) <= 5000 // 35
    assert paths.shape == (len(at), 2)
    np.testing.assert_array_equal(paths[:, 0], made.A[at])
    np.testing.assert_array_equal(paths[-1], A)
    row, = compare("regression", tmp_path, "--steps", 3000, "--runs", 2)
    assert row["diverged"] == 0


# --- XLA ---

@pytest.mark.parametrize(("runs", "xla"), [(13, False), (14, True)])
def test_xla_is_chosen_from_the_stated_size_on(runs, xla, monkeypatch):
    chosen = []

    class Loop(loops.Loop):
        def __init__(self, recipe, optimizer, block, xla):
            super().__init__(recipe, optimizer, block, xla)
            functions = self._session.graph.as_graph_def().library.function
            chosen.append((xla, any(function.attr["_XlaMustCompile"].b for function in functions)))

    monkeypatch.setattr(loops, "Loop", Loop)
    monkeypatch.setattr(loops, "XLA_FROM", 13 * 20)
    outcomes("regression", [("gradient-descent", 0.02)], runs, 20)
    assert chosen == [(xla, xla)]  # asked for, and in the graph: a function that XLA must compile


def test_the_stated_size_is_four_thousand_runs_of_the_classification():
    assert 4 * data.CHUNK * STEPS["classification"] == loops.XLA_FROM


# --- the figures ---

def simulate(recipe, rate, runs, steps, seed=18):
    """Gradient descent in numpy, double precision, on the runs that the seed gives: A [runs], loss, arrived."""
    script, target = SCRIPTS[recipe], {"regression": 10, "classification": -1}[recipe]
    A, loss, arrived = [], [], []
    for chunk in range(-(-runs // data.CHUNK)):
        streams = data.streams(seed, chunk)
        x, y = (np.array(column) for column in zip(
            *(script.draw_samples(streams.samples) for _ in range(data.CHUNK)), strict=True))
        now = streams.start.normal(10 if recipe == "classification" else 0, size=data.CHUNK)
        when = np.full(data.CHUNK, np.inf)
        picks = np.empty((steps, data.CHUNK), np.int32)
        data.draw_picks(streams.picks, 100, picks)
        for step, pick in enumerate(picks, 1):
            each = np.arange(data.CHUNK), pick
            if recipe == "regression":
                now = now - rate * 2 * (x[each] * now - y[each]) * x[each]
            else:
                now = now - rate * (1 / (1 + np.exp(-(x[each] + now))) - y[each])
            when[(np.abs(now - target) < 0.5) & np.isinf(when)] = step
        z = now[:, None] * x - y if recipe == "regression" else now[:, None] + x
        each = z**2 if recipe == "regression" else np.logaddexp(0, z) - z * y
        A, loss, arrived = [*A, *now], [*loss, *each.mean(axis=1)], [*arrived, *when]
    return (np.array(column)[:runs] for column in (A, loss, arrived))


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize(("runs", "seed", "xla"), [(1000, 7, False), (1500, 18, True)])
def test_the_figures_agree_with_an_independent_numpy_simulation_for_any_seed_with_and_without_xla(
        recipe, runs, seed, xla, tmp_path, monkeypatch):
    if xla:
        monkeypatch.setattr(loops, "XLA_FROM", 0)
    rates = [0.02, 0.2] if recipe == "regression" else [0.05, 0.5]
    seeds = [] if seed == 18 else ["--seed", seed]
    rows = compare(recipe, tmp_path, "--learning-rate", *rates, "--runs", runs, *seeds)
    for row, rate in zip(rows, rates, strict=True):
        A, loss, arrived = simulate(recipe, rate, runs, STEPS[recipe], seed)
        assert (row["optimizer"], row["learning_rate"], row["runs"]) == ("gradient-descent", rate, runs)
        assert row["diverged"] == 0
        figures = {"A_mean": A.mean(), "A_sd": A.std(), "loss_mean": loss.mean(), "steps_to_target": np.median(arrived),
                   **{f"A_p{at:02}": np.percentile(A, at) for at in (5, 50, 95)}}
        for key, value in figures.items():  # float32 against double precision, over all the steps
            assert row[key] == pytest.approx(value, rel=2e-5, abs=2e-5), key


@pytest.mark.parametrize("xla", [False, True])
def test_a_run_arrives_with_the_first_step_after_which_A_is_near_its_target(xla, monkeypatch):
    monkeypatch.setattr(loops, "XLA_FROM", 0 if xla else 10**12)
    (_, _, arrived, _, _, _), = outcomes("regression", [("gradient-descent", 0.02)], 300, 100)
    _, _, expected = simulate("regression", 0.02, 300, 100)
    # float32 against double precision: a run that comes within 1e-5 of the border may be a step off.
    assert np.mean(arrived != np.where(np.isfinite(expected), expected, 0)) < 0.01
    (_, _, arrived, _, at, paths), = outcomes("regression", [("gradient-descent", 0.02)], 300, 100)
    near = np.abs(paths - 10) < loops.NEAR
    np.testing.assert_array_equal(at, np.arange(101))
    np.testing.assert_array_equal(arrived, np.where(near.any(axis=0), np.argmax(near, axis=0), 0))
    assert np.sum(arrived == 0) < 100  # a run in ten is not there yet
    assert np.all((arrived == 0) | (arrived > 10))


def test_a_diverged_row_is_a_result(tmp_path):
    steady, wild = compare("regression", tmp_path, "--learning-rate", 0.02, 1.2, "--runs", 50)
    assert steady["diverged"] == 0
    assert wild["diverged"] == 50
    assert all(wild[key] is None for key in list(table.FORMATS)[4:])


def test_the_figures_leave_the_diverged_runs_out_and_the_spread_has_divisor_n():
    A = np.float32([1, 2, 3, np.nan, np.inf, 5000, 4])
    gone = np.array([False, False, False, True, True, True, True])
    loss = np.float32([1, 2, 6, 1, 1, 1, np.inf])
    row = table.summary(("adam", 0.5), A, loss, np.int32([5, 0, 7, 1, 1, 1, 1]), gone)
    assert (row["optimizer"], row["learning_rate"], row["runs"], row["diverged"]) == ("adam", 0.5, 7, 4)
    assert row["A_mean"] == 2
    assert row["A_sd"] == pytest.approx(np.sqrt(2 / 3))
    assert [row[f"A_p{at}"] for at in ("05", "50", "95")] == pytest.approx([1.1, 2, 2.9])
    assert row["loss_mean"] == 3
    assert row["steps_to_target"] == 7  # the median of 5, never and 7
    never = table.summary(("adam", 0.5), A[:2], loss[:2], np.int32([0, 0]), gone[:2])
    assert never["steps_to_target"] is None


def test_a_run_diverged_if_it_is_not_finite_or_more_than_100_from_its_target():
    assert FAR == 100
    A = np.float32([10, 110, -90, 110.01, -90.01, np.nan, np.inf, 10, 10])
    loss = np.float32([0, 1, 1, 1, 1, 1, 1, np.inf, np.nan])
    for start in (0, 109, -90):
        assert diverged(A, loss, 10, start).tolist() == [False, False, False, True, True, True, True, True, True]
    A = np.float32([151, 149, -129, -131])  # a run that starts farther away has not diverged while it comes nearer
    assert diverged(A, np.zeros(4), 10, 150).tolist() == [True, False, False, True]
    assert diverged(A, np.zeros(4), 10, np.array([0, 150, 0, 160])).tolist() == [True, False, True, False]


def test_a_run_counts_as_diverged_in_a_comparison_exactly_where_it_does_alone(tmp_path, capsys):
    rates = 0.9, 0.99, 1.03, 1.05, 1.2, 3  # from steady to beyond float32
    rows = compare("regression", tmp_path, "--learning-rate", *rates)
    assert 0 < sum(row["diverged"] for row in rows) < len(rates)
    for row in rows:
        words = ["--learning-rate", str(row["learning_rate"]), "--no-figure", "--output-dir", str(tmp_path)]
        alone = regression.main(words)
        assert (alone.status == 1) == ("diverged" in capsys.readouterr().err) == (row["diverged"] == 1), row
    (_, _, _, gone, _, _), = outcomes("regression", [("gradient-descent", 1.05)], 500, 100)
    A, _, _ = simulate("regression", 1.05, 500, 100)
    assert 100 < gone.sum() < 400
    assert np.mean(gone != (np.abs(A - 10) > 100)) < 0.02  # float32 against double, where runs grow without end


def test_a_run_that_was_beyond_float32_on_its_way_diverged_wherever_it_ends():
    # x = 1 but for one sample in a hundred: A is thrown out to 1e25, its loss beyond float32, and led back again.
    class Samples:
        def __call__(self, rng):
            return np.ones(100), np.full(100, 10.0)

    recipe = regression.main._replace(draw_samples=Samples(), draw_start=lambda rng, shape: np.full(shape, 1e25))
    args = SimpleNamespace(runs=3, steps=100, seed=18, rows=[("gradient-descent", 0.49)])
    (A, loss, _, gone, _, _), = loops.outcomes(recipe, args, lambda: None, lambda count: None)
    np.testing.assert_allclose(A, 10, rtol=1e-3)
    assert np.isfinite(loss).all()
    assert gone.all()


def test_what_the_picture_is_given_is_the_runs_own_ways_and_their_percentiles(tmp_path, drawn):
    words = ["--learning-rate", "0.05", "0.5", "--steps", "150", "--output-dir", str(tmp_path), "--runs"]
    for runs in (30, 20):
        made = classification.main([*words, str(runs)])
        numbers = drawn.pop("-comparison.png")
        assert numbers["rows"] == made.rows
        assert (numbers["curves_of"], numbers["target"], numbers["near"]) == (runs, -1, 0.5)
        expected = outcomes("classification", [("gradient-descent", rate) for rate in (0.05, 0.5)], runs, 150)
        for (at, low, middle, high), (*_, steps, paths) in zip(numbers["curves"], expected, strict=True):
            np.testing.assert_array_equal(at, steps)
            assert paths.shape[1] == runs  # and not all that were trained beside them
            for line, part in ((low, 5), (middle, 50), (high, 95)):
                np.testing.assert_allclose(line, np.percentile(np.float64(paths), part, axis=1), rtol=1e-12)
        assert (numbers["paths"] is None) == (runs == 30)
    np.testing.assert_array_equal(numbers["paths"][1], paths)


# --- the script ---

def check_table(lines, rows):
    """Demand that the lines are the heading and the rows of a comparison's table as the terminal shows it."""
    heading, *lines = lines
    assert heading.split() == ["optimizer", "learning_rate", "runs", "diverged", "A_mean", "A_sd", "loss_mean",
                               "steps_to_target"]
    for line, row in zip(lines, rows, strict=True):
        name, rate, runs, diverged, mean, deviation, loss, steps = line.split()
        assert (name, float(rate), int(runs), int(diverged)) == (
            row["optimizer"], row["learning_rate"], row["runs"], row["diverged"])
        assert (mean, deviation) == (f"{row['A_mean']:.4f}", f"{row['A_sd']:.4f}")
        assert loss == f"{row['loss_mean']:.4g}"
        assert steps == ("never" if row["steps_to_target"] is None else f"{row['steps_to_target']:.4g}")
    assert max(map(len, lines)) < 110


def test_all_optimizers_have_a_line_each_in_the_table_on_the_terminal_and_a_row_in_its_file(tmp_path, drawn, capsys):
    made = classification.main(["--optimizer", "all", "--steps", "5", "--output-dir", str(tmp_path)])
    rows = rows_of(tmp_path, "classification")
    assert [row["optimizer"] for row in rows] == list(optimizers.OPTIMIZERS)
    assert rows == made.rows
    lines = capsys.readouterr().out.splitlines()
    check_table(lines[:12], rows)
    assert lines[12:] == [f"Wrote {tmp_path}/classification-comparison.{kind}" for kind in ("csv", "json", "png")]


def test_the_record_holds_the_flags_and_the_rows(tmp_path):
    rows = compare("regression", tmp_path, "--learning-rate", 0.02, 1.2, "--runs", 20, "--seed", 4, "--steps", 50)
    record = json.loads((tmp_path / "regression-comparison.json").read_text(encoding="ascii"))
    assert record["flags"] == {
        "seed": 4, "steps": 50, "report_every": 25, "runs": 20,
        "rows": [{"optimizer": "gradient-descent", "learning_rate": rate} for rate in (0.02, 1.2)]}
    assert record["result"]["rows"] == rows


def test_all_pairs_of_optimizers_and_rates_are_compared_each_once(tmp_path):
    rows = compare("regression", tmp_path, "--optimizer", "momentum", "adam", "momentum", "--learning-rate", 0.1, 0.2,
                   0.1, "--steps", 3)
    assert [(row["optimizer"], row["learning_rate"]) for row in rows] == [
        ("momentum", 0.1), ("momentum", 0.2), ("adam", 0.1), ("adam", 0.2)]


@pytest.mark.parametrize(("flags", "says"), [
    *((["--runs", value], "--runs must be a whole number from 1 to 100,000,000")
      for value in ("0", "-1", "1.5", "100000001")),
    (["--learning-rate", "0.1", "0"], "--learning-rate must be a positive number"),
    (["--optimizer", "adma"], "--optimizer knows no 'adma' (did you mean adam?), only gradient-descent, momentum, "),
    (["--optimizer", "all", "--learning-rate", *map(str, range(1, 20))], "209 pairs of optimizer and learning rate"),
])
def test_wrong_input_gets_one_sentence_and_status_2(flags, says, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        classification.main([*flags, "--output-dir", str(tmp_path / "out")])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (2, "")
    assert one_sentence(errors)
    assert says in errors
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_told_in_one_sentence(tmp_path, monkeypatch, capsys):
    def no_memory(*args):
        raise MemoryError

    monkeypatch.setattr(loops, "outcomes", no_memory)
    made = regression.main(["--runs", "5", "--no-figure", "--output-dir", str(tmp_path)])
    errors = capsys.readouterr().err
    assert made.status == 1
    assert one_sentence(errors)
    assert "there is not enough memory for 5 runs: try fewer" in errors
    assert list(tmp_path.iterdir()) == []


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def stopped(monkeypatch, tmp_path):
    """A comparison of two rows in which the signal comes while the row of `rate` is trained, in this process."""
    def stopped(number, rate):
        advance, before = loops.Loop.advance, signal.getsignal(number)

        def stop(self, at, *rest):
            if at == rate:
                signal.raise_signal(number)
            return advance(self, at, *rest)

        monkeypatch.setattr(loops.Loop, "advance", stop)
        words = ["--learning-rate", "0.02", "0.03", "--runs", "20", "--no-figure", "--output-dir", str(tmp_path)]
        try:
            return regression.main(words)
        finally:
            assert signal.getsignal(number) is before

    return stopped


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_in_the_second_row_keeps_the_first(number, status, stopped, tmp_path, capsys):
    made = stopped(number, 0.03)
    errors = capsys.readouterr().err
    assert made.status == status
    assert one_sentence(errors)
    assert f"stopped by {signal.Signals(number).name} after 1 of 2 rows" in errors
    row, = made.rows
    assert row["learning_rate"] == 0.02
    assert rows_of(tmp_path, "regression") == made.rows
    assert made.files == [tmp_path / f"regression-comparison.{kind}" for kind in ("csv", "json")]


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_before_the_first_row_is_done_leaves_no_file_and_no_traceback(
        number, status, stopped, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        stopped(number, 0.02)
    assert end.value.code == status
    assert "Wrote" not in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_the_finished_rows_and_draws_them(tmp_path):
    rates = [0.02 + number / 1000 for number in range(20)]
    flags = ["--learning-rate", *rates, "--runs", 50_000, "--output-dir", tmp_path]
    process = subprocess.Popen(command("regression", *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               encoding="utf-8")
    try:
        process.stdout.readline()
        assert process.stdout.readline().split()[:2] == ["gradient-descent", "0.02"]
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert time.monotonic() - sent < 10  # a bound against hanging; how fast it ends is measured elsewhere
    assert process.returncode == 130
    assert one_sentence(errors)
    finished = int(re.search("after ([0-9]+) of 20 rows", errors)[1])  # the first, and what came until the signal did
    assert 1 <= finished < 20
    rows = rows_of(tmp_path, "regression")
    assert [(row["learning_rate"], row["runs"]) for row in rows] == [(rate, 50_000) for rate in rates[:finished]]
    assert (tmp_path / "regression-comparison.png").exists()


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        return True


def test_on_a_terminal_the_table_is_printed_and_the_bar_counts_every_run(tmp_path, monkeypatch, capsys):
    bars = []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            bars[:] = [(self, self.n + n)]
            return super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(sys, "stderr", Terminal())
    rows = compare("regression", tmp_path, "--learning-rate", 0.02, 0.03, "--runs", 1500)
    (bar, counted), = bars
    assert counted == bar.total == 3000
    assert "3000 runs" in sys.stderr.getvalue() or "/3000" in sys.stderr.getvalue()
    lines = capsys.readouterr().out.splitlines()
    check_table(lines[:3], rows)


def test_off_a_terminal_no_bar_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tqdm, "tqdm", None)
    compare("regression", tmp_path, "--runs", 20)
    assert capsys.readouterr().err == ""


def test_a_real_start_writes_its_files_and_shows_a_progress_bar_on_a_real_terminal_and_only_there(tmp_path):
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
        flags = ["--runs", 2000, "--output-dir", tmp_path]
        done = subprocess.run(command("regression", *flags), stdout=subprocess.PIPE, stderr=theirs, timeout=60,
                              check=False)
        os.set_blocking(ours, False)
        shown = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "0/2000" in shown
    assert " runs" in shown
    assert "%|" in shown
    assert b"%|" not in done.stdout
    lines = done.stdout.decode().splitlines()
    check_table(lines[:2], rows_of(tmp_path, "regression"))
    assert lines[2:] == [f"Wrote {tmp_path}/regression-comparison.{kind}" for kind in ("csv", "json", "png")]
    assert (tmp_path / "regression-comparison.png").read_bytes().endswith(b"IEND\xaeB`\x82")
