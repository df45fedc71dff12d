"""A changed line works: copies of the scripts, edited as a learner would, run with all that goes beyond the page.

What is expected comes from numpy: each edit has its loss and its output as a function of x, y and A.
"""

import json
import re
import runpy
import sys
from typing import NamedTuple

import numpy as np
import pytest
from conftest import CHECKOUT, one_sentence, read_log
from make_reference import recipe_in

from common import run as one_run
from common import tf1 as tf
from common.comparison import blocks, loops, optimizers
from common.pictures import style


class Edit(NamedTuple):
    """A change of a script, and what it then computes."""

    recipe: str
    replace: list  # of pairs of texts, or functions from text to text
    loss: object = None  # (x, y, A) -> the loss, in numpy
    output: object = None  # (x, A) -> the output
    no_rule: tuple = ()  # the operations that the chain rule by hand has no rule for
    flags: tuple = ()
    tables: int = 2  # of the trace in 30 steps


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.logaddexp(0, z)


def squared(x, y, A):
    return (x * A - y) ** 2


def cross_entropy(x, y, A):
    return softplus(x + A) - y * (x + A)


def times(x, A):
    return x * A


def shifted(x, A):
    return sigmoid(x + A)


SQUARE = 'tf.square(my_output - y_target, name="loss")'
OUTPUT = 'tf.multiply(x_data, A, name="my_output")'
XENTROPY = ('tf.nn.sigmoid_cross_entropy_with_logits(\n'
            '        logits=my_output_expanded, labels=y_target_expanded, name="xentropy")')
Z, Y = "my_output_expanded", "y_target_expanded"
SAMPLES = "x_vals = rng.normal(1, 0.1, 100)"
DRAWN = "x_vals, y_vals = draw_samples(run.samples)"
OPTIMIZER = "tf.train.GradientDescentOptimizer(learning_rate=learning_rate)"

