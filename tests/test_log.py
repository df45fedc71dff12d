"""The log that the graph writes itself, into a queue: every step stands in it, whatever ends the run and when."""

import signal

import numpy as np
import pytest
import regression
from conftest import SCRIPTS, read_log

from common import data, run
from common import tf1 as tf
from common.backprop.trace import Trace

f32 = np.float32


def plain(recipe, steps, seed=18, rate=None):
    """x, y, `A` and loss of each step (float32 [steps, 4]) as a plain session has them that is asked after each."""
    script = SCRIPTS[recipe]
    stream = data.streams(seed)
    x_vals, y_vals = script.draw_samples(stream.samples)
    picks = np.empty((steps, 1), np.int32)
    data.draw_picks(stream.picks, len(x_vals), picks)
    with tf.Graph().as_default(), tf.Session() as sess:
        x_data, y_target = (tf.placeholder(tf.float32, [1]) for _ in range(2))
        A = tf.Variable(script.draw_start(stream.start, [1]), dtype=tf.float32)
        _, loss = script.graph(x_data, y_target, A)
        train_step = tf.train.GradientDescentOptimizer(
            script.train.__kwdefaults__["learning_rate"] if rate is None else rate).minimize(loss)
        sess.run(tf.global_variables_initializer())
        rows = []
        for pick in picks[:, 0]:
            feed = {x_data: [x_vals[pick]], y_target: [y_vals[pick]]}
            sess.run(train_step, feed)
            rows.append([each.item() for each in sess.run([x_data, y_target, A, loss], feed)])
    return f32(rows)


def check(made, expected, path):
    """Demand that a run and its file hold the expected steps, float32 [steps, 4], and nothing else."""
    steps, *columns = read_log(path)
    assert steps == list(range(1, len(expected) + 1))
    assert len(made) == len(expected)
    for index, (ours, logged) in enumerate(zip((made.x, made.y, made.A[1:], made.loss), columns, strict=True)):
        logged = logged[1:] if index == 2 else logged
        np.testing.assert_array_equal(ours, expected[:, index])
        np.testing.assert_array_equal(logged, expected[:, index])


@pytest.fixture(autouse=True)
def roomy(monkeypatch):
    """See that the queue has no limit at which a step would wait for ever; how many rows each drain found."""
    asked, drained, queue, drain = [], [], tf.FIFOQueue, run.Run.drain

    def noted(capacity, *rest):
        asked.append(capacity)
        return queue(capacity, *rest)

    def count(self):
        before = len(self)
        drain(self)
        drained.append(len(self) - before)

    monkeypatch.setattr(tf, "FIFOQueue", noted)
    monkeypatch.setattr(run.Run, "drain", count)
    yield drained
    assert set(asked) == {-1}


def main(recipe, folder, *flags):
    return SCRIPTS[recipe].main([*map(str, flags), "--no-figure", "--output-dir", str(folder)])


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_log_is_what_a_plain_session_computes_bit_for_bit(recipe, tmp_path):
    made = main(recipe, tmp_path, "--steps", 300)
    check(made, plain(recipe, 300), tmp_path / f"{recipe}.csv")


@pytest.mark.parametrize("steps", [9, 10, 11, 20, 35])
def test_more_steps_than_the_queue_holds_are_logged_and_it_never_holds_more(steps, tmp_path, monkeypatch, roomy):
    monkeypatch.setattr(run, "HELD", 10)
    made = main("regression", tmp_path, "--steps", steps)
    check(made, plain("regression", steps), tmp_path / "regression.csv")
    assert max(roomy) <= 10


def test_more_steps_than_the_real_queue_holds_are_logged(tmp_path, roomy):
    steps = run.HELD + 10
    made = main("regression", tmp_path, "--steps", steps, "--report-every", steps)
    stream = data.streams(18)
    (x_vals, _), picks = regression.draw_samples(stream.samples), np.empty((steps, 1), np.int32)
    data.draw_picks(stream.picks, 100, picks)
    x, A = f32(x_vals)[picks[:, 0]], made.A
    after = A[:-1] - f32(0.02) * (f32(2) * (x * A[:-1] - f32(10)) * x)  # each step by hand, from the one before
    check(made, np.stack([x, np.full(steps, f32(10)), after, np.square(x * after - f32(10))], 1),
          tmp_path / "regression.csv")
    assert max(roomy) <= run.HELD


@pytest.mark.parametrize("flags", [[], ["--trace", "--report-every", 1], ["--trace", "--report-every", 4]])
@pytest.mark.parametrize("held", [1, 3, 4])
def test_a_small_queue_that_is_emptied_by_the_trace_too_loses_no_step_and_keeps_their_order(
        flags, held, tmp_path, monkeypatch, roomy):
    monkeypatch.setattr(run, "HELD", held)
    monkeypatch.setattr(Trace, "_difference", lambda *arguments: None)  # which takes no step and empties nothing
    made = main("regression", tmp_path, "--steps", 13, *flags)
    check(made, plain("regression", 13), tmp_path / "regression.csv")
    assert max(roomy) <= held


