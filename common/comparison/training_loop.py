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
        with tf.Graph().as_default():  # which keeps what is large: feeding it at each call would cost more than steps
            self._samples = [tf.placeholder(each.dtype, [runs, size]) for each in (x_data, y_target)]
            self._starts = {op: tf.placeholder(start[op].dtype, [runs]) for op in start if op in step.own}
            self._variables = {op: tf.Variable(self._starts.get(op, value)) for op, value in start.items()}
            self._kept = [tf.Variable(each) for each in self._samples]
            self._block = tf.placeholder(tf.int32, [length, runs])
            self._indices = tf.Variable(tf.zeros([length, runs], tf.int32))
            arrived = tf.Variable(np.full(runs, np.inf))
            self._steps = [tf.placeholder(tf.int32, []) for _ in range(3)]
            train = tf.function(self._train, jit_compile=True, autograph=False) if xla else self._train
            now = arrived.assign(train(*self._steps, arrived.read_value()))
            with tf.control_dependencies([now]):
                self._after = self._variables[A.op].read_value(), now
            wide = {read: tf.repeat(self._variables[read.op.inputs[0].op].read_value(), size)
                    for read in structure.reads([loss]) if read.op in step.own}
            every = self._copy(loss, *(tf.reshape(each, [-1]) for each in self._kept), wide)
            self._mean_loss = tf.reduce_mean(tf.reshape(every, [runs, size]), axis=1)
            self._init, self._take = tf.global_variables_initializer(), self._indices.assign(self._block).op
            self._session = tf.load().Session(config=tf.threads(2 if xla else -1))  # in one, XLA of 2.12 waits for ever

    def reset(self, x, y, start):
        """Begin with samples x, y [runs, samples] and the variables' values {operation: [runs]}."""
        self._at, begin = 0, dict(zip(self._samples, (x, y), strict=True))
        self._session.run(self._init, begin | {place: start[op] for op, place in self._starts.items()})

    def take(self, before, indices):
        """Take the sample indices [steps, runs] of the steps after the first `before`."""
        self._before = before
        self._session.run(self._take, {self._block: indices})

    def advance(self, end):
        """Train up to the step `end`, of those whose indices were taken.

        Returns, [runs] each: `A`, and the step at which it first was near the target, or inf.
        """
        with signals.held():
            after = self._session.run(self._after, dict(zip(self._steps, (self._before, self._at, end), strict=True)))
        self._at = end
        return after

    def mean_loss(self):
        """The mean loss of each run over its samples: [runs]."""
        return self._session.run(self._mean_loss)

    def _train(self, before, first, end, arrived):
        places, indices = [tf.reshape(each, [-1]) for each in self._kept], self._indices.read_value()
        (runs, size), A = self._kept[0].shape, self._variables[self._step.parts.A.op]
        own = tf.range(runs) * size

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
