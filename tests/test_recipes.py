"""The two scripts, started as a user starts them: what they print and what they write."""

import csv
import json
import re

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, RECIPES, SCRIPTS, assert_same, read_log

from common import data

f32 = np.float32
EVERY = {"regression": (100, 25), "classification": (1400, 200)}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_good_run_says_nothing_on_standard_error(recipe, default_runs):
    done, _ = default_runs[recipe]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_reports_are_the_pages_two_lines_to_the_character(recipe, default_runs):
    done, folder = default_runs[recipe]
    _, _, _, A, loss = read_log(folder / f"{recipe}.csv")
    steps, every = EVERY[recipe]
    shape = (1,) if recipe == "regression" else (1, 1)
    expected = []
    for i in range(every - 1, steps, every):  # the page's own two print lines, given what it fetches
        expected.append('Step #' + str(i+1) + ' A = ' + str(np.array([A[i + 1]])))
        expected.append('Loss = ' + str(np.full(shape, loss[i])))
    lines = done.stdout.splitlines()
    assert lines[:len(expected)] == expected
    assert len(lines) - len(expected) <= 5


def test_the_last_lines_tell_the_accuracy_the_theory_and_the_files(default_runs):
    done, folder = default_runs["classification"]
    _, _, _, A, _ = read_log(folder / "classification.csv")
    x, y = classification.draw_samples(data.streams(18).samples)
    right = np.mean((1 / (1 + np.exp(-(x + float(A[-1])))) > 0.5) == y)
    accuracy, theory, *files = done.stdout.splitlines()[-5:]
    assert accuracy == f"Accuracy = {right:.2f}"
    best = re.fullmatch(r"In theory A = -1; the least loss for these samples is at A = (.*)", theory)[1]
    assert np.sum(1 / (1 + np.exp(-(x + float(best)))) - y) == pytest.approx(0, abs=100 * 0.25 * 0.00005)
    assert files == [f"Wrote {folder}/classification.{kind}" for kind in ("csv", "json", "png")]

    x, y = regression.draw_samples(data.streams(18).samples)
    theory = default_runs["regression"][0].stdout.splitlines()[-4]
    assert theory == f"In theory A = 10; the least loss for these samples is at A = {10 * x.sum() / (x**2).sum():.4f}"


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_log_holds_the_samples_fed_in_the_order_of_the_picks(recipe, default_runs):
    _, folder = default_runs[recipe]
    steps, x, y, A, _ = read_log(folder / f"{recipe}.csv")
    assert steps == list(range(1, EVERY[recipe][0] + 1))
    stream = data.streams(18)
    x_vals, y_vals = SCRIPTS[recipe].draw_samples(stream.samples)
    picks = data.Picks(stream.picks)
    order = [picks.choice(100) for _ in steps]
    np.testing.assert_array_equal(x, f32(x_vals[order]))
    np.testing.assert_array_equal(y, f32(y_vals[order]))
    assert A[0] == f32(stream.start.normal(0 if recipe == "regression" else 10))


def test_plain_numpy_replays_the_regression_from_its_log_bit_for_bit(default_runs):
    _, folder = default_runs["regression"]
    _, x, y, A, loss = read_log(folder / "regression.csv")
    for step in range(100):
        error = x[step] * A[step] - y[step]
        assert A[step] - f32(0.02) * (f32(2) * error * x[step]) == A[step + 1]
        assert np.square(x[step] * A[step + 1] - y[step]) == loss[step]


def test_plain_numpy_replays_the_classification_from_its_log(default_runs):
    _, folder = default_runs["classification"]
    _, x, y, A, loss = read_log(folder / "classification.csv")
    # The loss is max(z, 0) - z y + log(1 + exp(-|z|)), and its gradient the sum of the three terms' gradients.
    z = x + A[:-1]
    e = exactly_rounded(np.exp, -np.abs(z))
    gradient = np.where(z >= 0, f32(-1), f32(1)) * (f32(1) / (f32(1) + e) * e) + f32(z >= 0) - y
    assert_same(A[:-1] - f32(0.05) * gradient, A[1:])
    z = x + A[1:]
    loss_after = np.maximum(z, f32(0)) - z * y + exactly_rounded(np.log1p, exactly_rounded(np.exp, -np.abs(z)))
    assert np.max(np.abs(loss_after - loss) / np.spacing(loss)) <= 1  # TensorFlow's log1p rounds its own way


def exactly_rounded(function, x):
    """The function's values for float32 numbers, computed in double precision and rounded once."""
    return f32(function(np.float64(x)))


