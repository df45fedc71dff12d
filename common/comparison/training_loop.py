"""Many runs at once: the script's own training operation, executed with a vector of all runs in place of each number.

No optimizer is made here. What the script's step executes is executed again, in the same order. What all runs have in
common, as a step counter or a learning rate, stays one number.
"""

import tensorflow

from common import tf1 as tf
from common.graph import structure
from common.run import NEAR

UPDATES = ("ResourceApply", "Assign")  # how the operations begin that change a variable
GRADIENTS = ("delta", "grad", "value")  # those of their inputs that have a number for each of the variable's


class Step:
    """What one execution of a script's training operation does; raises `structure.Unknown` where many runs cannot.

    order      its operations and those of the loss, each behind what TensorFlow executes before it
    variables  {operation that stands for a variable: its initial value, a tensor}
    own        the operations of the placeholders and variables that have another value in each run
    """

    def __init__(self, session):
        if len(session.steps) != 1:
            raise structure.Unknown("train() executes several training operations")
        (step,), parts = session.steps, session.parts
        self.order = structure.ancestors([getattr(step, "op", step), parts.loss.op], control=True)
        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        self.variables = {each.op: each.initial_value for each in variables if each.op in self.order}
        self.own = {parts.x_data.op, parts.y_target.op, parts.A.op}
        self.own.update(op for op, initial in self.variables.items() if random(initial))
        for op in self.order:
            known = op.type == "ReadVariableOp" or (op.type == "VarHandleOp" and op in self.variables) or op.type.startswith(UPDATES)
            if op.type in structure.CONTROL_FLOW or (op.op_def.is_stateful and not known):
                raise structure.Unknown(f"a step executes {op.type}, which is not known for many runs at once")
            if op.type.startswith("Placeholder") and op not in self.own:
                raise structure.Unknown(f"a step is fed {op.name} besides x and y")
        before = None
        while before != self.own:  # what depends on a run's own numbers is one of them
            before = set(self.own)
            for op in self.order:
                if op.type.startswith(UPDATES) and any(map(self.differs, op.inputs)):
                    self.own.update(tensor.op for tensor in op.inputs if tensor.dtype == tf.resource)

    def differs(self, tensor):
        """Whether a tensor has another value in each run."""
        return not self.own.isdisjoint(structure.ancestors([tensor.op]))


def random(initial):
    """The operations that draw the random numbers of an initial value."""
    return [op for op in structure.ancestors([initial.op]) if op.op_def.is_stateful]


