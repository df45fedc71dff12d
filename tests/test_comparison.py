"""Optimizers and rates compared: every run is what the script itself would train, or there is no table.

What is expected comes from numpy in double precision and from the script's own `train`, on the numbers of one run.
"""

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading
import time

import numpy as np
import pytest
from conftest import SCRIPTS, one_sentence, read_log, train
from test_changed_lines import OPTIMIZER, OUTPUT, SQUARE, STEP, edited

from common import tf1 as tf
from common.comparison import draws, figures, runs, training_loop
from common.comparison.optimizers import OPTIMIZERS

pytestmark = pytest.mark.usefixtures("unoptimized")
SEED = 605
MINIMIZE, START = "my_opt.minimize(loss)", "tf.random_normal(shape=[1], seed=seed)"
TARGETS = "np.repeat(10., 100)"
DECAY = {"    my_opt = ": "    step = tf.train.get_or_create_global_step()\n    my_opt = ",
         "learning_rate=learning_rate)": "learning_rate=tf.train.exponential_decay(learning_rate, step, 20, 0.5))",
         MINIMIZE: "my_opt.minimize(loss, global_step=step)"}


def compare(module, folder, *flags):
    """Run a comparison in this process without a picture; returns its rows, as the file has them too."""
    made = module.main([*map(str, flags), "--no-figure", "--output-dir", str(folder)])
    text = (folder / f"{module.main.path.stem}-comparison.csv").read_text(encoding="ascii")
    rows = [{key: None if value == "" else value if key == "optimizer" else float(value) for key, value in row.items()}
            for row in csv.DictReader(io.StringIO(text))]
    assert rows == made.rows  # every number reads back as the same float64
    return rows


@pytest.fixture
def trained(monkeypatch):
    """What the runs of each row come to: a list of (A, loss, arrived, start [runs], curves)."""
    found, together = [], runs.together

    def note(*given):
        found.append(together(*given))
        return found[-1]

    monkeypatch.setattr(runs, "together", note)
    return found


