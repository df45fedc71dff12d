"""The optimizers of `tf.train` by name, and a learning rate for each at which `A` arrives within a recipe's steps."""

from functools import partial

from common import tf1 as tf

# Everything but the learning rate is the class's own default; the momentum, which has none, is the usual 0.9.
OPTIMIZERS = {
    "gradient-descent": lambda rate: tf.train.GradientDescentOptimizer(rate),
    "momentum": lambda rate: tf.train.MomentumOptimizer(rate, momentum=0.9),
    "nesterov": lambda rate: tf.train.MomentumOptimizer(rate, momentum=0.9, use_nesterov=True),
    "adagrad": lambda rate: tf.train.AdagradOptimizer(rate),
    "adagrad-da": lambda rate: _counting(partial(tf.train.AdagradDAOptimizer, rate)),
    "adadelta": lambda rate: tf.train.AdadeltaOptimizer(rate),
    "adam": lambda rate: tf.train.AdamOptimizer(rate),
    "rmsprop": lambda rate: tf.train.RMSPropOptimizer(rate),
    "ftrl": lambda rate: tf.train.FtrlOptimizer(rate),
    "proximal-gradient-descent": lambda rate: tf.train.ProximalGradientDescentOptimizer(rate),
    "proximal-adagrad": lambda rate: tf.train.ProximalAdagradOptimizer(rate),
}


def _counting(optimizer):
    """Give the optimizer the step counter that it computes with, and have its `minimize` count."""
    step = tf.train.get_or_create_global_step()
    made = optimizer(step)
    made.minimize = partial(made.minimize, global_step=step)
    return made


# Chosen from the sweep that the walkthrough shows: the smallest of 1, 2, 5, 10, ... with which `A` arrives in time.
RATES = {
    "regression": {
        "gradient-descent": 0.02, "momentum": 0.005, "nesterov": 0.005, "adagrad": 2.0, "adagrad-da": 2.0,
        "adadelta": 1000.0, "adam": 0.2, "rmsprop": 0.2, "ftrl": 2.0, "proximal-gradient-descent": 0.02,
        "proximal-adagrad": 2.0,
    },
    "classification": {
        "gradient-descent": 0.05, "momentum": 0.005, "nesterov": 0.005, "adagrad": 0.5, "adagrad-da": 1.0,
        "adadelta": 100.0, "adam": 0.05, "rmsprop": 0.02, "ftrl": 0.5, "proximal-gradient-descent": 0.05,
        "proximal-adagrad": 0.5,
    },
}
