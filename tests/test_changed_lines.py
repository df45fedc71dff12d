"""A changed line is shown rightly, or a sentence says what is left out: copies of the scripts, edited as by a learner.

What is expected comes from plain TensorFlow, which executes the same script without a log, and from numpy.
"""

import json
from typing import NamedTuple

import conftest
import numpy as np
import pytest
from conftest import names, one_sentence, read_log, train

from common import tf1

OUTPUT = 'tf.multiply(x_data, A, name="my_output")'
SQUARE = 'tf.square(my_output - y_target, name="loss")'
NORMAL = "tf.random_normal(shape=[1], seed=seed)"
VARIABLE = f'tf.Variable({NORMAL}, name="A")'
XENTROPY = ('tf.nn.sigmoid_cross_entropy_with_logits(\n'
            '        logits=my_output_expanded, labels=y_target_expanded, name="xentropy")')
OPTIMIZER = "tf.train.GradientDescentOptimizer(learning_rate=learning_rate)"
STEP = "sess.run(train_step, feed_dict={x_data: rand_x, y_target: rand_y})"
X, Y = "np.random.normal(1, 0.1, 100)", "np.repeat(10., 100)"
LOOP = "    for i in range(steps):\n"
EXPANDED, LABELS = "my_output_expanded", "y_target_expanded"
UNKNOWN = "the loss cannot be computed for other values of A"
SAMPLES = "train() feeds other samples than draw_samples() draws with this seed"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def squared(x, y, A):
    return (x * A - y) ** 2


def cross_entropy(x, y, A):
    return np.logaddexp(0, x + A) - y * (x + A)


class Edit(NamedTuple):
    """A change of a script, and what follows from it."""

    replace: dict  # a text: what stands in its place
    loss: object = squared  # (x, y, A) -> the loss, in numpy, which decides the line of the least loss
    says: str = None  # on standard error, instead of that line
    recipe: str = "regression"


