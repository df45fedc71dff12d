"""Optimizers and rates compared: the same computation as the page's loop, and figures that numpy confirms."""

import csv
import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from types import SimpleNamespace

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, assert_same, command, one_sentence, read_log, run

from common import comparison, data, loops, optimizers

SCRIPTS = {"regression": regression, "classification": classification}
CASES = [(recipe, name) for recipe in SCRIPTS for name in optimizers.OPTIMIZERS]
GOLDEN = CHECKOUT / "tests" / "golden" / "tensorflow-1.15.5.npz"


def table(folder, recipe):
    """The rows of a comparison's CSV as dicts of numbers, None for an empty cell."""
    text = (folder / f"{recipe}-comparison.csv").read_text()
    return [{key: value if key == "optimizer" else float(value) if value else None for key, value in row.items()}
            for row in csv.DictReader(io.StringIO(text))]


def compare(recipe, folder, *flags):
    """Run a comparison in this process without a picture; returns its table."""
    SCRIPTS[recipe].main([*map(str, flags), "--no-figure", "--output-dir", str(folder)])
    return table(folder, recipe)


# --- the compiled loop is the page's loop ---

@pytest.fixture(scope="module")
def compiled():
    """The compiled loop on the recorded inputs: (recipe, optimizer, xla, lanes) -> `A` after each step, float32."""
    recorded = np.load(GOLDEN)

    def train(recipe, name, xla, lanes):
        problem = SCRIPTS[recipe].PROBLEM
        x, y, picks, start = (recorded[f"{recipe}/{key}"] for key in ("x", "y", "picks", "start"))
        loop = loops.Loop(problem, name, lanes, len(picks), xla)
        block = loops.Block(0, np.tile(np.float32(x), (lanes, 1)), np.float32(y), np.repeat(start, lanes),
                                 np.tile(picks[:, None], lanes), 0, len(picks))
        loop.reset(block.start)
        rate = recorded[f"{recipe}/{name}/rate"]
        path = np.array([loop.advance(rate, block, step, step + 1)[0] for step in range(len(picks))])
        return path, recorded[f"{recipe}/{name}/A"]

    return train


@pytest.mark.parametrize(("recipe", "name"), CASES)
def test_the_compiled_loop_gives_the_pages_trajectory_bit_for_bit(recipe, name, compiled):
    path, recorded = compiled(recipe, name, xla=False, lanes=1)
    assert_same(path[:, 0], recorded)


@pytest.mark.parametrize(("recipe", "name"), CASES)
def test_with_xla_it_gives_the_pages_trajectory_to_4e_6(recipe, name, compiled):
    path, recorded = compiled(recipe, name, xla=True, lanes=1)
    difference = np.max(np.abs(path[:, 0] - recorded))
    assert difference <= 4e-6, f"XLA differs by up to {difference:.2g}"


def test_a_run_is_the_same_however_many_runs_stand_beside_it(monkeypatch):
    def final(runs, xla_from, block):
        monkeypatch.setattr(loops, "BLOCK", block)
        args = SimpleNamespace(runs=runs, steps=300, seed=18, rows=[("gradient-descent", 0.05)])
        monkeypatch.setattr(loops, "XLA_FROM", xla_from)
        (A, loss, arrived, _, _), = loops.outcomes(classification.PROBLEM, args, lambda: None, lambda count: None)
        return A.copy(), loss.copy(), arrived.copy()

    for xla_from in (0, 10**12):
        many = final(2500, xla_from, 2048)
        for runs, block in ((2, 2048), (1025, 2048), (2500, data.ROWS)):
            for ours, theirs in zip(final(runs, xla_from, block), many, strict=True):
                np.testing.assert_array_equal(ours, theirs[:runs])


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_first_run_of_a_comparison_is_the_recipes_run(recipe, tmp_path):
    SCRIPTS[recipe].main(["--no-figure", "--output-dir", str(tmp_path)])
    last = read_log(tmp_path / f"{recipe}.csv")[3][-1]
    row, _ = compare(recipe, tmp_path, "--optimizer", "gradient-descent", "adam")
    assert row["A_mean"] == last
    args = SimpleNamespace(runs=3, steps=100 if recipe == "regression" else 1400, seed=18,
                           rows=[("gradient-descent", optimizers.RATES[recipe]["gradient-descent"])])
    (A, *_), = loops.outcomes(SCRIPTS[recipe].PROBLEM, args, lambda: None, lambda count: None)
    assert A[0] == pytest.approx(last, abs=2e-6)