EDITS = {
    "absolute error": Edit("regression", [(SQUARE, "tf.abs(my_output - y_target)")],
                           lambda x, y, A: np.abs(x * A - y), times, ("Abs",)),
    "half of the square": Edit("regression", [(SQUARE, f"0.5 * {SQUARE}")],
                               lambda x, y, A: 0.5 * squared(x, y, A), times),
    "log cosh": Edit("regression", [(SQUARE, "tf.math.log(tf.cosh(my_output - y_target))")],
                     lambda x, y, A: np.log(np.cosh(x * A - y)), times, ("Log", "Cosh")),
    "plus 1": Edit("regression", [(OUTPUT, "x_data * A + 1")],
                   lambda x, y, A: (x * A + 1 - y) ** 2, lambda x, A: x * A + 1),
    "tanh": Edit("regression", [(OUTPUT, "20 * tf.tanh(0.1 * x_data * A)")],
                 lambda x, y, A: (20 * np.tanh(0.1 * x * A) - y) ** 2, lambda x, A: 20 * np.tanh(0.1 * x * A),
                 ("Tanh",), ("--learning-rate", "0.01")),
    "to the power": Edit("regression", [(OUTPUT, "tf.pow(x_data, 3) * A")],
                         lambda x, y, A: (x**3 * A - y) ** 2, lambda x, A: x**3 * A, ("Pow",)),
    "60 samples": Edit("regression", [(SAMPLES, "x_vals = rng.normal(1, 0.1, 60)"),
                                      ("np.repeat(10., 100)", "np.repeat(10., 60)")], squared, times),
    "uniform samples": Edit("regression", [(SAMPLES, "x_vals = rng.uniform(0.5, 2, 100)")], squared, times),
    "targets of their own": Edit("regression", [("np.repeat(10., 100)", "10 + rng.normal(0, 2, 100)")], squared, times),
    "penalty": Edit("regression", [(SQUARE, f"{SQUARE} + 0.1 * tf.square(A)")],
                    lambda x, y, A: squared(x, y, A) + 0.1 * A**2, times),
    "mean of the loss": Edit("regression", [(SQUARE, f"tf.reduce_mean({SQUARE})")], squared, times, ("Mean",)),
    "sum of the loss": Edit("regression", [(SQUARE, f"tf.reduce_sum({SQUARE})")], squared, times, ("Sum",)),
    "momentum": Edit("regression", [(OPTIMIZER, "tf.train.MomentumOptimizer(learning_rate, 0.9)")], squared, times, (),
                     ("--learning-rate", "0.005")),
    "adam": Edit("regression", [(OPTIMIZER, "tf.train.AdamOptimizer(0.25)")], squared, times),
    "the page's own samples": Edit("regression", [
        (DRAWN, "x_vals = np.random.normal(1, 0.1, 100)\n    y_vals = np.repeat(10., 100)")], squared, times),
    "half of the cross entropy": Edit("classification", [(XENTROPY, f"0.5 * {XENTROPY}")],
                                      lambda x, y, A: 0.5 * cross_entropy(x, y, A), shifted),
    "softplus": Edit("classification", [(XENTROPY, f"tf.nn.softplus({Z}) - {Z} * {Y}")], cross_entropy, shifted,
                     ("Softplus",)),
    "log loss by hand": Edit("classification", [(XENTROPY, (
        f"-{Y} * tf.math.log(tf.sigmoid({Z}) + 1e-3) - (1 - {Y}) * tf.math.log(1 - tf.sigmoid({Z}) + 1e-3)"))],
        lambda x, y, A: -y * np.log(sigmoid(x + A) + 1e-3) - (1 - y) * np.log(1 - sigmoid(x + A) + 1e-3), shifted,
        ("Log", "Sigmoid")),
    "squared error of the sigmoid": Edit("classification", [(XENTROPY, f"tf.square(tf.sigmoid({Z}) - {Y})")],
                                         lambda x, y, A: (sigmoid(x + A) - y) ** 2, shifted, ("Sigmoid",)),
    "hinge": Edit("classification", [(XENTROPY, f"tf.nn.relu(1 - (2 * {Y} - 1) * {Z})")],
                  lambda x, y, A: np.maximum(1 - (2 * y - 1) * (x + A), 0), shifted, ("Relu",)),
    "without the dimension": Edit("classification", [
        (XENTROPY, "tf.nn.sigmoid_cross_entropy_with_logits(logits=my_output, labels=y_target)")],
        cross_entropy, shifted),
    "30 and 10 samples": Edit("classification", [
        ("rng.normal(-1, 1, 50), rng.normal(3, 1, 50)", "rng.normal(-2, 1, 30), rng.normal(4, 2, 10)"),
        ("np.repeat(0., 50), np.repeat(1., 50)", "np.repeat(0., 30), np.repeat(1., 10)")], cross_entropy, shifted),
    "mean of the cross entropy": Edit("classification", [(XENTROPY, f"tf.reduce_mean({XENTROPY})")], cross_entropy,
                                      shifted, ("Mean",)),
}
MIXED = {"mean of the loss", "sum of the loss", "mean of the cross entropy"}  # one number, not one a sample
IN_TRAIN = {"the page's own samples", "momentum", "adam"}  # what graph() and draw_samples() do not know of