def test_a_run_that_diverges_in_step_1_has_that_step_in_its_log(tmp_path, capsys):
    made = main("regression", tmp_path, "--learning-rate", 1e38)
    assert (len(made), made.status) == (1, 1)
    assert not np.isfinite(made.loss[0])
    expected = plain("regression", 1, rate=1e38)
    check(made, expected, tmp_path / "regression.csv")
    numbers = f"A = {made.A[-1]!s}, loss = {made.loss[-1]!s}"
    assert f"the run diverged at step 1 with learning rate 1e+38 ({numbers}): try" in capsys.readouterr().err


def test_a_run_that_diverges_later_ends_with_the_step_that_is_not_finite(tmp_path, capsys):
    made = main("regression", tmp_path, "--learning-rate", 5)
    steps = len(made)
    assert made.status == 1
    assert 1 < steps < 100
    assert np.isfinite([made.A[:-1]]).all()
    assert np.isfinite(made.loss[:-1]).all()
    assert not np.isfinite(made.loss[-1])
    check(made, plain("regression", steps, rate=5), tmp_path / "regression.csv")
    x, _ = regression.draw_samples(data.streams(18).samples)
    limit = np.mean(x**2) / np.mean(x**4)  # E[(1 - 2 rate x^2)^2] = 1
    assert capsys.readouterr().err == (
        f"regression.py: the run diverged at step {steps} with learning rate 5.0 (A = {made.A[-1]!s}, loss = "
        f"{made.loss[-1]!s}): try a smaller one (gradient descent on these samples is stable below {limit:.3f}).\n")


def test_a_run_that_ends_far_off_but_finite_is_told_to_have_diverged_with_its_numbers(tmp_path, capsys):
    made = main("regression", tmp_path, "--learning-rate", 1.05)
    assert (len(made), made.status) == (100, 1)
    assert 100 < abs(made.A[-1] - 10) < 1e6
    x, _ = regression.draw_samples(data.streams(18).samples)
    printed, errors = capsys.readouterr()
    assert errors == (
        f"regression.py: the run diverged at step 100 with learning rate 1.05 (A = {made.A[-1]!s} is more than 100 "
        "away from 10): try a smaller one (gradient descent on these samples is stable below "
        f"{np.mean(x**2) / np.mean(x**4):.3f}).\n")
    assert "In theory" not in printed


@pytest.mark.parametrize(("number", "held"), [(signal.SIGINT, 4096), (signal.SIGTERM, 4)])
def test_a_signal_in_any_step_of_a_short_run_loses_nothing(number, held, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "HELD", held)
    expected, before = plain("regression", 9), signal.getsignal(number)
    choice = data.Picks.choice
    for step in range(1, 10):
        taken = []

        def stop(self, size, step=step, taken=taken):
            taken.append(size)
            if len(taken) == step:  # while the step is prepared: it is done, and the next is not begun
                signal.raise_signal(number)
            return choice(self, size)

        monkeypatch.setattr(data.Picks, "choice", stop)
        made = main("regression", tmp_path, "--steps", 9)
        check(made, expected[:step], tmp_path / "regression.csv")
        assert made.status == 128 + number
        assert len(taken) == step
        name = signal.Signals(number).name
        assert capsys.readouterr().err.startswith(f"regression.py: stopped by {name} after step {step}")
        assert signal.getsignal(number) is before


def test_an_error_in_any_step_loses_no_step_before_it(tmp_path, monkeypatch):
    expected, choice = plain("regression", 9), data.Picks.choice

    class Broken(Exception):
        pass

    for step in range(2, 10):
        taken = []

        def fail(self, size, step=step, taken=taken):
            taken.append(size)
            if len(taken) == step:
                raise Broken
            return choice(self, size)

        monkeypatch.setattr(data.Picks, "choice", fail)
        with pytest.raises(Broken):
            main("regression", tmp_path, "--steps", 9)
        steps, x, _, A, _ = read_log(tmp_path / "regression.csv")
        assert steps == list(range(1, step))
        np.testing.assert_array_equal(x, expected[:step - 1, 0])
        np.testing.assert_array_equal(A[1:], expected[:step - 1, 2])


@pytest.mark.parametrize("name", ["adam", "momentum", "nesterov", "ftrl", "adagrad-da"])
def test_A_and_the_loss_are_logged_after_the_step_and_not_before_it(name, tmp_path):
    made = main("regression", tmp_path, "--optimizer", name, "--steps", 50)
    assert np.all(np.diff(made.A) != 0)
    for step in range(50):
        assert made.loss[step] == np.square(made.x[step] * made.A[step + 1] - made.y[step])
