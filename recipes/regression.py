"""Regression by back propagation: find A in x * A = 10, one random sample a step.

The first recipe of the page, in TensorFlow 1.x graph mode. Run it:

    python recipes/regression.py
"""

import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import comparison, data, drawing, figures, loops, optimizers, options, runlog, watch
from common import tf1 as tf
import numpy as np

TARGET = 10.0  # what x * A should be; A too, in theory, since the samples have mean 1


def draw_samples(rng, shape=(100,)):
    """The page's data: x ~ N(1, 0.1), float64 of the given shape [..., 100], and the targets, float64 [100]."""
    x_vals = rng.normal(1, 0.1, shape)
    y_vals = np.repeat(10.0, 100)
    return x_vals, y_vals


def graph(x_data, y_target, A):
    """The computation: output x * A and L2 loss (x * A - target)^2, float32 tensors shaped as x_data and A."""
    my_output = tf.multiply(x_data, A, name="my_output")
    loss = tf.square(my_output - y_target, name="loss")
    return my_output, loss


def least_loss(x_vals, y_vals):
    """The A with the least loss over the samples: the slope of least squares through the origin, Σxy / Σx²."""
    return x_vals @ y_vals / (x_vals @ x_vals)


def picture(x_vals, y_vals, A, loss):
    """The numbers that `figures.training` draws for a run, from `A` and the loss after each step."""
    x = np.linspace(x_vals.min(), x_vals.max(), 200)
    return dict(title=PROBLEM.title, A=A, loss=loss, target=TARGET,
                best=least_loss(x_vals, y_vals), x_vals=x_vals, y_vals=y_vals, x=x, before=x * A[0], after=x * A[-1])


PROBLEM = loops.Problem(graph, draw_samples, size=100, start_mean=0, target=TARGET,
                        title="Regression: find A in x · A = 10",
                        limit=1.01 / 1.0603)  # E[x^2] / E[x^4]: beyond it the variance of A grows without end


def main(argv=None):
    args = options.parse("regression", __doc__.splitlines()[0], argv, steps=100, report_every=25,
                         rates=optimizers.RATES["regression"])
    log = runlog.RunLog(args)
    artist = drawing.Drawing() if args.figure else None
    if args.comparison:  # more than one run: not the page's loop but many, compiled
        comparison.compare(PROBLEM, args, artist)
        return
    samples, start, picks = data.streams(args.seed)

    # Start a graph session.
    tf.reset_default_graph()
    sess = tf.Session(config=tf.one_thread())

    # Create the data, the placeholders and the variable A, which starts at a standard normal number.
    x_vals, y_vals = draw_samples(samples)
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(start.normal(size=[1]), dtype=tf.float32, name="A")

    # Add the multiplication and the L2 loss to the graph.
    my_output, loss = graph(x_data, y_target, A)

    # Declare the optimizer, the page's tf.train.GradientDescentOptimizer unless --optimizer names another: minimize()
    # adds the gradient and the update of A to the graph.
    my_opt = optimizers.OPTIMIZERS[args.optimizer](args.learning_rate)
    train_step = my_opt.minimize(loss)

    # Add what is reported of a step, A and the loss after it, so that one run of the session does both.
    with tf.control_dependencies([train_step]), tf.name_scope("after_the_step"):
        A_after = A.read_value()
        _, loss_after = graph(x_data, y_target, A_after)

    # Initialize the variable.
    init = tf.global_variables_initializer()
    sess.run(init)

    # Train, one randomly picked sample a step.
    limit = f" (for gradient descent in theory below {np.mean(x_vals**2) / np.mean(x_vals**4):.3f} here)"
    pictures, watcher = {}, None
    if args.figure:
        pictures[""] = lambda: artist.png(figures.training, **picture(x_vals, y_vals, log.A, log.loss))
    if args.trace or args.tensorboard:  # back propagation made visible
        watcher = watch.Watch(args, x_vals, sess, graph, x_data, y_target, A, loss)
    if args.trace and args.figure:
        pictures["-graph"] = lambda: watcher.picture(artist)
    pick = data.picks(picks, len(x_vals))
    with log.files(sess.run(A), pictures, limit), watcher or nullcontext():
        for i in log.steps():
            rand_index = next(pick)
            rand_x = [x_vals[rand_index]]
            rand_y = [y_vals[rand_index]]
            _, A_now, loss_now = sess.run([train_step, A_after, loss_after],
                                          feed_dict={x_data: rand_x, y_target: rand_y})
            log.record(rand_x, rand_y, A_now, loss_now)
            if (i + 1) % args.report_every == 0:
                print('Step #' + str(i + 1) + ' A = ' + str(A_now))
                print('Loss = ' + str(loss_now))
            if watcher:
                watcher(log)
        print(f"In theory A = {TARGET:g}; the least loss for these samples is at A = {least_loss(x_vals, y_vals):.4f}")


if __name__ == "__main__":
    runlog.run_script(main)