def edited(recipe, replace, folder):
    """The text of a script's copy with lines changed, written to `folder/recipes`; returns its path."""
    text = (CHECKOUT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8")
    for change in replace:
        assert callable(change) or text.count(change[0]) == 1, change[0]
        text = change(text) if callable(change) else text.replace(*change)
    path = folder / "recipes" / f"{recipe}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def path_as_before(monkeypatch):
    """Each script puts the folder above it on the path."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def load(tmp_path):
    """Make a script's edited copy, and return the recipe that it defines."""
    return lambda edit: recipe_in(edited(edit.recipe, edit.replace, tmp_path))


def least(loss, x, y):
    """The `A` with the least mean loss over the samples, by ever finer grids."""
    low, high = -40, 60
    for _ in range(6):
        grid = np.linspace(low, high, 2001)
        at = np.argmin(loss(x, y, grid[:, None]).mean(axis=1))
        low, high = grid[max(at - 2, 0)], grid[min(at + 2, 2000)]
    return grid[at]


def tables(text):
    """The trace's tables: step -> node -> (operation, value, gradient, by hand, difference), the last two as texts."""
    found = {}
    row = re.compile(r"^(\S+) +(\w+) +(\S+) +(\S+) +(no rule|\S+) +(cannot tell|\S+)\n    \[\S+\] = ", flags=re.M)
    for table in re.split(r"^Back propagation in ", text, flags=re.M)[1:]:
        found[int(re.match(r"step #([0-9]+)", table)[1])] = {
            name: (operation, float(value), float(gradient), by_hand, difference)
            for name, operation, value, gradient, by_hand, difference in row.findall(table)}
    return found


@pytest.mark.parametrize("name", EDITS)
def test_the_run_the_trace_and_the_pictures_of_a_changed_script_are_right(name, load, tmp_path, drawn, capsys):
    edit = EDITS[name]
    changed = load(edit)
    steps = 60
    words = ["--steps", str(steps), "--report-every", "60", "--trace", "--trace-step", "2", *edit.flags]
    made = changed([*words, "--output-dir", str(tmp_path)])
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")

    # The log: the loss after each step is the loss of the changed line.
    steps_logged, x, y, A, loss = read_log(tmp_path / f"{edit.recipe}.csv")
    assert steps_logged == list(range(1, steps + 1))
    x, y = np.float64(x), np.float64(y)
    np.testing.assert_allclose(loss, edit.loss(x, y, np.float64(A[1:])), rtol=1e-4, atol=2e-5)
    assert np.ptp(A) > 1e-4  # where the loss is flat, as far off in the squared error of a sigmoid, it hardly moves

    # The least loss, to three digits and to what is printed.
    best = least(edit.loss, made.x_vals, made.y_vals)
    said, = re.findall(r"^In theory A = .*; the least loss for these samples is at A = (.*)$", printed, flags=re.M)
    at_said, at_best = (edit.loss(made.x_vals, made.y_vals, at).mean() for at in (float(said), best))
    if at_said > at_best * (1 + 1e-13):  # else the loss is flat around its least, as a hinge's may be
        assert float(said) == pytest.approx(best, rel=5e-4, abs=2e-4)

    # The trace: TensorFlow's gradient, its difference, and "no rule" exactly for what goes into an unknown operation.
    seen = tables(printed)
    assert list(seen) == [1, 2, 60]
    used = set()
    for step, nodes in seen.items():
        xi, yi, Ai = x[step - 1], y[step - 1], np.float64(A[step - 1])
        move = 1e-5
        slope = (edit.loss(xi, yi, Ai + move) - edit.loss(xi, yi, Ai - move)) / (2 * move)
        operation, value, gradient, _, _ = nodes["A"]
        assert operation == "Variable"
        assert value == pytest.approx(Ai, rel=1e-5)
        assert gradient == pytest.approx(slope, rel=1e-3, abs=5e-5)
        for node, (operation, _, gradient, by_hand, difference) in nodes.items():
            used.add(operation)
            if by_hand != "no rule":
                assert gradient == pytest.approx(float(by_hand), rel=1e-3, abs=5e-5), (step, node)
            if difference != "cannot tell":
                assert gradient == pytest.approx(float(difference), rel=1e-3, abs=5e-5), (step, node)
        without = [node for node, row in nodes.items() if row[3] == "no rule"]
        assert bool(without) == bool(edit.no_rule)
    assert set(edit.no_rule) <= used
    assert "no rule for an operation that it goes into: TensorFlow's gradient" in printed or not edit.no_rule

    # The picture: its curve of the loss, its outputs before and after, its least.
    numbers = drawn[".png"]
    grid = numbers["curve"]["A"]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(numbers["curve"]["mean"], edit.loss(
            made.x_vals, made.y_vals, grid[:, None]).mean(axis=1), rtol=1e-6, atol=1e-9)
    assert f"{numbers['best']:.4f}" == said
    for key, at in (("before", A[0]), ("after", A[-1])):
        np.testing.assert_allclose(numbers[key], edit.output(numbers["x"], np.float64(at)), rtol=1e-6)
    assert "step 2 of" in drawn["-graph.png"]["title"]


def test_the_least_absolute_error_is_at_the_weighted_median():
    rng = np.random.default_rng(3)
    x, y = rng.normal(1, 0.1, 100), np.full(100, 10.0)
    ratio, weight = y / x, np.abs(x)
    order = np.argsort(ratio)
    median = ratio[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)]
    assert least(EDITS["absolute error"].loss, x, y) == pytest.approx(median, abs=1e-6)


@pytest.mark.parametrize("name", [
    "absolute error", "plus 1", "tanh", "60 samples", "targets of their own", "momentum", "the page's own samples",
    "softplus", "log loss by hand", "hinge", "without the dimension", "30 and 10 samples"])
