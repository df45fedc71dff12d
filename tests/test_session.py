"""The session keeps the log: what was trained is logged, and what is logged was trained, however a script trains."""
import re
from unittest.mock import Mock

import numpy as np
import pytest
from conftest import at_call, edited, one_sentence, read_log, train

pytestmark = pytest.mark.usefixtures("unoptimized")
SESSION = "sess = tf.Session()"
FED = "feed_dict={x_data: rand_x, y_target: rand_y}"
STEP = f"sess.run(train_step, {FED})"
LOOP = "for i in range(steps):"
BEGIN = "np.random.seed(seed)"
# After each step, TensorFlow's own session, which knows of no log, is asked for what the log should hold.
ASK = f"truth.append(np.ravel(tf.load().Session.run(sess, [x_data, y_target, A, loss], {FED})))"
ASKED = f"{STEP}\n        {ASK}"
WITH = [(SESSION, "with tf.Session() as sess: _train(sess, seed, learning_rate, steps, report_every, optimizer)\n\n\n"
         "def _train(sess, seed, learning_rate, steps, report_every, optimizer):")]


@pytest.fixture
def trained(tmp_path, capsys):
    """A function that runs a changed copy for 9 steps and checks its log; returns the log, and what was printed."""
    def function(*changes):
        main, truth = edited(tmp_path, (BEGIN, f"{BEGIN}; truth.clear()"), *changes), []
        main.train.__globals__["truth"] = truth
        log = train(tmp_path, "--steps", 9, main=main)
        np.testing.assert_array_equal(log.rows, np.float32(truth))
        steps, x, y, A, loss = read_log(tmp_path / "mine.csv")
        assert steps == list(range(1, len(truth) + 1))
        np.testing.assert_array_equal(np.transpose([x, y, A[1:], loss]), log.rows)
        return log, *capsys.readouterr()

    return function


@pytest.mark.parametrize("step", [
    f"sess.run([train_step], {FED})",
    f"sess.run({{'step': train_step, 'more': [A, loss]}}, {FED})",
    f"assert sess.run([loss, train_step], {FED})[1] is None",
    f"train_step.run({FED}, session=sess)",
    f"with sess.as_default(): train_step.run({FED})",
    "sess.make_callable(train_step, [x_data, y_target])(rand_x, rand_y)",
    f"sess.run('train', {FED})",
    f"sess.run(loss, {FED}); {STEP}; sess.run([A, loss], {FED}); sess.run(A)",
    f"sess.run(tf.sparse.from_dense(x_data), {FED}); {STEP}",
    f"if i == 0: A.load([5.], sess)\n        {STEP}",
    "sess.run(train_step, {'x_data:0': rand_x, 'y_target:0': rand_y})",
    f"if i == 4: sess.graph.finalize()\n        {STEP}",
    f"if i == 4: sess.graph.finalize()\n        sess.run([train_step, [A, loss][i // 5]], {FED})",
], ids=ascii)
def test_every_way_to_execute_the_training_operation_is_logged(step, trained):
    log, _, errors = trained((STEP, f"{step}\n        {ASK}"), (".minimize(loss)", ".minimize(loss, name='train')"))
    assert (len(log), errors, log.status) == (9, "", 0)


@pytest.mark.parametrize("changes", [
    [],
    [*WITH, ("tf.reset_default_graph()", "")],
    [("\n\nmain", "\n    sess.close()\n\n\nmain")],
    [("tf.reset_default_graph()", "tf.Session()")],  # one that trains nothing
    [("tf.losses.add_loss(loss)", "sess.run(tf.negative(x_data), {x_data: [2.]}); tf.losses.add_loss(loss)")],
    [("x_data = tf.placeholder(shape=[1]", "x_data = tf.placeholder(shape=[None]")],
], ids=ascii)
def test_every_way_to_set_up_the_session_is_logged(changes, trained):
    log, _, errors = trained((STEP, ASKED), *changes)
    assert (len(log), errors, log.status) == (9, "", 0)