# --- the figures ---

def simulate(recipe, rate, runs, steps):
    """Gradient descent in numpy, double precision, on the runs that the default seed gives: A [runs], loss, arrived."""
    script, problem = SCRIPTS[recipe], SCRIPTS[recipe].PROBLEM
    A, loss, arrived = [], [], []
    for chunk in range(-(-runs // data.CHUNK)):
        streams = data.streams(18, chunk)
        x, y = script.draw_samples(streams.samples, (data.CHUNK, 100))
        now = streams.start.normal(problem.start_mean, size=data.CHUNK)
        when = np.full(data.CHUNK, np.inf)
        picks = np.empty((steps, data.CHUNK), np.int32)
        data.draw_picks(streams.picks, 100, picks)
        for step, pick in enumerate(picks, 1):
            sample, target = x[np.arange(data.CHUNK), pick], y[pick]
            if recipe == "regression":
                now = now - rate * 2 * (sample * now - target) * sample
            else:
                now = now - rate * (1 / (1 + np.exp(-(sample + now))) - target)
            when[(np.abs(now - problem.target) < 0.5) & np.isinf(when)] = step
        z = now[:, None] * x - y if recipe == "regression" else now[:, None] + x
        each = z**2 if recipe == "regression" else np.logaddexp(0, z) - z * y
        A, loss, arrived = [*A, *now], [*loss, *each.mean(axis=1)], [*arrived, *when]
    return (np.array(column)[:runs] for column in (A, loss, arrived))


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize("runs", [1000, 6000])  # without and with XLA
def test_the_figures_agree_with_an_independent_numpy_simulation(recipe, runs, tmp_path):
    rates = [0.02, 0.2] if recipe == "regression" else [0.05, 0.5]
    rows = compare(recipe, tmp_path, "--learning-rate", *rates, "--runs", runs)
    for row, rate in zip(rows, rates, strict=True):
        A, loss, arrived = simulate(recipe, rate, runs, 100 if recipe == "regression" else 1400)
        assert (row["optimizer"], row["learning_rate"], row["runs"]) == ("gradient-descent", rate, runs)
        assert row["diverged"] == 0
        figures = {"A_mean": A.mean(), "A_sd": A.std(), "loss_mean": loss.mean(), "steps_to_target": np.median(arrived),
                   **{f"A_p{at:02}": np.percentile(A, at) for at in (5, 50, 95)}}
        for key, value in figures.items():  # float32 against double precision, over all the steps
            assert row[key] == pytest.approx(value, rel=2e-5, abs=2e-5), key


def test_a_diverged_row_is_a_result(tmp_path):
    steady, wild = compare("regression", tmp_path, "--learning-rate", 0.02, 1.2, "--runs", 50)
    assert steady["diverged"] == 0
    assert wild["diverged"] == 50
    assert all(wild[key] is None for key in comparison.COLUMNS[4:])


def test_the_spread_has_divisor_n_and_leaves_the_diverged_runs_out():
    A = np.float32([1, 2, 3, np.nan, np.inf, 5000, 4])
    loss = np.float32([1, 1, 1, 1, 1, 1, np.inf])
    row = comparison.summary(("adam", 0.5), A, loss, np.int32([5, 0, 7, 1, 1, 1, 1]), target=0)
    assert (row["runs"], row["diverged"]) == (7, 4)
    assert row["A_mean"] == 2
    assert row["A_sd"] == pytest.approx(np.sqrt(2 / 3))
    assert row["steps_to_target"] == 7  # the median of 5, never and 7
    assert comparison.summary(("adam", 0.5), A[:2], loss[:2], np.int32([0, 0]), 0)["steps_to_target"] is None


# --- the script ---

@pytest.fixture(scope="module")
def all_optimizers(tmp_path_factory):
    """`python recipes/classification.py --optimizer all --runs 1000`: the process and its folder."""
    folder = tmp_path_factory.mktemp("all")
    return run("classification", "--optimizer", "all", "--runs", 1000, "--output-dir", folder), folder


def test_every_optimizer_arrives_at_its_default_rate(all_optimizers):
    done, folder = all_optimizers
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(folder, "classification") + compare("regression", folder, "--optimizer", "all", "--runs", 1000)
    assert [row["optimizer"] for row in rows] == 2 * list(optimizers.OPTIMIZERS)
    for row, target in zip(rows, [-1] * 11 + [10] * 11, strict=True):
        assert row["diverged"] == 0
        assert row["steps_to_target"] < (1400 if target == -1 else 100)
        assert abs(row["A_p50"] - target) < 0.5


def test_the_table_on_the_terminal_has_a_line_for_each_row(all_optimizers):
    done, folder = all_optimizers
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["optimizer", "learning_rate", "runs", "diverged", "A_mean", "A_sd", "loss_mean",
                               "steps_to_target"]
    for line, row in zip(lines, table(folder, "classification"), strict=False):
        name, rate, runs, diverged, mean, deviation, loss, steps = line.split()
        assert (name, float(rate), int(runs), int(diverged)) == (row["optimizer"], row["learning_rate"], 1000, 0)
        assert (mean, deviation) == (f"{row['A_mean']:.4f}", f"{row['A_sd']:.4f}")
        assert (loss, steps) == (f"{row['loss_mean']:.4g}", f"{row['steps_to_target']:.4g}")
    assert lines[11:] == [f"Wrote {folder}/classification-comparison.{kind}" for kind in ("csv", "png")]
    assert max(map(len, lines)) < 110
    assert (folder / "classification-comparison.png").read_bytes().endswith(b"IEND\xaeB`\x82")


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
def test_wrong_input_gets_one_sentence_and_status_2(flags, says, tmp_path):
    done = run("classification", *flags, "--output-dir", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert one_sentence(done.stderr)
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_told_in_one_sentence(tmp_path, monkeypatch):
    def no_memory(*args):
        raise MemoryError

    monkeypatch.setattr(loops, "outcomes", no_memory)
    with pytest.raises(SystemExit, match="There is not enough memory for 5 runs: try fewer"):
        compare("regression", tmp_path, "--runs", 5)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_the_finished_rows(tmp_path):
    flags = ["--learning-rate", 0.02, 0.03, "--runs", 3_000_000, "--output-dir", tmp_path]
    process = subprocess.Popen(command("regression", *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    assert process.stdout.readline().split()[:2] == ["gradient-descent", "0.02"]
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - sent < 10  # a bound against hanging; how fast it ends is measured elsewhere
    assert process.returncode == 130
    assert one_sentence(errors)
    assert "after 1 of 2 rows" in errors
    row, = table(tmp_path, "regression")
    assert row["runs"] == 3_000_000
    assert (tmp_path / "regression-comparison.png").exists()


def test_a_progress_bar_is_shown_on_a_terminal_only(tmp_path):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    flags = ["--runs", 2000, "--no-figure", "--output-dir", tmp_path]
    done = subprocess.run(command("regression", *flags), stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=False)
    os.set_blocking(ours, False)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert "runs" in shown
    assert b"%|" not in done.stdout
