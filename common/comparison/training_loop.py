"""Many runs at once: the script's own training operation, executed with a vector of all runs in place of each number.

No optimizer is made here: a copy of the script's step is the body of a loop. What all runs have in common, as a step
counter or a learning rate, stays one number.
"""

import numpy as np

from common import signals
from common import tf1 as tf
from common.graph import copies, structure
from common.report import NEAR


class Loop:
    """The training loop for some runs, in a graph and a session of its own.

    step, draws  the `Step` and the `Draws`
    target       of `A`, or nan
    xla          whether it is compiled
    """

    def __init__(self, step, draws, target, xla):
        (length, runs, size), start = draws.shape, draws.start
        self._step, self._target, (x_data, y_target, A, loss, *_) = step, target, step.parts
        with tf.Graph().as_default():
            self._starts = {op: tf.placeholder(start[op].dtype, [runs]) for op in start if op in step.own}
            self._variables = {op: tf.Variable(self._starts.get(op, value)) for op, value in start.items()}
            samples = [tf.placeholder(each.dtype, [runs, size]) for each in (x_data, y_target)]
            indices, arrived = tf.placeholder(tf.int32, [length, runs]), tf.placeholder(tf.float64, [runs])
            self._fed = [*samples, indices, *(tf.placeholder(tf.int32, []) for _ in range(3)), arrived]
            train = tf.function(self._train, jit_compile=True, autograph=False) if xla else self._train
            arrived = train(*self._fed)
            with tf.control_dependencies([arrived]):
                self._after = self._variables[A.op].read_value(), arrived
            wide = {read: tf.repeat(self._variables[read.op.inputs[0].op].read_value(), size)
                    for read in structure.reads([loss]) if read.op in step.own}
            every = self._copy(loss, *(tf.reshape(each, [-1]) for each in samples), wide)
            self._mean_loss = tf.reduce_mean(tf.reshape(every, [runs, size]), axis=1)
            self._init = tf.global_variables_initializer()
            self._session = tf.load().Session(config=tf.threads(2 if xla else -1))  # in one, XLA of 2.12 waits for ever

    def reset(self, x, y, start):
        """Begin with samples x, y [runs, samples] and the variables' values {operation: [runs]}."""
        self._samples, self._at, self._arrived = (x, y), 0, np.full(len(x), np.inf)
        self._session.run(self._init, {place: start[op] for op, place in self._starts.items()})

    def advance(self, indices, before, end):
        """Train up to the step `end` on a block's sample indices [steps, runs]; so many steps lie before the block.

        Returns, [runs] each: `A`, and the step at which it first was near the target, or inf.
        """
        given = *self._samples, indices, before, self._at, end, self._arrived
        with signals.held():
            A, self._arrived = self._session.run(self._after, dict(zip(self._fed, given, strict=True)))
        self._at = end
        return A, self._arrived

    def mean_loss(self):
        """The mean loss of each run over its samples: [runs]."""
        return self._session.run(self._mean_loss, dict(zip(self._fed, self._samples, strict=False)))

    def _train(self, *fed):
        x, y, indices, before, first, end, arrived = fed
        (runs, size), places = x.shape, [tf.reshape(each, [-1]) for each in (x, y)]
        A, own = self._variables[self._step.parts.A.op], tf.range(runs) * size

        def body(i, arrived):
            index = own + indices[i - before]
            step = self._copy(self._step.operation, *(tf.gather(each, index) for each in places))
            with tf.control_dependencies([step]):
                near = tf.abs(tf.cast(A.read_value(), tf.float32) - self._target) < NEAR
            now = tf.where_v2(near, tf.cast(i + 1, tf.float64), np.inf)
            return i + 1, tf.minimum(arrived, now)

        return tf.while_loop(lambda i, _: i < end, body, [first, arrived], parallel_iterations=1)[1]

    def _copy(self, wanted, x, y, reads=None):
        """Compute a tensor (or have an operation) of the script's graph for samples x, y and the variables here."""
        handles = {op.outputs[0]: variable.handle for op, variable in self._variables.items()}
        places = {**handles, self._step.parts.x_data: x, self._step.parts.y_target: y, **(reads or {})}
        return copies.copy([wanted], places, many=self._step.own, size=tf.shape(x), control=True)[0]
