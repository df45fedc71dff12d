"""The optimizers of `tf.train` by name, and a learning rate for each at which `A` arrives within a recipe's steps."""

from common import tf1 as tf


def _adagrad_da(rate):
    """AdagradDAOptimizer computes with the number of steps, so its `minimize` has to count them."""

    class AdagradDAOptimizer(tf.train.AdagradDAOptimizer):
        def minimize(self, loss, **options):
            self._global_step = tf.train.get_or_create_global_step()
            return super().minimize(loss, global_step=self._global_step, **options)

    return AdagradDAOptimizer(rate, None)


# Everything but the learning rate is the class's own default; the momentum, which has none, is the usual 0.9.
OPTIMIZERS = {
    "gradient-descent": lambda rate: tf.train.GradientDescentOptimizer(rate),
    "momentum": lambda rate: tf.train.MomentumOptimizer(rate, momentum=0.9),
    "nesterov": lambda rate: tf.train.MomentumOptimizer(rate, momentum=0.9, use_nesterov=True),
    "adagrad": lambda rate: tf.train.AdagradOptimizer(rate),
    "adagrad-da": _adagrad_da,
    "adadelta": lambda rate: tf.train.AdadeltaOptimizer(rate),
    "adam": lambda rate: tf.train.AdamOptimizer(rate),
    "rmsprop": lambda rate: tf.train.RMSPropOptimizer(rate),
    "ftrl": lambda rate: tf.train.FtrlOptimizer(rate),
    "proximal-gradient-descent": lambda rate: tf.train.ProximalGradientDescentOptimizer(rate),
    "proximal-adagrad": lambda rate: tf.train.ProximalAdagradOptimizer(rate),
}

# Gradient descent has the script's own rate; the walkthrough says how the others were chosen.
_RATES = {
    "regression": {
        "momentum": 0.005, "nesterov": 0.005, "adagrad": 2.0, "adagrad-da": 2.0, "adadelta": 1000.0, "adam": 0.2,
        "rmsprop": 0.2, "ftrl": 2.0, "proximal-gradient-descent": 0.02, "proximal-adagrad": 2.0,
    },
    "classification": {
        "momentum": 0.005, "nesterov": 0.005, "adagrad": 0.5, "adagrad-da": 1.0, "adadelta": 100.0, "adam": 0.05,
        "rmsprop": 0.02, "ftrl": 0.5, "proximal-gradient-descent": 0.05, "proximal-adagrad": 0.5,
    },
}


def rates(recipe, learning_rate):
    """The default learning rate of each optimizer in the recipe, whose own rate, for gradient descent, is given.

    A recipe without a table has its own rate for all.
    """
    return {**dict.fromkeys(OPTIMIZERS, learning_rate), **_RATES.get(recipe, {})}
