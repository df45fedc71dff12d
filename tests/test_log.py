"""A plain run: what it prints at its end, and that its log and record hold what was computed, to the last bit."""

import csv
import hashlib
import json
import re
import shlex

import numpy as np
import pytest
from conftest import CHECKOUT, RECIPES, SCRIPTS, assert_same, edited, names, once, read_log, train

from common import session

f32 = np.float32
EVERY = {"regression": (100, 25), "classification": (1400, 200)}


def drawn(recipe, steps, seed=605):
    """The samples of a run and those that it feeds, by numpy's own functions: x_vals, y_vals, x, y."""
    random = np.random.RandomState(seed)
    if recipe == "regression":
        x_vals, y_vals = random.normal(1, 0.1, 100), np.repeat(10.0, 100)
    else:
        x_vals, y_vals = np.r_[random.normal(-1, 1, 50), random.normal(3, 1, 50)], np.repeat([0.0, 1.0], 50)
    order = [random.choice(100) for _ in range(steps)]
    return x_vals, y_vals, f32(x_vals[order]), f32(y_vals[order])


def regression_by_hand(x, y, A, rate=0.02):
    """`A` after a step and the loss then, in float32 in the graph's order: [steps] each, or numbers."""
    after = A - f32(rate) * (f32(2) * (x * A - y) * x)
    return after, np.square(x * after - y)


def test_a_good_run_says_the_accuracy_the_theory_and_the_files():
    log, printed, folder = once("classification")
    x, y, *_ = drawn("classification", 0)
    right = np.mean((1 / (1 + np.exp(-(x + float(log.A[-1])))) > 0.5) == y)
    *_, accuracy, theory, log_line, record_line = printed.splitlines()
    assert accuracy == f"Accuracy = {right:.2f}"
    best = re.fullmatch(r"In theory A = -1; the least loss for these samples is at A = (.*)", theory)[1]
    assert np.sum(1 / (1 + np.exp(-(x + float(best)))) - y) == pytest.approx(0, abs=100 * 0.25 * 0.00005)
    assert [log_line, record_line] == [f"Wrote {folder}/classification.{kind}" for kind in ("csv", "json")]
    x, *_ = drawn("regression", 0)
    theory = f"In theory A = 10; the least loss for these samples is at A = {10 * x.sum() / (x**2).sum():.4f}"
    assert once("regression")[1].splitlines()[-3] == theory


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_log_holds_the_samples_fed_in_their_order_as_today_s_reference_does(recipe):
    steps, x, y, A, loss = read_log(once(recipe)[2] / f"{recipe}.csv")
    assert steps == list(range(1, EVERY[recipe][0] + 1))
    *_, fed_x, fed_y = drawn(recipe, len(steps))
    np.testing.assert_array_equal(x, fed_x)
    np.testing.assert_array_equal(y, fed_y)
    for column, theirs in zip((x, y, A, loss), read_log(CHECKOUT / f"outputs/reference/{recipe}.csv")[1:], strict=True):
        assert_same(column, theirs)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_log_is_plain_csv_whose_numbers_are_the_shortest_that_read_back_as_the_same(recipe):
    with open(once(recipe)[2] / f"{recipe}.csv", newline="", encoding="ascii") as file:
        _, *rows = csv.DictReader(file)
    for row in rows:
        assert all(str(f32(row[column])) == row[column] for column in ("x", "y", "A", "loss"))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_log_that_main_returns_holds_what_the_files_hold(recipe):
    log, _, folder = once(recipe)
    steps, *columns = read_log(folder / f"{recipe}.csv")
    for ours, written in zip((log.x, log.y, log.A, log.loss), columns, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, written)
    assert (log.status, log.files) == (0, [folder / f"{recipe}.{kind}" for kind in ("csv", "json")])
    record = json.loads((folder / f"{recipe}.json").read_text(encoding="ascii"))
    rate, script = {"regression": 0.02, "classification": 0.05}[recipe], CHECKOUT / "recipes" / f"{recipe}.py"
    assert record["command"] == f"python recipes/{recipe}.py --no-figure --output-dir {shlex.quote(str(folder))}"
    assert record["script"] == {"sha256": hashlib.sha256(script.read_bytes()).hexdigest()}
    assert record["flags"] == {"seed": 605, "steps": len(steps), "report_every": EVERY[recipe][1], "runs": 1,
                               "rows": [{"optimizer": "gradient-descent", "learning_rate": rate}]}
    result = record["result"]
    assert (result["optimizer"], result["learning_rate"], result["steps"]) == ("gradient-descent", rate, len(log))
    assert (result["ended_early"], result["target"]) == (None, SCRIPTS[recipe].main.target)
    assert [f32(result[key]) for key in ("A_start", "A", "loss")] == [log.A[0], log.A[-1], log.loss[-1]]
    assert set(record["versions"]) == {"Python", "TensorFlow", "numpy", "matplotlib"}