EDITS = {
    # Another loss or another model.
    "the absolute error": Edit({SQUARE: "tf.abs(my_output - y_target)"}, lambda x, y, A: abs(x * A - y)),
    "log cosh": Edit({SQUARE: "tf.math.log(tf.cosh(my_output - y_target))"},
                     lambda x, y, A: np.log(np.cosh(x * A - y))),
    "a penalty": Edit({SQUARE: f"{SQUARE} + 0.1 * tf.square(A)"}, lambda x, y, A: squared(x, y, A) + 0.1 * A**2),
    "one more": Edit({OUTPUT: "x_data * A + 1"}, lambda x, y, A: (x * A + 1 - y) ** 2),
    "the mean": Edit({SQUARE: f"tf.reduce_mean({SQUARE})"}),
    "the largest": Edit({SQUARE: f"tf.reduce_max({SQUARE})"}),
    "tf.losses": Edit({SQUARE: "tf.losses.mean_squared_error(y_target, my_output)"}),
    "the sigmoid's squared error": Edit({XENTROPY: f"tf.square(tf.sigmoid({EXPANDED}) - {LABELS})"},
                                        lambda x, y, A: (sigmoid(x + A) - y) ** 2, recipe="classification"),
    "the hinge": Edit({XENTROPY: f"tf.nn.relu(1 - (2 * {LABELS} - 1) * {EXPANDED})"},
                      lambda x, y, A: np.full_like(x, np.nan), recipe="classification"),
    # Parts of vectors, matrices and types: one sample's numbers must not get into another's.
    "A[0]": Edit({OUTPUT: "x_data * A[0]"}),
    "the classification's A[0]": Edit({'tf.add(x_data, A, name="my_output")': "x_data + A[0]"},
                                      cross_entropy, recipe="classification"),
    "x_data[0]": Edit({OUTPUT: "x_data[0] * A"}),
    "y_target[0]": Edit({SQUARE: "tf.square(my_output - y_target[0])", Y: "np.linspace(8, 12, 100)"}),
    "clip_by_norm": Edit({SQUARE: "tf.square(tf.clip_by_norm(my_output - y_target, 100.))"}),
    "matrices": Edit({
        "shape=[1]": "shape=[1, 1]", OUTPUT: "tf.matmul(x_data, A)", "[x_vals[rand_index]]": "[[x_vals[rand_index]]]",
        "[y_vals[rand_index]]": "[[y_vals[rand_index]]]"}),
    "float16": Edit({"tf.float32": "tf.float16", NORMAL: f"tf.cast({NORMAL}, tf.float16)"}),
    "float64": Edit({"tf.float32": "tf.float64", NORMAL: f"tf.cast({NORMAL}, tf.float64)"}),
    "a cast": Edit({SQUARE: "tf.square(tf.cast(my_output - y_target, tf.float32))"}),
    "int32 labels": Edit({
        "y_target = tf.placeholder(shape=[1], dtype=tf.float32": "y_target = tf.placeholder(shape=[1], dtype=tf.int32",
        "tf.expand_dims(y_target, 0": "tf.expand_dims(tf.cast(y_target, tf.float32), 0"},
        cross_entropy, recipe="classification"),
    "a placeholder unused": Edit({SQUARE: "tf.square(my_output - 10.)"}),
    "an old variable": Edit({'name="A")': 'name="A", use_resource=False)'}),
    # Other samples.
    "large targets": Edit({Y: "np.repeat(1e6, 100)"}),
    "small targets": Edit({Y: "np.repeat(1e-5, 100)"}),
    "60 samples": Edit({X: "np.random.normal(1, 0.1, 60)", Y: "np.repeat(10., 60)", "choice(100)": "choice(60)"}),
    "a number of samples that is drawn": Edit({
        X: "np.random.normal(1, 0.1, np.random.randint(100, 120))", Y: "np.repeat(10., len(x_vals))",
        "choice(100)": "choice(len(x_vals))"}),
    "standardized samples": Edit({
        "    x_data = ": "    x_vals = (x_vals - x_vals.mean()) / x_vals.std()\n    x_data = "}, says=SAMPLES),
    "too many targets": Edit({Y: "np.repeat(10., 120)"},
                             says="draw_samples() should give one x and one y for each sample"),
    "labels of one class": Edit({"np.repeat(0., 50)": "np.repeat(1., 50)"},
                                lambda x, y, A: np.full_like(x, np.nan), recipe="classification"),
    # What cannot be computed again, or not from copies: logged rightly, and nothing more is made up.
    "gather": Edit({OUTPUT: "x_data * tf.gather(A, [0])"}, says=UNKNOWN),
    "embedding_lookup": Edit({OUTPUT: "x_data * tf.nn.embedding_lookup(A, [0])"}, says=UNKNOWN),
    "a function": Edit({OUTPUT: "tf.function(lambda a, b: a * b)(x_data, A)"}, says=UNKNOWN),
    "a condition": Edit({
        SQUARE: "tf.cond(tf.reduce_sum(my_output) > 5., lambda: tf.square(my_output - y_target),"
                " lambda: tf.abs(my_output - y_target))"}, says=UNKNOWN),
    "a loop": Edit({
        SQUARE: "tf.while_loop(lambda i, s: i < 2, lambda i, s: (i + 1, s + 0.5 * tf.square(my_output - y_target)),"
                " [0, tf.zeros([1])])[1]"}, says=UNKNOWN),
    "map_fn": Edit({SQUARE: "tf.map_fn(lambda e: e * e, my_output - y_target)"}, says=UNKNOWN),
    "an assertion": Edit({SQUARE: f"{SQUARE}\n    with tf.control_dependencies([tf.assert_less(loss, 1e6)"
                                                "]):\n        loss = tf.identity(loss)"}),
    # Other ways to train.
    "momentum": Edit({OPTIMIZER: "tf.train.MomentumOptimizer(learning_rate, 0.5)"}),
    "a decaying rate": Edit({
        "    my_opt = ": "    step = tf.train.get_or_create_global_step()\n"
                         "    rate = tf.train.exponential_decay(learning_rate, step, 20, 0.5)\n    my_opt = ",
        "learning_rate=learning_rate)": "learning_rate=rate)", "minimize(loss)": "minimize(loss, global_step=step)"}),
    "a rate that is fed": Edit({
        "    my_opt = ": "    rate = tf.placeholder(tf.float32, [])\n    my_opt = ",
        "learning_rate=learning_rate)": "learning_rate=rate)",
        STEP: STEP.replace("rand_y}", "rand_y, rate: 0.05}")}),
    "a clipped gradient": Edit({
        "my_opt.minimize(loss)": "my_opt.apply_gradients([(tf.clip_by_value(each, -9., 9.), variable)"
                                 " for each, variable in my_opt.compute_gradients(loss)])"}),
    "an update by hand": Edit({"my_opt.minimize(loss)": "A.assign_sub(learning_rate * tf.gradients(loss, A)[0])"}),
    "a constraint": Edit({'name="A")': 'name="A", constraint=lambda a: tf.clip_by_value(a, 0., 5.))'}),
    "two passes": Edit({LOOP: f"    for epoch in range(2):\n{LOOP.replace('    for', '     for')}"}),
    "a second optimizer": Edit({
        "    init = ": "    other = tf.train.AdamOptimizer(0.1).minimize(loss)\n    init = ",
        STEP: f"{STEP}\n        {STEP.replace('train_step', 'other')}"}),
}


