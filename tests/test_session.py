"""The session keeps the log: what was trained is logged, and what is logged was trained, however a script trains."""

import signal

import numpy as np
import pytest
from conftest import edited, names, one_sentence, read_log, train

from common import session
from common import tf1 as tf

SESSION = "sess = tf.Session()"
STEP = "sess.run(train_step, feed_dict={x_data: rand_x, y_target: rand_y})"
FED = "feed_dict={x_data: rand_x, y_target: rand_y}"
INDEX = "rand_index = np.random.choice(100)"
LOOP = "for i in range(steps):"
# Beside each step, what a session asks that is TensorFlow's own and knows of no log.
ASK = f"truth.append(np.ravel(tf.load().Session.run(sess, [x_data, y_target, A, loss], {FED})))"
BEGIN = "np.random.seed(seed)"


def rows_of(truth):
    return np.reshape(np.float32(truth), (-1, 4))


@pytest.fixture
def trained(tmp_path, capsys):
    """A function that runs a changed copy with 9 steps: its log, the rows that it should have, and its errors."""
    def function(*changes, flags=(), expected=None):
        main, truth = edited(tmp_path, (BEGIN, f"{BEGIN}; truth.clear()"), *changes), []
        main.train.__globals__["truth"] = truth
        log = train(tmp_path, "--steps", 9, *flags, recipe=main)
        rows = rows_of(truth)
        np.testing.assert_array_equal(log.rows, rows)
        steps, *columns = read_log(tmp_path / "mine.csv")
        assert steps == list(range(1, len(rows) + 1))
        columns[2] = columns[2][1:]
        np.testing.assert_array_equal(np.transpose(columns), rows)
        return log, capsys.readouterr().err

    return function


@pytest.mark.parametrize(("step", "steps"), [
    (STEP, 9),
    (f"sess.run([train_step], {FED})", 9),
    (f"sess.run([train_step, loss], {FED})", 9),
    (f"sess.run({{'step': train_step, 'more': [A, None or loss]}}, {FED})", 9),
    (f"assert sess.run([loss, train_step], {FED})[1] is None", 9),
    (f"train_step.run({FED}, session=sess)", 9),
    (f"with sess.as_default(): train_step.run({FED})", 9),
    ("sess.make_callable(train_step, [x_data, y_target])(rand_x, rand_y)", 9),
    (f"sess.run('train', {FED})", 9),
    (f"sess.run(loss, {FED}); {STEP}; sess.run([A, loss], {FED}); sess.run(A)", 9),
    (f"sess.run(tf.sparse.from_dense(x_data), {FED}); {STEP}", 9),
    (f"if i == 4: sess.graph.finalize()\n        {STEP}", 9),
    (f"if i == 4: sess.graph.finalize()\n        sess.run([train_step, [A, loss][i // 5]], {FED})", 9),
    (f"_ = [x_vals.sort(), sess.run(train_step, {FED})] if i % 2 else {STEP}", 9),
], ids=lambda value: str(value)[:60])
def test_every_way_to_execute_the_training_operation_is_logged(step, steps, trained):
    log, errors = trained((STEP, f"{step}\n        {ASK}"), ("my_opt.minimize(loss)", "my_opt.minimize(loss, name='train')"))
    assert (len(log), errors, log.status) == (steps, "", 0)