@pytest.mark.parametrize("recipe", RECIPES)
def test_today_s_default_runs_reproduce_the_reference(recipe, default_runs):
    _, folder = default_runs[recipe]
    ours, reference = (where / f"{recipe}.csv" for where in (folder, CHECKOUT / "outputs/reference"))
    if ours.read_bytes() == reference.read_bytes():
        return
    for column, theirs in zip(read_log(ours)[1:], read_log(reference)[1:], strict=True):
        assert_same(column, theirs)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_log_is_plain_csv_and_reads_back_as_the_same_numbers(recipe, default_runs):
    _, folder = default_runs[recipe]
    with open(folder / f"{recipe}.csv", newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    for row in rows[1:]:
        assert all(str(f32(row[column])) == row[column] for column in ("x", "y", "A", "loss"))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_picture_is_a_whole_png_of_a_size_to_look_at(recipe, default_runs):
    _, folder = default_runs[recipe]
    content = (folder / f"{recipe}.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert [int.from_bytes(content[at:at + 4], "big") for at in (16, 20)] == [1100, 800]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_run_that_main_returns_holds_what_the_log_and_the_record_hold(recipe, default_runs, tmp_path):
    made = SCRIPTS[recipe].main(["--no-figure", "--output-dir", str(tmp_path)])
    steps, *columns = read_log(tmp_path / f"{recipe}.csv")
    assert len(made) == len(steps) == EVERY[recipe][0]
    for ours, logged in zip((made.x, made.y, made.A, made.loss), columns, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, logged)
    assert (tmp_path / f"{recipe}.csv").read_bytes() == (default_runs[recipe][1] / f"{recipe}.csv").read_bytes()
    assert made.files == [tmp_path / f"{recipe}.{kind}" for kind in ("csv", "json")]
    assert made.status == 0
    record = json.loads((tmp_path / f"{recipe}.json").read_text(encoding="ascii"))
    assert record["flags"] == {
        "seed": 18, "steps": EVERY[recipe][0], "report_every": EVERY[recipe][1], "runs": 1,
        "rows": [{"optimizer": "gradient-descent", "learning_rate": 0.02 if recipe == "regression" else 0.05}]}
    result = record["result"]
    assert (result["optimizer"], result["steps"], result["ended_early"]) == ("gradient-descent", len(steps), None)
    assert [f32(result[key]) for key in ("A_start", "A", "loss")] == [made.A[0], made.A[-1], made.loss[-1]]
    assert result["learning_rate"] == (0.02 if recipe == "regression" else 0.05)


def test_every_flag_does_what_its_line_of_help_says(tmp_path, capsys):
    flags = ["--seed", 3, "--steps", 60, "--report-every", 30, "--learning-rate", 0.1, "--no-figure"]
    made = regression.main([*map(str, flags), "--output-dir", str(tmp_path / "a" / "b")])
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("Step")] == ["#30", "#60"]
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {"regression.csv", "regression.json"}
    _, x, y, A, _ = read_log(tmp_path / "a/b/regression.csv")
    assert len(x) == 60
    assert A[1] == A[0] - f32(0.1) * (f32(2) * (x[0] * A[0] - y[0]) * x[0])
    assert x[0] in f32(regression.draw_samples(data.streams(3).samples)[0])


def test_the_seed_alone_decides_the_log(tmp_path):
    for folder, seed in (("first", 5), ("again", 5), ("other", 6)):
        regression.main(["--seed", str(seed), "--no-figure", "--output-dir", str(tmp_path / folder)])
    first, again, other = ((tmp_path / name / "regression.csv").read_bytes() for name in ("first", "again", "other"))
    assert first == again
    assert first != other


def test_more_steps_or_another_rate_change_no_sample_and_no_pick(tmp_path):
    short, long = (regression.main([*flags, "--no-figure", "--output-dir", str(tmp_path)]) for flags in (
        ["--steps", "20"], ["--steps", "200", "--learning-rate", "0.3"]))
    np.testing.assert_array_equal(short.x, long.x[:20])
    assert short.A[0] == long.A[0]


@pytest.mark.parametrize(("steps", "last"), [(55, ["Step #55 A = "]), (50, [])])
def test_the_last_A_is_printed_where_no_report_falls_on_it(steps, last, tmp_path, capsys):
    made = regression.main(["--steps", str(steps), "--no-figure", "--output-dir", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    theory, = (at for at, line in enumerate(lines) if line.startswith("In theory"))
    assert lines[4:theory] == [f"{text}{made.A[-1:]!s}" for text in last]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("flags", [["--tensorboard"], ["--optimizer", "adam", "--trace"]])
def test_the_reports_and_the_log_are_the_same_with_trace_and_tensorboard(recipe, flags, tmp_path, capsys):
    flags = [*flags, str(tmp_path / "board")] if "--tensorboard" in flags else flags
    words = ["--steps", "60", "--report-every", "20", "--no-figure", "--output-dir", str(tmp_path)]
    plain = SCRIPTS[recipe].main([*words, *(flags[:2] if "--optimizer" in flags else [])])
    reports = [line for line in capsys.readouterr().out.splitlines() if re.match("Step|Loss|In theory|Accuracy", line)]
    watched = SCRIPTS[recipe].main([*words, *flags])
    shown = [line for line in capsys.readouterr().out.splitlines() if re.match("Step|Loss|In theory|Accuracy", line)]
    assert len(reports) == (7 if recipe == "regression" else 8)
    assert shown == reports
    for column in ("x", "y", "A", "loss"):
        np.testing.assert_array_equal(getattr(watched, column), getattr(plain, column))