def edited(recipe, replace, folder):
    """The script with texts replaced, as a module."""
    return conftest.imported(folder, *replace.items(), recipe=recipe)


def plainly(main, steps):
    """A [executions + 1], and x, y, `A` and the loss after each execution of a plain session, [executions, 4]."""
    rows, starts = [], []

    class Plain(tf1.load().Session):
        def run(self, fetches, feed_dict=None, **options):
            graph = self.graph
            training = feed_dict and not isinstance(fetches, tf1.Tensor)
            if training and not starts:
                starts.append(np.ravel(super().run(graph.get_collection("trainable_variables")[0]))[0])
            result = super().run(fetches, feed_dict, **options)
            if training:
                places = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"][:2]
                noted = [*places, graph.get_collection("trainable_variables")[0], graph.get_collection("losses")[-1]]
                rows.append([np.ravel(each)[0] for each in super().run(noted, feed_dict)])
            return result

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(tf1, "Session", Plain, raising=False)
        main.train(steps=steps)
    return starts[0], rows


def check_least(loss, samples, best):
    """See that no other `A`, near or far, has a smaller mean loss than `best`."""
    x, y = samples
    others = best + np.outer([-1, 1], np.geomspace(1e-6, 1e4, 300)).ravel() * max(1e-6, abs(best))
    with np.errstate(over="ignore"):
        losses = loss(x[:, None], y[:, None], others).mean(axis=0)
    assert np.all(losses >= np.mean(loss(x, y, best)) * (1 - 1e-12))


@pytest.mark.parametrize("name", EDITS)
def test_the_log_and_the_least_loss_of_a_changed_script_are_right(name, tmp_path, capsys):
    edit = EDITS[name]
    main = conftest.edited(tmp_path, *edit.replace.items(), recipe=edit.recipe)
    start, rows = plainly(main, 10)
    capsys.readouterr()
    made = train(tmp_path, "--steps", 10, main=main)
    printed, errors = capsys.readouterr()

    assert made.A[0] == start
    np.testing.assert_array_equal(made.rows, np.array(rows, made.rows.dtype))
    if made.rows.dtype == np.float32:
        _, _, _, A, loss = read_log(tmp_path / "mine.csv")
        np.testing.assert_array_equal(made.A, A)
        np.testing.assert_array_equal(made.loss, loss)
    best = json.loads((tmp_path / "mine.json").read_text(encoding="ascii"))["result"]["least_loss_A"]
    if edit.says:
        assert (made.status, errors) == (1, f"mine.py: nothing is shown beyond the log: {edit.says}.\n")
        assert best is None
        assert "least loss" not in printed
    else:
        assert (made.status, errors) == (0, "")
        samples = conftest.samples(main, 605)
        if np.isnan(edit.loss(*samples, 1)).any():
            assert best is None
            assert "No single A has the least loss for these samples" in printed
        else:
            check_least(edit.loss, samples, best)
            assert "the least loss for these samples is at A = " in printed.replace("The", "the")