def test_every_flag_of_a_plain_run_does_what_its_line_of_help_says(tmp_path, capsys):
    flags = ["--seed", 3, "--steps", 60, "--report-every", 25, "--learning-rate", 0.1]
    log = train(tmp_path / "a" / "b", *flags)
    printed, errors = capsys.readouterr()
    assert (log.status, errors, len(log)) == (0, "", 60)
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("Step")] == ["#25", "#50", "#60"]
    assert f"Step #60 A = {log.A[-1:]}\nIn theory" in printed  # as no report falls on the last step
    assert names(tmp_path / "a" / "b") == ["regression.csv", "regression.json"]
    x_vals, _, x, _ = drawn("regression", 60, seed=3)
    assert np.isin(log.x, f32(x_vals)).all()
    np.testing.assert_array_equal(log.x, x)
    np.testing.assert_array_equal(log.A[1:], regression_by_hand(x, f32(10), log.A[:-1], 0.1)[0])


def test_the_seed_alone_decides_the_log(tmp_path):
    first, again, other = (train(tmp_path, "--seed", seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.rows, again.rows)
    assert first.A[0] == again.A[0] != other.A[0]
    assert not np.isin(first.x, other.x).any()
    longer = train(tmp_path, "--seed", 5, "--steps", 200, "--learning-rate", 0.3)
    np.testing.assert_array_equal(first.x, longer.x[:100])
    assert first.A[0] == longer.A[0]


@pytest.mark.parametrize(("steps", "waiting"), [(9, 10), (10, 10), (11, 10), (35, 10), (13, 1)])
def test_any_number_of_steps_is_logged(steps, waiting, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "MOST_WAITING", waiting)
    log = train(tmp_path, "--steps", steps, "--report-every", 1000)
    *_, x, y = drawn("regression", steps)
    after, loss = regression_by_hand(x, y, log.A[:-1])
    np.testing.assert_array_equal(log.rows, np.stack([x, y, after, loss], axis=1))
    assert read_log(tmp_path / "regression.csv")[0] == list(range(1, steps + 1))


def test_a_copy_of_a_script_writes_files_of_its_own_and_its_record_says_which_script_made_them_and_how(
        tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main = edited(tmp_path, ("np.random.seed(seed)", "np.random.seed(seed); Path(__file__).write_text('edited later')"))
    script = (tmp_path / "mine.py").read_bytes()
    train("out put", "--steps", 7, main=main)
    assert names(tmp_path / "out put") == ["mine.csv", "mine.json"]
    log, record = ((tmp_path / f"out put/mine.{kind}").read_bytes() for kind in ("csv", "json"))
    command = json.loads(record)["command"]
    assert command == "python mine.py --no-figure --output-dir 'out put' --steps 7"
    assert json.loads(record)["script"] == {"sha256": hashlib.sha256(script).hexdigest()}
    (tmp_path / "out put/mine.csv").unlink()
    (tmp_path / "mine.py").unlink()  # a notebook's cell is no file at all
    assert main(shlex.split(command)[2:]).status == 0
    assert (tmp_path / "out put/mine.csv").read_bytes() == log
    assert json.loads((tmp_path / "out put/mine.json").read_text(encoding="ascii"))["script"] == {"sha256": None}