def test_a_changed_script_compares_rates_over_60_runs(name, load, tmp_path, drawn, monkeypatch):
    edit, outcomes, found = EDITS[name], loops.outcomes, []
    changed = load(edit)

    def noted(*arguments):
        for A, loss, *rest in outcomes(*arguments):
            found.append((A.copy(), loss.copy()))
            yield A, loss, *rest

    monkeypatch.setattr(loops, "outcomes", noted)
    rates = [0.002, 0.01]
    words = ["--runs", "60", "--learning-rate", *map(str, rates), "--steps", "40", "--output-dir", str(tmp_path)]
    made = changed(words)
    assert made.status == 0
    assert [[row[key] for key in ("learning_rate", "runs", "diverged")] for row in made.rows] == [
        [rate, 60, 0] for rate in rates]
    numbers = drawn["-comparison.png"]
    assert numbers["rows"] == made.rows
    _, (A, loss) = found
    assert made.rows[1]["A_mean"] == pytest.approx(A.mean(dtype=np.float64))
    block = next(blocks.draw_blocks(changed, 18, 60, 60, 40))
    mean = edit.loss(np.float64(block.x), np.float64(block.y), np.float64(A)[:, None]).mean(axis=1)
    np.testing.assert_allclose(loss, mean, rtol=1e-4, atol=1e-5)
    if name not in IN_TRAIN:  # the first run is the script's own
        alone = changed(["--learning-rate", "0.01", "--steps", "40", "--no-figure", "--output-dir", str(tmp_path)])
        assert A[0] == pytest.approx(alone.A[-1], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", sorted(MIXED))
@pytest.mark.parametrize("flags", [["--runs", "60"], ["--learning-rate", "0.01", "0.02"], ["--optimizer", "all"]])
def test_a_comparison_of_a_loss_without_a_number_a_sample_is_refused_in_one_sentence(
        name, flags, load, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        load(EDITS[name])([*flags, "--no-figure", "--output-dir", str(tmp_path / "out")])
    sentence = end.value.code
    assert isinstance(sentence, str)
    assert one_sentence(f"{sentence}\n")
    assert "tf.reduce_mean" in sentence
    assert "one number a sample" in sentence
    assert capsys.readouterr().err == ""
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(("name", "which"), [
    ("absolute error", list(optimizers.OPTIMIZERS)), ("softplus", ["gradient-descent", "adam", "ftrl", "adagrad-da"])])
def test_every_optimizer_trains_a_changed_script_alone_and_in_a_comparison(name, which, load, tmp_path):
    changed = load(EDITS[name])
    words = ["--steps", "6", "--no-figure", "--output-dir", str(tmp_path)]
    rows = changed([*words, "--optimizer", *which]).rows
    assert [row["optimizer"] for row in rows] == which
    for row in rows:
        alone = changed([*words, "--optimizer", row["optimizer"]])
        assert alone.status == 0
        assert row["A_mean"] == pytest.approx(alone.A[-1], rel=1e-6, abs=1e-6)
        assert row["learning_rate"] == pytest.approx(alone.made_by()[1])


@pytest.mark.parametrize(("name", "optimizer", "rate"), [("momentum", "momentum", 0.005), ("adam", "adam", 0.25)])
def test_another_optimizer_in_the_script_is_named_as_what_it_is_in_pictures_and_trace(
        name, optimizer, rate, load, tmp_path, drawn, capsys):
    made = load(EDITS[name])(["--steps", "30", "--trace", *EDITS[name].flags, "--output-dir", str(tmp_path)])
    made_name, made_rate = made.made_by()
    assert (made_name, made_rate) == (optimizer, np.float32(rate))
    assert f"{optimizer}, learning rate {rate:g}" in drawn[".png"]["made_by"]
    assert f"{optimizer}, learning rate {rate:g}" in drawn["-graph.png"]["made_by"]
    assert {"momentum": "velocity 0 before", "adam": "m 0 before"}[name] in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mean of the loss", "30 and 10 samples"])
def test_the_pictures_of_changed_scripts_can_be_drawn(name, load, tmp_path, drawn):
    drawn.here = True
    edit = EDITS[name]
    words = ["--steps", "12", "--output-dir", str(tmp_path)]
    changed = load(edit)
    assert changed([*words, "--trace", *edit.flags]).status == 0
    if name not in MIXED:
        assert changed([*words, "--runs", "30", "--learning-rate", "0.005", "0.01", "0.02"]).status == 0
    for path in tmp_path.glob("*.png"):
        assert path.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert len(list(tmp_path.glob("*.png"))) == (2 if name in MIXED else 3)


INLINED = Edit("regression", [("my_output, loss = graph(x_data, y_target, A)",
                               "my_output = x_data * A\n    loss = tf.abs(my_output - y_target)")])


def test_a_loss_in_train_that_is_not_that_of_graph_is_trained_and_nothing_else_is_made_up(
        load, tmp_path, drawn, capsys):
    made = load(INLINED)(["--steps", "50", "--trace", "--output-dir", str(tmp_path)])
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")
    np.testing.assert_allclose(made.loss, np.abs(made.x * made.A[1:] - made.y), rtol=1e-5)
    assert "The loss that train() minimizes is not that of graph()" in printed
    assert "least loss" not in printed
    assert ".png" not in drawn


def test_a_second_variable_is_trained_logged_and_traced(load, tmp_path, drawn, capsys):
    edit = Edit("regression", [("my_output, loss = graph(x_data, y_target, A)", (
        'b = tf.Variable([0.5], name="b")\n    my_output, loss = graph(x_data, y_target - b, A)'))])
    made = load(edit)(["--steps", "50", "--trace", "--output-dir", str(tmp_path)])
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")
    A, b, rows = np.float64(made.A[0]), 0.5, []
    for x, y in zip(np.float64(made.x), np.float64(made.y), strict=True):
        error = x * A + b - y
        A, b = A - 0.02 * 2 * error * x, b - 0.02 * 2 * error
        rows.append((A, (x * A + b - y) ** 2))
    np.testing.assert_allclose(np.transpose([made.A[1:], made.loss]), rows, rtol=1e-4, atol=1e-4)
    for nodes in tables(printed).values():
        for node in ("A", "b"):
            _, _, gradient, by_hand, difference = nodes[node]
            assert gradient == pytest.approx(float(by_hand), rel=1e-4, abs=1e-5)
            assert gradient == pytest.approx(float(difference), rel=1e-4, abs=1e-5)
    assert "is not that of graph()" in printed


def test_a_loss_with_more_than_one_number_is_refused_in_one_sentence(load, tmp_path, capsys):
    edit = Edit("regression", [(SQUARE, "tf.concat([tf.square(my_output - y_target), tf.abs(A)], 0)")])
    with pytest.raises(SystemExit) as end:
        load(edit)(["--no-figure", "--output-dir", str(tmp_path / "out")])
    assert one_sentence(f"{end.value.code}\n")
    assert "take the mean or the sum of the loss" in end.value.code


def test_a_changed_copy_of_the_checkout_runs_as_a_script(tmp_path, monkeypatch, capsys):
    path = edited("regression", EDITS["absolute error"].replace, tmp_path)
    (tmp_path / "common").symlink_to(CHECKOUT / "common")
    monkeypatch.setattr(sys, "argv", [str(path), "--no-figure", "--output-dir", str(tmp_path / "out")])
    monkeypatch.setattr(sys, "path", [*sys.path])
    made = runpy.run_path(str(path), run_name="__main__")["run"]
    assert (made.status, capsys.readouterr().err) == (0, "")
    _, x, y, A, loss = read_log(tmp_path / "out" / "regression.csv")
    np.testing.assert_array_equal(loss, np.abs(x * A[1:] - y))


# --- programs of another shape ---

STEP = "        sess.run(train_step, feed_dict={x_data: rand_x, y_target: rand_y})\n"
LOOP = "    for i in run.steps(sess, steps):"


def loop_of(text):
    """The lines of a script's training loop."""
    return re.search(rf"{re.escape(LOOP)}\n(?:(?: {{8}}.*)?\n)*", text)[0].rstrip("\n") + "\n"


def changed_script(folder, *changes, recipe="regression"):
    """The recipe of a script's copy with changes, each of them a pair of texts or a function from text to text."""
    return recipe_in(edited(recipe, changes, folder))


def start(main, folder, *flags):
    return main([*map(str, flags), "--no-figure", "--output-dir", str(folder)])


def test_two_training_steps_in_a_round_are_two_steps_of_the_log_beyond_any_number(tmp_path, monkeypatch):
    monkeypatch.setattr(one_run, "HELD", 10)
    made = start(changed_script(tmp_path, (STEP, STEP + STEP)), tmp_path, "--steps", 33)
    assert len(made) == 66
    np.testing.assert_array_equal(made.x[::2], made.x[1::2])
    x, A = np.float64(made.x), np.float64(made.A)
    np.testing.assert_allclose(A[1:], A[:-1] - 0.02 * 2 * x * (x * A[:-1] - 10), rtol=1e-5)


def test_a_second_loop_goes_on_from_the_first_and_the_log_begins_with_the_first(tmp_path, capsys):
    made = start(changed_script(tmp_path, lambda text: text.replace(loop_of(text), 2 * loop_of(text))), tmp_path,
                 "--steps", 30)
    assert (len(made), made.status) == (60, 0)
    _, _, _, A, _ = read_log(tmp_path / "regression.csv")
    assert A[0] == np.float32(0.31840685)
    np.testing.assert_allclose(np.diff(np.float64(A)), -0.04 * made.x * (made.x * np.float64(A[:-1]) - 10), rtol=1e-4,
                               atol=1e-5)


def within(text):
    """The session as a context manager, as TensorFlow 1 programs have it."""
    at = text.index("    sess = tf.Session()\n")
    rest = text.index("    # Create the data")
    end = text.index("\n\nmain = ")
    body = "".join(f"    {line}" if line.strip() else line for line in text[rest:end].splitlines(keepends=True))
    return text[:at] + "    with tf.Session() as sess:\n" + body + text[end:]


@pytest.mark.parametrize(("rate", "steps", "status"), [(0.02, 100, 0), (5, 19, 1)])
@pytest.mark.parametrize("change", [
    within, lambda text: text.replace("\n\nmain = ", "    sess.close()\n\n\nmain = ", 1)], ids=["with", "close"])
def test_a_session_that_the_script_closes_leaves_its_log(change, rate, steps, status, tmp_path, capsys):
    made = start(changed_script(tmp_path, change), tmp_path, "--learning-rate", rate)
    assert (len(made), made.status) == (steps, status)
    assert read_log(tmp_path / "regression.csv")[0] == list(range(1, steps + 1))
    assert status == 0 or one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize("change", [
    ("run.steps(sess, steps)", "range(steps)"), ("sess.run(train_step,", "sess.run(my_output,"),
    ("run.logged(my_opt.minimize(loss), x_vals, y_vals, x_data, y_target, A, loss)", "my_opt.minimize(loss)")])
def test_a_script_that_logs_nothing_is_told_so_and_no_file_is_lost(change, tmp_path):
    (tmp_path / "regression.csv").write_text("earlier", encoding="ascii")
    with pytest.raises(SystemExit) as end:
        start(changed_script(tmp_path, change), tmp_path, "--steps", 3)
    assert one_sentence(f"{end.value.code}\n")
    assert "run.steps(sess, …)" in end.value.code
    assert (tmp_path / "regression.csv").read_text(encoding="ascii") == "earlier"


def test_a_target_far_from_the_start_is_approached_and_not_diverged_from(tmp_path, capsys):
    main = changed_script(tmp_path, ("np.repeat(10., 100)", "np.repeat(1000., 100)"), ("target=10", "target=1000"))
    made = start(main, tmp_path, "--steps", 20)
    assert (made.status, capsys.readouterr().err) == (0, "")
    assert 400 < made.A[-1] < 700
    assert [row["diverged"] for row in start(main, tmp_path, "--steps", 20, "--runs", 30).rows] == [0]
    assert start(main, tmp_path, "--steps", 100, "--learning-rate", 1.2).status == 1


def test_a_clipped_gradient_is_the_one_of_the_update(tmp_path, capsys):
    main = changed_script(tmp_path, ("my_opt.minimize(loss)", "my_opt.apply_gradients([(tf.clip_by_value("
                                     "tf.gradients(loss, A)[0], -1., 1.), A)])"))
    start(main, tmp_path, "--trace", "--steps", 1)
    assert "= 0.3184069 - 0.02 × (-1) = 0.3384069\n" in capsys.readouterr().out


def test_a_rate_that_changes_is_not_named_as_the_flags(tmp_path, drawn):
    main = changed_script(tmp_path, ("learning_rate=learning_rate)", "learning_rate=tf.train.exponential_decay(0.05, "
                                     "tf.train.get_or_create_global_step(), 10, 0.9))"))
    made = main(["--steps", "20", "--output-dir", str(tmp_path)])
    assert made.made_by() == ("gradient-descent", None)
    assert json.loads((tmp_path / "regression.json").read_text(encoding="ascii"))["result"]["learning_rate"] is None
    assert "gradient-descent, learning rate not constant, seed 18" in drawn[".png"]["made_by"]


def test_an_update_of_the_scripts_own_is_not_named_as_an_optimizer(tmp_path, drawn):
    main = changed_script(tmp_path, ("my_opt.minimize(loss)", "A.assign_sub(0.02 * tf.gradients(loss, A)[0])"))
    made = main(["--steps", "100", "--output-dir", str(tmp_path)])
    assert made.A[-1] == pytest.approx(9.804879, abs=1e-5)
    assert drawn[".png"]["made_by"].startswith("an update of its own, ")


@pytest.mark.parametrize(("change", "says"), [
    (("x_vals = rng.normal(1, 0.1, 100)\n    y_vals = np.repeat(10., 100)",
      "x_vals, y_vals = [1., 2., 4.], [10., 20., 40.]"), "the least loss for these samples is at A = 10.0000"),
    (("tf.square(my_output", "tf.constant(0.5) * tf.square(my_output"),
     "(graph() cannot be computed in double precision")])
def test_samples_in_lists_and_constants_in_the_graph_are_trained_and_recorded(change, says, tmp_path, drawn, capsys):
    main = changed_script(tmp_path, (change[0], change[1]) if "constant" not in change[1] else
                          lambda text: text.replace(", name=\"loss\")", ")").replace(*change))
    made = main(["--steps", "20", "--output-dir", str(tmp_path)])
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")
    assert says in printed
    assert (tmp_path / "regression.json").exists()
    assert (".png" in drawn) == ("double" not in says)
    if "double" in says:
        with pytest.raises(SystemExit, match=r"^Several runs take a graph\(\) .* plain numbers .*\.$"):
            start(main, tmp_path, "--runs", 3)


def test_one_sample_and_a_start_that_is_the_same_for_all_runs_are_compared_too(tmp_path):
    main = changed_script(tmp_path, ("rng.normal(1, 0.1, 100)", "np.array([1.])"), ("np.repeat(10., 100)", "[10.]"),
                          ("rng.normal(size=shape)", "[0.]"))
    row, = start(main, tmp_path, "--runs", 3, "--steps", 5).rows
    assert (row["A_sd"], row["A_mean"]) == (0, pytest.approx(10 - 10 * 0.96**5))
    assert start(main, tmp_path, "--steps", 5).A[-1] == pytest.approx(row["A_mean"])


def test_all_samples_are_drawn_however_many_targets_they_have():
    x, y = np.arange(5.0), np.array([1.0, 2, 3, 3, 1])
    (group_x, group_y, *_, text), = style.groups(x, y)
    np.testing.assert_array_equal([group_x, group_y], [x, y])
    assert text == "different targets"
    found = {text: (list(group_x), list(group_y)) for group_x, group_y, *_, text in style.groups(x, y // 3)}
    assert found == {"target 0": ([0, 1, 4], [0, 0, 0]), "target 1": ([2, 3], [1, 1])}


def test_tensorboard_gets_no_gradient_that_the_log_cannot_tell(tmp_path):
    def tags(*changes):
        folder = tmp_path / f"board{len(list(tmp_path.iterdir()))}"
        made = start(changed_script(tmp_path, *changes), tmp_path, "--steps", 3, "--tensorboard", folder)
        assert made.status == 0
        file, = folder.iterdir()
        values = [value for event in tf.train.summary_iterator(str(file)) for value in event.summary.value]
        return {value.tag for value in values}, [value.simple_value for value in values if value.tag == "gradient"]

    with_b = ("my_output, loss = graph(x_data,", "b = tf.Variable([0.5])\n    my_output, loss = graph(x_data + b,")
    assert tags(with_b)[0] == {"x_vals", "A", "loss"}
    scalar = ("draw_start(run.start, shape=[1])", "draw_start(run.start, shape=[])")
    assert tags(scalar)[1] == pytest.approx(tags()[1])


def test_a_loss_that_is_that_of_graph_for_the_last_sample_alone_is_told_apart(tmp_path, capsys):
    change = "_, xentropy = graph(x_data, y_target, A)", "xentropy = tf.square(tf.sigmoid(x_data + A) - y_target)"
    main = changed_script(tmp_path, change, recipe="classification")
    for seed in (18, 19, 21):
        start(main, tmp_path, "--seed", seed, "--steps", 200)
        assert "The loss that train() minimizes is not that of graph()" in capsys.readouterr().out
