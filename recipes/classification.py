"""Classification by back propagation: find the shift A in sigmoid(x + A) that splits N(-1, 1) from N(3, 1).

The second recipe of the page, in TensorFlow 1.x graph mode. Run it:

    python recipes/classification.py
"""

import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import comparison, data, drawing, figures, loops, optimizers, options, runlog, watch
from common import tf1 as tf
import numpy as np

TARGET = -(-1.0 + 3.0) / 2  # A in theory: it moves the point midway between the two means to 0


def draw_samples(rng, shape=(100,)):
    """The page's data: 50 x ~ N(-1, 1) and 50 x ~ N(3, 1), float64 [..., 100], and labels 0 and 1, float64 [100]."""
    x_vals = rng.normal(0, 1, shape) + np.concatenate((np.repeat(-1., 50), np.repeat(3., 50)))
    y_vals = np.concatenate((np.repeat(0., 50), np.repeat(1., 50)))
    return x_vals, y_vals


def graph(x_data, y_target, A):
    """The computation: output x + A, shaped as x_data and A, and its cross entropy with the labels, one dimension more.

    The output gets no sigmoid of its own, because the loss function applies it.
    """
    my_output = tf.add(x_data, A, name="my_output")
    my_output_expanded = tf.expand_dims(my_output, 0, name="my_output_expanded")  # the batch dimension
    y_target_expanded = tf.expand_dims(y_target, 0, name="y_target_expanded")
    xentropy = tf.nn.sigmoid_cross_entropy_with_logits(
        logits=my_output_expanded, labels=y_target_expanded, name="xentropy")
    return my_output, xentropy


def sigmoid(x, A):
    """The model, sigmoid(x + A), for an array x and a number A; written with tanh, which does not overflow."""
    return 0.5 + 0.5 * np.tanh((x + A) / 2)


def least_loss(x_vals, y_vals):
    """The A with the least loss over the samples, where Σ(sigmoid(x + A) - y) = 0, by bisection."""
    low, high = -1e3, 1e3
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if np.sum(sigmoid(x_vals, middle) - y_vals) > 0 else (middle, high)
    return middle


def picture(x_vals, y_vals, A, loss):
    """The numbers that `figures.training` draws for a run, from `A` and the loss after each step."""
    x = np.linspace(x_vals.min(), x_vals.max(), 200)
    return dict(title=PROBLEM.title, A=A, loss=loss, target=TARGET,
                best=least_loss(x_vals, y_vals), x_vals=x_vals, y_vals=y_vals, x=x,
                before=sigmoid(x, A[0]), after=sigmoid(x, A[-1]), boundary=-A[-1])


PROBLEM = loops.Problem(graph, draw_samples, size=100, start_mean=10, target=TARGET,
                        title="Classification: find A in sigmoid(x + A)",
                        limit=None)  # the gradient stays within 1, so no rate makes A grow without end


def main(argv=None):
    args = options.parse("classification", __doc__.splitlines()[0], argv, steps=1400, report_every=200,
                         rates=optimizers.RATES["classification"])
    log = runlog.RunLog(args)
    artist = drawing.Drawing() if args.figure else None
    if args.comparison:  # more than one run: not the page's loop but many, compiled
        comparison.compare(PROBLEM, args, artist)
        return
    samples, start, picks = data.streams(args.seed)

    # Reset the graph and start a new graph session.
    tf.reset_default_graph()
    sess = tf.Session(config=tf.one_thread())

    # Create the data, the placeholders and the variable A, which starts around 10, far from -1.
    x_vals, y_vals = draw_samples(samples)
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(start.normal(10, size=[1]), dtype=tf.float32, name="A")

    # Add the translation, the batch dimension and the cross entropy to the graph.
    my_output, xentropy = graph(x_data, y_target, A)

    # Declare the optimizer, the page's tf.train.GradientDescentOptimizer unless --optimizer names another: minimize()
    # adds the gradient and the update of A to the graph.
    my_opt = optimizers.OPTIMIZERS[args.optimizer](args.learning_rate)
    train_step = my_opt.minimize(xentropy)

    # Add what is reported of a step, A and the loss after it, so that one run of the session does both.
    with tf.control_dependencies([train_step]), tf.name_scope("after_the_step"):
        A_after = A.read_value()
        _, xentropy_after = graph(x_data, y_target, A_after)

    # Initialize the variable.
    init = tf.global_variables_initializer()
    sess.run(init)

    # Train, one randomly picked sample a step.
    pictures, watcher = {}, None
    if args.figure:
        pictures[""] = lambda: artist.png(figures.training, **picture(x_vals, y_vals, log.A, log.loss))
    if args.trace or args.tensorboard:  # back propagation made visible
        watcher = watch.Watch(args, x_vals, sess, graph, x_data, y_target, A, xentropy)
    if args.trace and args.figure:
        pictures["-graph"] = lambda: watcher.picture(artist)
    pick = data.picks(picks, len(x_vals))
    with log.files(sess.run(A), pictures), watcher or nullcontext():
        for i in log.steps():
            rand_index = next(pick)
            rand_x = [x_vals[rand_index]]
            rand_y = [y_vals[rand_index]]
            _, A_now, loss_now = sess.run([train_step, A_after, xentropy_after],
                                          feed_dict={x_data: rand_x, y_target: rand_y})
            log.record(rand_x, rand_y, A_now, loss_now)
            if (i + 1) % args.report_every == 0:
                print('Step #' + str(i + 1) + ' A = ' + str(A_now))
                print('Loss = ' + str(loss_now))
            if watcher:
                watcher(log)
        right = (sigmoid(x_vals, A_now) > 0.5) == (y_vals == 1)
        print(f"Accuracy = {np.mean(right):.2f}")
        print(f"In theory A = {TARGET:g}; the least loss for these samples is at A = {least_loss(x_vals, y_vals):.4f}")


if __name__ == "__main__":
    runlog.run_script(main)
