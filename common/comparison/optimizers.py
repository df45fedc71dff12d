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

# In the order of OPTIMIZERS; gradient descent has the script's own. The walkthrough says how the others were chosen.
RATES = {
    "regression": (0.02, 0.005, 0.005, 2.0, 2.0, 1000.0, 0.2, 0.2, 2.0, 0.02, 2.0),
    "classification": (0.05, 0.005, 0.005, 0.5, 1.0, 100.0, 0.05, 0.02, 0.5, 0.05, 0.5),
}


def rates(kind, learning_rate):
    """{optimizer: its default learning rate in a recipe of this kind}; gradient descent's is the script's own."""
    return {**dict(zip(OPTIMIZERS, RATES[kind], strict=True)), "gradient-descent": learning_rate}