class Loop:
    """The training loop for some runs, in a graph and a session of its own.

    start  {operation of a variable: its value before the first step}
    shape  (steps of a block, runs, samples)
    """

    def __init__(self, step, parts, start, shape, xla):
        (length, runs, size), ints = shape, [tf.int32] * 3
        self._step, self._parts, self._shape = step, parts, shape[1:]
        with tf.Graph().as_default():
            own = {op: tf.placeholder(value.dtype, [runs]) for op, value in start.items() if op in step.own}
            samples = [tf.placeholder(each.dtype, self._shape) for each in parts[:2]]
            self._places, self._first = [*samples, *own.values()], list(own)
            self._variables = {op: tf.Variable(own.get(op, value)) for op, value in start.items()}
            self._samples = [tf.Variable(each) for each in samples]
            state = [tf.Variable(tf.zeros([runs], dtype)) for dtype in (tf.int32, tf.bool)]
            self._fed = [tf.placeholder(tf.int32, [length, runs]), *(tf.placeholder(dtype, []) for dtype in ints),
                         tf.placeholder(tf.float32, [])]
            train = tensorflow.function(self._train, jit_compile=True, autograph=False) if xla else self._train
            after = train(*self._fed, *(each.read_value() for each in state))
            with tf.control_dependencies([old.assign(new) for old, new in zip(state, after, strict=True)]):
                self._after = [self._variables[parts.A.op].read_value(), *after]
            x, y = (tf.reshape(each, [-1]) for each in self._samples)
            self._mean_loss = tf.reduce_mean(tf.reshape(self._loss(x, y, size), self._shape), axis=1)
            self._init = tf.global_variables_initializer()
            self._session = tf.load().Session(config=tf.threads(2 if xla else -1))  # in one, XLA of 2.12 waits for ever

    def reset(self, x, y, start):
        """Begin with samples x, y [runs, samples] and the variables' values {operation: [runs]}."""
        values = [x, y, *(start[op] for op in self._first)]
        self._session.run(self._init, dict(zip(self._places, values, strict=True)))

    def advance(self, indices, before, first, end, target):
        """Train on a block's sample indices [steps, runs], from `first` to `end`; so many steps come before the block.

        Returns, [runs] each: `A`; the step at which it first was near the target, or 0; and whether `A` or the loss was
        not finite after a step.
        """
        return self._session.run(self._after, dict(zip(self._fed, (indices, before, first, end, target), strict=True)))

    def mean_loss(self):
        """The mean loss over the samples of each run: [runs]."""
        return self._session.run(self._mean_loss)

    def _train(self, indices, before, first, end, target, arrived, lost):
        def step(i, arrived, lost):
            place = tf.range(self._shape[0]) * self._shape[1] + indices[i]
            x, y = (tf.gather(tf.reshape(each, [-1]), place) for each in self._samples)
            with tf.control_dependencies(self._execute(x, y)):
                A, loss = self._variables[self._parts.A.op].read_value(), self._loss(x, y)
            near = (tf.abs(tf.cast(A, tf.float32) - target) < NEAR) & tf.equal(arrived, 0)
            arrived = tf.where(near, tf.fill(arrived.shape, before + i + 1), arrived)
            return i + 1, arrived, lost | ~(tf.math.is_finite(A) & tf.math.is_finite(loss))

        return tf.while_loop(lambda i, *_: i < end, step, [first, arrived, lost], parallel_iterations=1)[1:]

    def _execute(self, x, y):
        """Execute the script's step on samples x, y [runs]; returns the last operation that changes a variable."""
        own, common, last = {self._parts.x_data: x, self._parts.y_target: y}, {}, []
        for op in self._step.order:
            with tf.control_dependencies(last):
                if op.type == "ReadVariableOp":
                    self._read(op.outputs[0], own, common)
                elif op.type.startswith(UPDATES):
                    last = [self._update(op, own, common)]
        return last

    def _read(self, read, own, common, repeated=1):
        """Put a variable's value into `own`, {tensor: a number for each run}, or into `common`."""
        variable = read.op.inputs[0].op
        value = self._variables[variable].read_value()
        if variable not in self._step.own:
            common[read] = value
        else:
            own[read] = tf.repeat(value, repeated) if repeated > 1 else value

    def _update(self, op, own, common):
        """Change a variable as the script's operation does, given what was read."""
        arguments, many = {}, op.inputs[0].op in self._step.own
        for name, tensor in structure.arguments(op).items():
            if tensor.dtype == tf.resource:
                arguments[name] = self._variables[tensor.op].handle
            elif many and name in GRADIENTS:
                arguments[name] = structure.batch(tensor, own, fixed=common)
            elif self._step.differs(tensor):
                raise structure.Unknown(f"{name} of {op.type} is another one in each run")
            else:
                arguments[name], = structure.copy([tensor], common)
        options = {each.name: op.get_attr(each.name) for each in op.op_def.attr if each.type == "bool"}
        return getattr(tf.raw_ops, op.type)(**arguments, **options)

    def _loss(self, x, y, repeated=1):
        """The loss on samples x, y, of which each run has so many, with the variables as they are."""
        own, common = {self._parts.x_data: x, self._parts.y_target: y}, {}
        for read in structure.reads([self._parts.loss]):
            self._read(read, own, common, repeated)
        return structure.batch(self._parts.loss, own, fixed=common)