@pytest.fixture
def said(tmp_path, capsys):
    """A function that runs a changed regression: its log, the lines above those of its files, and its errors."""
    def function(replace, *flags):
        made = train(tmp_path, *flags, main=conftest.edited(tmp_path, *replace.items()))
        printed, errors = capsys.readouterr()
        return made, [line for line in printed.splitlines() if not line.startswith("Wrote ")], errors

    return function


SIZES = "at a step x, y, A and the loss should be one number each, and have"
NEEDED = "train() needs a placeholder for x, one for y, a variable called A and tf.losses.add_loss(loss)"


@pytest.mark.parametrize(("replace", "steps", "reason"), [
    ({OUTPUT: f"tf.nn.dropout({OUTPUT}, rate=0.5)"}, 0,
     "the loss is not noted, as dropout/random_uniform/RandomUniform (RandomUniform) must not run twice"),
    ({OUTPUT: "tf.multiply(x_data, tf.assign_add(A, [0.1]))"}, 0,
     "the loss is not noted, as AssignAddVariableOp (AssignAddVariableOp) must not run twice"),
    ({"placeholder(shape=[1]": "placeholder(shape=[None]", "[x_vals[rand_index]]": "x_vals[:5]",
      "[y_vals[rand_index]]": "y_vals[:5]"}, 0, f"{SIZES} [5, 5, 1, 5] numbers"),
    ({SQUARE: "tf.square(my_output - tf.constant([9., 11.]))"}, 0, f"{SIZES} [1, 1, 1, 2] numbers"),
    ({"tf.losses.add_loss(loss)": "tf.losses.add_loss(loss)\n    loss = tf.add(loss, A * A, name='total')"}, 0,
     "tf.losses.add_loss() should be given what is minimized: its loss goes on into total"),
    ({VARIABLE: f"tf.Variable([0.])\n    A = tf.Variable({NORMAL})"}, 0, NEEDED),
    ({"    x_data =": "    x_vals, y_vals = x_vals[:50], y_vals[:50]\n    x_data =", "choice(100)": "choice(50)"}, 100,
     "train() feeds only a part of the samples that draw_samples() draws"),
    ({"    tf.losses.add_loss(loss)": "    #"}, 0, NEEDED),
], ids=str)
def test_what_is_not_known_of_a_run_is_left_out_with_one_sentence(replace, steps, reason, tmp_path, said):
    made, printed, errors = said(replace)
    shown = "the log" if steps else "what train() prints"
    assert (made.status, len(made), errors) == (1, steps, f"mine.py: nothing is shown beyond {shown}: {reason}.\n")
    assert sum(line.startswith("Step #") for line in printed) == 4  # the page's own lines are there all the same
    assert printed[-1].startswith("Loss = ")
    assert names(tmp_path) == (["mine.csv", "mine.json", "mine.py"] if steps else ["mine.py"])


def test_a_second_variable_is_trained_and_nothing_is_told_that_would_be_so_for_A_alone(said):
    replace = {OUTPUT: "tf.add(tf.multiply(x_data, A), B, name='my_output')",
               "    # Add the mult": "    B = tf.Variable(tf.zeros([1]), name='B')\n    # Add the mult"}
    made, printed, errors = said(replace)
    assert errors.endswith(": nothing is shown beyond the log: the loss or the output is computed from B too.\n")
    A, B = np.float64(made.A[0]), 0.0
    for fed, target in zip(made.x.astype(float), made.y.astype(float), strict=True):
        error = fed * A + B - target
        A, B = A - 0.02 * 2 * error * fed, B - 0.02 * 2 * error
    assert made.A[-1] == pytest.approx(A, rel=1e-5)
    assert printed[-1].startswith("Loss = ")


