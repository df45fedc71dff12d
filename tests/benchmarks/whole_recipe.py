"""The page's classification as a whole script for one library, to be timed as a process.

    python whole_recipe.py LIBRARY

LIBRARY is torch, jax or tensorflow (1.x, the page's code but for what 1.15.5 no longer takes).
"""

import sys

import numpy as np

rng = np.random.RandomState(8)
x_vals = np.concatenate((rng.normal(-1, 1, 50), rng.normal(3, 1, 50))).astype(np.float32)
y_vals = np.concatenate((np.repeat(0.0, 50), np.repeat(1.0, 50))).astype(np.float32)


def torch():
    import torch

    torch.set_num_threads(1)
    A = torch.tensor([10.0], requires_grad=True)
    optimizer = torch.optim.SGD([A], 0.05)
    for i in range(1400):
        pick = rng.choice(100)
        x, y = torch.tensor([x_vals[pick]]), torch.tensor([y_vals[pick]])
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(x + A, y).backward()
        optimizer.step()
        if (i + 1) % 200 == 0:
            print(i + 1, A.item())


def jax():
    import jax
    import jax.numpy as jnp

    def loss(A, x, y):
        z = x + A
        return jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))

    step = jax.jit(lambda A, x, y: A - 0.05 * jax.grad(loss)(A, x, y))
    A = jnp.float32(10)
    for i in range(1400):
        pick = rng.choice(100)
        A = step(A, x_vals[pick], y_vals[pick])
        if (i + 1) % 200 == 0:
            print(i + 1, A)


def tensorflow():
    import tensorflow as tf

    sess = tf.Session()
    x_data = tf.placeholder(shape=[1], dtype=tf.float32)
    y_target = tf.placeholder(shape=[1], dtype=tf.float32)
    A = tf.Variable(tf.random_normal(mean=10, shape=[1]))
    logits, labels = tf.expand_dims(tf.add(x_data, A), 0), tf.expand_dims(y_target, 0)
    xentropy = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
    train_step = tf.train.GradientDescentOptimizer(0.05).minimize(xentropy)
    sess.run(tf.global_variables_initializer())
    for i in range(1400):
        pick = rng.choice(100)
        sess.run(train_step, feed_dict={x_data: [x_vals[pick]], y_target: [y_vals[pick]]})
        if (i + 1) % 200 == 0:
            print(i + 1, sess.run(A))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