@pytest.mark.parametrize(("steps", "number"), [
    (f"{ASKED}\n        {ASKED}", 18),
    (f"{STEP} if i % 2 else sess.run(again, {FED})\n        {ASK}", 9),
    (f"sess.run([train_step, again], {FED})\n        {ASK}", 9),
    (f"sess.run([train_step, again, loss], {FED})\n        {ASK}\n        {ASKED}", 18),
    (f"for _ in range(i): ({STEP}, {ASK})", 36),
], ids=ascii)
def test_several_training_operations_a_round_are_all_logged(steps, number, trained):
    log, _, errors = trained((STEP, steps), ("train_step = ", "again = my_opt.minimize(loss)\n    train_step = "))
    assert (len(log), errors, log.status) == (number, "", 0)


def test_the_start_is_what_A_is_before_the_first_step(trained):
    log, _, _ = trained((STEP, ASKED), (LOOP, f"sess.run(A.assign([3.]))\n    {LOOP}"))
    assert log.A[0] == 3


OTHER = "other = tf.Session(); other.run(init)"
BOTH = "two sessions were trained, and the log has the steps of both"
UNFED = "A was also changed by an execution that did not feed x and y"
ONE = "at a step x, y, A and the loss should be one number each, and have [2, 1, 1, 2] numbers"


@pytest.mark.parametrize(("step", "number", "reason"), [
    (f"{ASKED}\n        sess = [sess, other][i % 2]", 9, BOTH),
    (f"{ASKED}\n        sess, other = other, sess", 9, BOTH),
    (f"{ASKED}\n        if i == 4: sess.graph.finalize(); sess.close(); sess = other", 9, BOTH),
    (f"{ASKED}\n        sess.run(A.assign_sub([1.]))", 9, UNFED),
    (f"{ASKED}\n        if i == 8: sess.run(init)", 9, UNFED),
    (f"rand_x *= 1 + i // 4\n        {STEP}\n        if i < 4: {ASK}", 4, ONE),
], ids=ascii)
def test_beyond_the_log_nothing_is_shown_of_what_it_cannot_tell(step, number, reason, trained):
    shape = ("x_data = tf.placeholder(shape=[1]", f"x_data = tf.placeholder(shape=[{None if reason == ONE else 1}]")
    log, printed, errors = trained((STEP, step), ("# Train:", f"{OTHER}\n    # Train:"), shape)
    assert (len(log), log.status) == (number, 1)
    assert one_sentence(errors)
    assert errors.startswith(f"mine.py: nothing is shown beyond the log: {reason}")
    assert "In theory" not in printed
    assert log.A[0] == pytest.approx(-0.9058152)  # of the first session's


@pytest.mark.parametrize("change", [
    (STEP, "pass"), (STEP, STEP.replace("train_step", "loss")), (LOOP, "for i in range(0):"),
    (SESSION, "sess = tf.InteractiveSession()"), (STEP, "A.load(rand_x, sess)")])
def test_a_script_that_takes_no_step_is_told_what_a_step_is_and_no_earlier_log_is_lost(change, tmp_path):
    (tmp_path / "mine.csv").write_text("earlier", encoding="ascii")
    sentence = "train() takes no step that feeds x and y: let it execute sess.run(train_step, feed_dict=…) in a session"
    with pytest.raises(SystemExit, match=re.escape(sentence)):
        train(tmp_path, main=edited(tmp_path, change))
    assert (tmp_path / "mine.csv").read_text(encoding="ascii") == "earlier"


@pytest.mark.parametrize("changes", [[], WITH], ids=ascii)
def test_an_error_in_any_step_loses_no_step_before_it(changes, tmp_path, monkeypatch, capsys):
    whole, main = train(tmp_path, "--steps", 9).rows, edited(tmp_path, *changes)
    for step in (2, 3, 6, 9):
        with monkeypatch.context() as patch:
            at_call(patch, np.random, "choice", step, Mock(side_effect=ZeroDivisionError))
            with pytest.raises(ZeroDivisionError):
                train(tmp_path, "--steps", 9, main=main)
        steps, x, _, A, _ = read_log(tmp_path / "mine.csv")
        assert steps == list(range(1, step))
        np.testing.assert_array_equal(x, whole[:step - 1, 0])
        np.testing.assert_array_equal(A[1:], whole[:step - 1, 2])
        assert f"mine.py: ZeroDivisionError after step {step - 1}.\n" in capsys.readouterr().err