def numbers_of(module, count, steps, mean=0):
    """The numbers of many runs: x, y [runs, samples], starts [runs] and indices [steps, runs]."""
    np.random.seed(SEED)
    x, y = module.draw_samples()
    own = np.random.RandomState()
    own.set_state(np.random.get_state())
    x, y = zip((x, y), *(module.draw_samples() for _ in range(count - 1)), strict=True)
    with tf.Graph().as_default(), tf.load().Session() as session:
        chunk = tf.random_normal(mean=mean, shape=[draws.RUNS], seed=SEED)
        starts = [session.run(chunk) for _ in range(-(-count // draws.RUNS))]
    indices = [np.random.default_rng([SEED, chunk]).integers(len(x[0]), size=(steps, draws.RUNS), dtype=np.int32)
               for chunk in range(len(starts))]
    indices = np.concatenate(indices, axis=1)[:, :count]
    indices[:, 0] = [own.choice(len(x[0])) for _ in range(steps)]
    return np.array(x), np.array(y), np.concatenate(starts)[:count], indices


def by_the_script(module, monkeypatch, x, y, start, indices, **given):
    """The last `A` of the script's own `train` in TensorFlow's own session, on the numbers of one run."""
    sessions, index = [], iter(indices)

    class Names:
        def __getattr__(self, name):
            return getattr(tf, name)

        def Session(self):
            sessions.append(tf.load().Session(config=tf.threads(-1)))
            return sessions[-1]

        def random_normal(self, shape, **how):
            return tf.constant(start, shape=shape)

    with monkeypatch.context() as patch:
        patch.setattr(module, "tf", Names())
        patch.setattr(module, "draw_samples", lambda: (x, y))
        patch.setattr(np.random, "choice", lambda size: next(index))
        module.train(seed=SEED, steps=len(indices), report_every=10**9, **given)
    return np.ravel(sessions[-1].run("A/Read/ReadVariableOp:0"))[0]


@pytest.mark.parametrize(("recipe", "xla"), [("regression", False), ("regression", True), ("classification", True)])
def test_each_optimizer_trains_each_run_as_the_script_does(recipe, xla, tmp_path, monkeypatch, trained):
    monkeypatch.setattr(runs, "XLA_FROM", 0 if xla else 10**12)
    # Far from -1 the sigmoid is 1 but for its last digits, of which Adam makes steps of full size.
    module = edited(recipe, {"mean=10": "mean=0"} if recipe == "classification" else {}, tmp_path)
    names = ("adagrad-da", "ftrl") if xla else tuple(OPTIMIZERS)
    rows = compare(module, tmp_path, "--runs", 3, "--steps", 30, "--learning-rate", 0.05, "--optimizer", *names)
    assert tuple(row["optimizer"] for row in rows) == names
    x, y, starts, indices = numbers_of(module, 3, 30)
    for name, (A, *_) in zip(names, trained, strict=True):
        alone = by_the_script(module, monkeypatch, x[2], y[2], starts[2], indices[:, 2], learning_rate=0.05,
                              optimizer=OPTIMIZERS[name](0.05))
        assert A[2] == pytest.approx(alone, rel=4e-6), name


CHANGES = {
    "A[0]": {OUTPUT: "x_data * A[0]"},
    "x_data[0] and y_target[0]": {OUTPUT: "x_data[0] * A", "my_output - y_target": "my_output - y_target[0]",
                                  TARGETS: "np.random.normal(10, 2, 100)"},
    "a norm": {SQUARE: "tf.square(tf.clip_by_norm(my_output - y_target, 3.))"},
    "matrices": {"shape=[1]": "shape=[1, 1]", OUTPUT: "tf.matmul(x_data, A)", "[x_vals[rand_index]]":
                 "[[x_vals[rand_index]]]", "[y_vals[rand_index]]": "[[y_vals[rand_index]]]"},
    "a placeholder of any length": {"tf.placeholder(shape=[1]": "tf.placeholder(shape=[None]"},
    "a gradient that is the same number for all": {SQUARE: "A - 0 * x_data"},
    "the page's momentum": {OPTIMIZER: "tf.train.MomentumOptimizer(learning_rate, 0.5)"},
    "a decaying rate": DECAY,
    "clipped gradients": {MINIMIZE: "my_opt.apply_gradients([(tf.clip_by_value(each, -9., 9.), variable)"
                                    " for each, variable in my_opt.compute_gradients(loss)])"},
    "momentum by hand": {MINIMIZE: "A.assign_sub((v := tf.Variable(tf.zeros([1]), trainable=False)).assign(0.5 * v + "
                                   "learning_rate * tf.gradients(loss, A)[0]))"},
    "a second variable": {'name="A")': 'name="A")\n    b = tf.Variable(tf.ones([1]))', OUTPUT: "x_data * A + b"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_script_is_trained_as_it_stands(change, tmp_path, monkeypatch, trained):
    module = edited("regression", CHANGES[change], tmp_path)
    compare(module, tmp_path, "--runs", 4, "--steps", 50)
    x, y, starts, indices = numbers_of(module, 4, 50)
    alone = by_the_script(module, monkeypatch, x[3], y[3], starts[3], indices[:, 3])
    assert trained[0][0][3] == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize(("replace", "says"), [
    ({SQUARE: "tf.square(tf.nn.dropout(my_output, rate=0.1) - y_target)"}, "(RandomUniform) must not run twice"),
    ({OUTPUT: "x_data * tf.gather(A, [0])"}, "Gather (ResourceGather) cannot be computed"),
    ({SQUARE: "tf.cond(my_output[0] > 5., lambda: tf.square(my_output - 9.), lambda: 0 * my_output)"}, "(Switch)"),
    ({SQUARE: "tf.cumsum(tf.square(my_output - y_target))"}, "Cumsum (Cumsum) cannot be computed"),
    ({"np.random.choice(100)": "i % 100"}, "train() should feed draw_samples()'s by np.random.choice(100) alone"),
    ({"    x_data = ": "    x_vals = x_vals - 1\n    x_data = "}, "train() should feed draw_samples()'s by "),
    ({"0.1, 100)": "0.1, np.random.randint(90, 110))", "repeat(10., 100)": "repeat(10., len(x_vals))",
      "choice(100)": "choice(len(x_vals))"}, "draw_samples() should give as many finite x as y, "),
    ({START: "tf.random_normal(shape=[1])"}, "A does not start at its initial value as it is drawn again"),
    ({STEP: f"{STEP}\n        {STEP}"}, "train() takes 100 steps instead of 50"),
    ({"        if (i": "        if abs(sess.run(A)[0] - 10) < 2: break\n        if (i"}, "train() takes "),
    ({"    init = ": "    other = tf.train.AdamOptimizer(0.1).minimize(loss)\n    init = ",
      STEP: STEP.replace("train_step", "other if i % 2 else train_step")}, "executes several training operations"),
    ({"    my_opt = ": "    rate = tf.placeholder(tf.float32, [])\n    my_opt = ", "=learning_rate)": "=rate)",
      STEP: STEP.replace("rand_y}", "rand_y, rate: 0.1}")}, "Placeholder (Placeholder) cannot be computed"),
    ({MINIMIZE: "tf.train.GradientDescentOptimizer(0.1 * x_data[0]).minimize(loss)"}, "a step of train() cannot be"),
])
def test_a_script_that_many_runs_cannot_follow_gets_one_sentence_and_no_table(replace, says, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        compare(edited("regression", replace, tmp_path), tmp_path, "--runs", 5, "--steps", 50)
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (1, "")
    assert one_sentence(errors)
    assert "there is no table: " in errors
    assert says in errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_loop_that_trains_another_run_1_gives_no_table(tmp_path, monkeypatch, capsys):
    def advance(self, *given, advance=training_loop.Loop.advance):
        A, *others = advance(self, *given)
        A[0] *= 1.001
        return A, *others

    monkeypatch.setattr(training_loop.Loop, "advance", advance)
    with pytest.raises(SystemExit):
        compare(SCRIPTS["regression"], tmp_path, "--runs", 5)
    assert "beside others, run 1 comes to A = " in capsys.readouterr().err


@pytest.mark.parametrize(("recipe", "xla"), [("regression", False), ("regression", True), ("classification", True)])
def test_the_figures_are_those_of_numpy_with_and_without_xla(recipe, xla, tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr(runs, "Loop", lambda *given: chosen.append(given[-1]) or training_loop.Loop(*given))
    monkeypatch.setattr(runs, "XLA_FROM", 149_999 if xla else 150_000)
    module, steps = SCRIPTS[recipe], 100
    rate, target = (0.2, 10) if recipe == "regression" else (0.5, -1)
    x, y, A, indices = numbers_of(module, 1500, steps, 10 if recipe == "classification" else 0)
    A, arrived = A.astype(np.float64), np.full(1500, np.inf)
    for step, index in enumerate(indices, 1):
        each = np.arange(1500), index
        wrong = x[each] * A - y[each] if recipe == "regression" else 1 / (1 + np.exp(-x[each] - A)) - y[each]
        A -= rate * wrong * (2 * x[each] if recipe == "regression" else 1)
        arrived[(np.abs(A - target) < 0.5) & np.isinf(arrived)] = step
    z = x * A[:, None] if recipe == "regression" else x + A[:, None]
    loss = ((z - y) ** 2 if recipe == "regression" else np.logaddexp(0, z) - z * y).mean()
    row, = compare(module, tmp_path, "--learning-rate", rate, "--runs", 1500, "--steps", steps)
    expected = {"A_mean": A.mean(), "A_sd": A.std(), "loss_mean": loss, "steps_to_target": np.median(arrived),
                **{f"A_p{at:02}": np.percentile(A, at) for at in (5, 50, 95)}}
    for column, value in expected.items():  # float32 against double precision, over all the steps
        assert row[column] == pytest.approx(value, rel=2e-5, abs=2e-5), column
    assert (row["optimizer"], row["learning_rate"], row["runs"], row["diverged"], chosen) == (
        "gradient-descent", rate, 1500, 0, [xla])


def test_the_curves_are_percentiles_of_all_runs_and_each_step_of_a_single_one(tmp_path, trained):
    words = ["--learning-rate", "1.5", "--steps", "300", "--no-figure", "--output-dir", str(tmp_path)]
    (steps, shown), = (curve[:2] for curve in SCRIPTS["regression"].main([*words, "--runs", "9"]).curves)
    A = np.nan_to_num(trained[0][-1].astype(np.float64), nan=3e38, posinf=3e38, neginf=-3e38)
    assert (A.shape, np.isfinite(trained[0][-1]).all()) == ((len(steps), 9), False)
    np.testing.assert_array_equal(np.sort(A, axis=1)[:, 4], shown[1])
    np.testing.assert_allclose(np.percentile(A, (5, 95), axis=1), shown[::2])
    made = SCRIPTS["regression"].main([*words[:1], "0.2", *words[1:]])
    for (steps, shown), rate in zip((curve[:2] for curve in made.curves), (0.2, 1.5), strict=True):
        A = SCRIPTS["regression"].main(["--learning-rate", str(rate), *words[2:]]).A.astype(np.float64)
        A = np.nan_to_num(A, nan=3e38, posinf=3e38, neginf=-3e38)
        np.testing.assert_array_equal(steps, np.arange(301))
        np.testing.assert_array_equal(shown, [A] * 3)


def test_rows_of_one_run_are_the_scripts_own_runs(tmp_path, capsys):
    own = {}
    for name in ("gradient-descent", "adam"):
        SCRIPTS["regression"].main(["--optimizer", name, "--no-figure", "--output-dir", str(tmp_path)])
        own[name] = read_log(tmp_path / "regression.csv")[3]
    capsys.readouterr()
    rows = compare(SCRIPTS["regression"], tmp_path, "--optimizer", *own)
    assert [(row["optimizer"], row["A_mean"], row["A_sd"], row["steps_to_target"]) for row in rows] == [
        (name, A[-1], None, np.argmax(np.abs(A - 10) < 0.5)) for name, A in own.items()]
    lines = capsys.readouterr().out.splitlines()[:3]
    assert [line.split()[5] for line in lines] == ["A_sd", "-", "-"]


def test_runs_that_diverge_count_as_they_do_alone_and_are_left_out_of_the_figures(tmp_path, trained):
    words = [0.9, 1.05, 3]
    rows = compare(SCRIPTS["regression"], tmp_path, "--learning-rate", *words)
    alone = [SCRIPTS["regression"].main(["--learning-rate", rate, "--no-figure", "--output-dir", tmp_path]).status
             for rate in words]
    assert [row["diverged"] for row in rows] == alone
    assert (alone[0], alone[2]) == (0, 1)
    assert {rows[2][column] for column in list(figures.FORMATS)[4:]} == {None}
    row, = compare(SCRIPTS["regression"], tmp_path, "--learning-rate", 1.05, "--runs", 200)
    A = trained[-1][0]
    far = ~(np.abs(A - 10) <= 100)
    assert 40 < far.sum() < 160
    assert row["diverged"] == far.sum()
    assert row["A_mean"] == A[~far].mean(dtype=np.float64)


def test_a_run_whose_loss_over_A_is_not_known_did_not_diverge(tmp_path, capsys):
    moved = {"tf.multiply(x_data, A": "tf.multiply(x_data + B, A",
             "    # Add": "    B = tf.Variable([0.5], name='B')\n    # Add"}
    rows = compare(edited("regression", moved, tmp_path), tmp_path, "--optimizer", "adam", "ftrl")
    assert [(row["diverged"], row["loss_mean"]) for row in rows] == [(0, None)] * 2
    assert capsys.readouterr().err == (
        "mine.py: the loss over A is not shown: the loss or the output is computed from B too.\n")


def test_a_run_whose_loss_overflowed_on_its_way_diverged_only_if_it_ends_so(tmp_path):
    far = {START: "tf.constant([1e25])", "np.random.normal(1, 0.1, 100)": "np.ones(100)", "0.02": "0.49"}
    assert compare(edited("regression", far, tmp_path), tmp_path, "--runs", 3)[0]["diverged"] == 0  # led back
    assert train(tmp_path, main=edited("regression", far, tmp_path).main).status == 0


def test_the_optimizer_and_its_rate_are_the_scripts_and_flags_without_effect_are_named(tmp_path, capsys):
    own = edited("regression", {f"optimizer or {OPTIMIZER}": "tf.train.AdamOptimizer(0.25)"}, tmp_path)
    row, = compare(own, tmp_path, "--runs", 5, "--steps", 9)
    assert (row["optimizer"], row["learning_rate"]) == ("adam", 0.25)
    assert capsys.readouterr().err == ""
    compare(own, tmp_path, "--optimizer", "ftrl", "momentum", "--runs", 5, "--steps", 9)
    assert capsys.readouterr().err.splitlines() == [
        f"mine.py: train() does not train by {name} alone, as --optimizer asks." for name in ("ftrl", "momentum")]
    row, = compare(edited("regression", DECAY, tmp_path), tmp_path, "--runs", 5, "--steps", 9)
    assert row["learning_rate"] is None
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["gradient-descent", "varies"]
    rows = compare(edited("regression", DECAY, tmp_path), tmp_path, "--learning-rate", 0.25, 0.5, "--steps", 9)
    assert [row["learning_rate"] for row in rows] == [0.25, 0.5]  # the flags', by which rows are told apart
    assert capsys.readouterr().out.startswith("train() computes its learning rate: learning_rate is what the flags ask")


def test_rounding_that_a_large_rate_magnifies_is_no_other_run(tmp_path):
    row, = compare(SCRIPTS["classification"], tmp_path, "--optimizer", "momentum", "--learning-rate", 5, "--runs", 20)
    assert row["runs"] == 20


def test_a_copy_of_a_script_has_its_optimizers_rates(tmp_path):
    rows = compare(edited("regression", {}, tmp_path), tmp_path, "--optimizer", "adam", "adadelta", "--steps", 9)
    assert [row["learning_rate"] for row in rows] == [0.2, 1000]


@pytest.mark.parametrize(("replace", "steps", "says"), [
    ({TARGETS: "np.repeat(1000., 100)"}, "never", "The least loss for these samples is at A = 979.62"),
    ({", target=10": ""}, "-", None),
])
def test_the_target_follows_the_data_or_is_named(replace, steps, says, tmp_path, capsys):
    row, = compare(edited("regression", replace, tmp_path), tmp_path, "--runs", 5, "--learning-rate", 0.02)
    lines = capsys.readouterr().out.splitlines()
    assert (says is None) != lines[0].startswith(says or "The")
    assert row["diverged"] == 0
    assert lines[-3].split()[-1] == steps


@pytest.mark.parametrize("size", [1e-5, 1e-3, 1, 1e3, 1e5, 1e6, 1e30, -1e5, -1e-9, -0.0])
def test_columns_never_run_together_and_no_figure_is_hidden(size):
    row = {**dict.fromkeys(figures.FORMATS, size), "optimizer": 25 * "x", "runs": 10**8, "diverged": 10**8}
    cells = "".join(figures.cell(row, column, 10) for column in figures.FORMATS).split()
    assert [float(cells[index]) for index in (1, 4, 5, 6, 7)] == pytest.approx([size] * 5, rel=1e-3)
    assert "-0.0000" not in cells


def test_the_record_and_the_csv_have_the_rows_and_the_users_random_numbers_go_on(tmp_path, monkeypatch, capsys):
    before = np.random.get_state()[1].copy()
    rows = compare(SCRIPTS["regression"], tmp_path, "--learning-rate", 0.02, 1.2, "--runs", 20, "--steps", 50)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    record = json.loads((tmp_path / "regression-comparison.json").read_text(encoding="ascii"))
    assert record["result"]["rows"] == rows
    assert [row["learning_rate"] for row in record["flags"]["rows"]] == [0.02, 1.2]
    assert "Step #" not in capsys.readouterr().out  # the script's own prints

    def no_memory(*given):
        raise MemoryError

    monkeypatch.setattr(runs, "together", no_memory)
    with pytest.raises(SystemExit) as end:
        SCRIPTS["regression"].main(["--runs", "5", "--no-figure", "--output-dir", str(tmp_path / "new")])
    assert end.value.code == 1
    assert "there is not enough memory for 5 runs: try fewer" in capsys.readouterr().err
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(("number", "finished"), [(signal.SIGINT, 0), (signal.SIGTERM, 1), (signal.SIGHUP, 1)])
def test_a_signal_keeps_the_rows_that_are_finished(number, finished, tmp_path, monkeypatch, capsys):
    def together(*given, together=runs.together):
        if len(calls) == finished:
            signal.raise_signal(number)
        calls.append(given)
        return together(*given)

    calls, words = [], ["--learning-rate", "0.02", "0.03", "--runs", "20", "--no-figure", "--output-dir", str(tmp_path)]
    monkeypatch.setattr(runs, "together", together)
    if finished:
        made = SCRIPTS["regression"].main(words)
        assert (made.status, made.rows[0]["learning_rate"], len(made.rows)) == (128 + number, 0.02, 1)
        assert made.files == [tmp_path / f"regression-comparison.{kind}" for kind in ("csv", "json")]
    else:
        with pytest.raises(SystemExit) as end:
            SCRIPTS["regression"].main(words)
        assert end.value.code == 128 + number
        assert list(tmp_path.iterdir()) == []
    errors = capsys.readouterr().err
    assert errors == f"regression.py: stopped by {signal.Signals(number).name} after {finished} of 2 rows.\n"


def test_ctrl_c_is_obeyed_while_runs_are_trained_on_a_terminal_with_a_bar(tmp_path, monkeypatch, capsys):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    flags = ["--learning-rate", 0.02, 0.03, "--runs", 100_000, "--steps", 1000, "--no-figure", "--output-dir", tmp_path]
    shown, sent = [], []

    def user():
        while not re.search(r"rows|[1-9]\d*/200000", "".join(shown)):
            shown.append(os.read(ours, 10_000).decode())
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    with open(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        watching = threading.Thread(target=user)
        watching.start()
        with pytest.raises(SystemExit) as end:
            SCRIPTS["regression"].main(flags)
        assert time.monotonic() - sent[0] < 5  # against hanging; how fast it ends is measured elsewhere
        watching.join()
    with contextlib.suppress(OSError):  # which tells that the terminal was closed
        while True:
            shown.append(os.read(ours, 10_000).decode())
    os.close(ours)
    assert (end.value.code, capsys.readouterr().out) == (130, "")
    assert "%|" in "".join(shown)
    assert "stopped by SIGINT after 0 of 2 rows" in "".join(shown)
