"""Classification by back propagation: find the shift A in sigmoid(x + A) that splits N(-1, 1) from N(3, 1).

The second recipe of the page, in TensorFlow 1.x graph mode. `python recipes/classification.py` prints:

    Step #200 A = [4.015703]
    Loss = [[0.00022062]]
    Step #400 A = [1.0044544]
    Loss = [[0.02388055]]
    Step #600 A = [-0.4096225]
    Loss = [[0.19293606]]
    Step #800 A = [-0.89071906]
    Loss = [[0.21292116]]
    Step #1000 A = [-1.1165444]
    Loss = [[0.04284442]]
    Step #1200 A = [-1.2070141]
    Loss = [[0.0319518]]
    Step #1400 A = [-1.087337]
    Loss = [[0.21151078]]
    Accuracy = 0.95
    In theory A = -1; the least loss for these samples is at A = -1.1737
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import recipe
import numpy as np
from common import tf1 as tf


def draw_samples():
    """The data: 50 numbers x ~ N(-1, 1) with label 0 and 50 ~ N(3, 1) with label 1; float64 [100]."""
    x_vals = np.concatenate((np.random.normal(-1, 1, 50), np.random.normal(3, 1, 50)))
    y_vals = np.concatenate((np.repeat(0., 50), np.repeat(1., 50)))
    return x_vals, y_vals


def train(seed=605, learning_rate=0.05, steps=1400, report_every=200, optimizer=None):
    """The page's program."""
    # Reset the graph, and start a graph session and the random numbers.
    tf.reset_default_graph()
    sess = tf.Session()
    np.random.seed(seed)

    # Create the data, the placeholders and the variable A.
    x_vals, y_vals = draw_samples()
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(tf.random_normal(mean=10, shape=[1], seed=seed), name="A")

    # Add the shift and the batch dimension to the graph.
    my_output = tf.add(x_data, A, name="my_output")
    my_output_expanded = tf.expand_dims(my_output, 0, name="my_output_expanded")
    y_target_expanded = tf.expand_dims(y_target, 0, name="y_target_expanded")

    # Declare the loss, which applies the sigmoid itself; the accuracy and the pictures want it apart.
    xentropy = tf.nn.sigmoid_cross_entropy_with_logits(
        logits=my_output_expanded, labels=y_target_expanded, name="xentropy")
    prediction = tf.sigmoid(my_output, name="prediction")
    tf.losses.add_loss(xentropy)  # by which the session's log knows it

    # Declare the optimizer: minimize() adds the gradients and the update of A to the graph.
    my_opt = optimizer or tf.train.GradientDescentOptimizer(learning_rate)
    train_step = my_opt.minimize(xentropy)

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
            print('Loss = ' + str(sess.run(xentropy, feed_dict={x_data: rand_x, y_target: rand_y})))


main = recipe.Recipe(train, draw_samples, target=-1, threshold=0.5)

if __name__ == "__main__":
    run = main(sys.argv[1:])
