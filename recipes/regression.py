"""Regression by back propagation: find A in x * A = 10, one random sample a step.

The first recipe of the page, in TensorFlow 1.x graph mode. `python recipes/regression.py` prints:

    Step #25 A = [6.147373]
    Loss = [10.712687]
    Step #50 A = [8.441072]
    Loss = [4.2791085]
    Step #75 A = [9.446601]
    Loss = [0.29980808]
    Step #100 A = [9.859494]
    Loss = [0.19784823]
    In theory A = 10; the least loss for these samples is at A = 9.7962
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import recipe
import numpy as np
from common import tf1 as tf


def draw_samples():
    """The data: 100 numbers x ~ N(1, 0.1), and the target 10 for each; float64 [100]."""
    x_vals = np.random.normal(1, 0.1, 100)
    y_vals = np.repeat(10., 100)
    return x_vals, y_vals


def train(seed=605, learning_rate=0.02, steps=100, report_every=25, optimizer=None):
    """The page's program."""
    # Start a graph session, and the random numbers.
    tf.reset_default_graph()
    sess = tf.Session()
    np.random.seed(seed)

    # Create the data, the placeholders and the variable A.
    x_vals, y_vals = draw_samples()
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(tf.random_normal(shape=[1], seed=seed), name="A")

    # Add the multiplication and the L2 loss to the graph.
    my_output = tf.multiply(x_data, A, name="my_output")
    loss = tf.square(my_output - y_target, name="loss")
    tf.losses.add_loss(loss)  # by which the session's log knows it

    # Declare the optimizer: minimize() adds the gradients and the update of A to the graph.
    my_opt = optimizer or tf.train.GradientDescentOptimizer(learning_rate=learning_rate)
    train_step = my_opt.minimize(loss)

    # Initialize the variable.
    init = tf.global_variables_initializer()
    sess.run(init)

    # Train: feed a randomly chosen sample at each step.
    for i in range(steps):
        rand_index = np.random.choice(100)
        rand_x = [x_vals[rand_index]]
        rand_y = [y_vals[rand_index]]
        sess.run(train_step, feed_dict={x_data: rand_x, y_target: rand_y})
        if (i + 1) % report_every == 0:
            print('Step #' + str(i + 1) + ' A = ' + str(sess.run(A)))
            print('Loss = ' + str(sess.run(loss, feed_dict={x_data: rand_x, y_target: rand_y})))


main = recipe.Recipe(train, draw_samples, target=10)

if __name__ == "__main__":
    run = main(sys.argv[1:])