def test_a_classification_whose_tensors_have_no_names_has_no_accuracy(tmp_path, capsys):
    changes = (', name="my_output"', ""), (', name="prediction"', "")
    made = train(tmp_path, main=conftest.edited(tmp_path, *changes, recipe="classification"))
    printed, errors = capsys.readouterr()
    assert (made.status, errors) == (0, "")
    assert "Accuracy" not in printed
    assert "\nIn theory A = -1; the least loss" in printed


@pytest.mark.parametrize(("replace", "line"), [
    ({Y: "np.repeat(20., 100)"}, "The least loss for these samples is at A = 19.5924, not near target=10 below "
                                 "train(): if you changed the data, change that too"),
    ({Y: "np.repeat(20., 100)", "target=10": "target=20"},
     "In theory A = 20; the least loss for these samples is at A = 19.5924"),
    ({", target=10": ""}, "The least loss for these samples is at A = 9.7962"),
])
def test_what_a_should_come_to_follows_the_data(replace, line, said):
    made, printed, errors = said(replace)
    assert (made.status, errors, printed[-1]) == (0, "", line)


def test_a_run_to_targets_of_1000_did_not_diverge(said):
    made, _, errors = said({Y: "np.repeat(1000., 100)"})
    assert (made.status, errors) == (0, "")
    assert abs(made.A[-1] - 1000) < 50


def test_a_sample_that_is_no_number_is_blamed_on_the_sample(said):
    replace = {"    y_vals = np.r": "    x_vals[30:] = np.nan\n    y_vals = np.r"}
    made, _, errors = said(replace)
    assert made.status == 1
    assert errors.startswith("mine.py: step 3 was fed x = nan and y = 10.0: feed finite numbers.\n")
    assert "learning rate" not in errors


@pytest.mark.parametrize(("flags", "sentence"), [
    (["--optimizer", "adam"], "mine.py: train() does not train by adam alone, as --optimizer asks.\n"),
    (["--learning-rate", "0.3"],
     "mine.py: the learning rate in train() is 0.2, where the flags ask for 0.3.\n"),
])
def test_a_flag_that_train_does_not_do_as_asked_is_named(flags, sentence, tmp_path, said):
    replace = {f"optimizer or {OPTIMIZER}": "tf.train.MomentumOptimizer(0.2, 0.5)"}
    made, _, errors = said(replace, *flags)
    assert (made.status, errors) == (1, sentence)
    result = json.loads((tmp_path / "mine.json").read_text(encoding="ascii"))["result"]
    assert (result["optimizer"], result["learning_rate"]) == ("momentum", 0.2)


@pytest.mark.parametrize(("replace", "sentence"), [
    ({"report_every=25": "report_every=0"}, "argument --report-every: must be a whole number from 1"),
    ({"steps=100": "steps=0"}, "argument --steps: must be a whole number from 1 to 100,000,000, not '0'"),
    ({"draw_samples():": "draw_samples(n):"}, "draw_samples() is called without arguments too: give each of them a"),
])
def test_defaults_of_train_are_checked_as_flags_are(replace, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        train(tmp_path, main=conftest.edited(tmp_path, *replace.items()))
    errors = capsys.readouterr().err
    assert end.value.code == 2
    assert one_sentence(errors)
    assert sentence in errors


def test_numpys_numbers_and_more_arguments_are_good_defaults(said):
    replace = {"learning_rate=0.02": "learning_rate=np.float32(0.02)", "optimizer=None": "optimizer=None, more=3",
               "steps=100": "steps=np.int64(100)"}
    made, printed, errors = said(replace)
    assert (made.status, errors, len(made)) == (0, "", 100)
    assert printed[0] == "Step #25 A = [6.147373]"
