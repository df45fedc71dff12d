"""What an optimizer remembers from one step to the next, and its update of `A` with the numbers filled in.

The formulas are those of TensorFlow's operations `ResourceApply…`, as the optimizers of `tf.train` use them when they
are given a learning rate only.
"""

import math
import re

import numpy as np

from common import graphs
from common import tf1 as tf

# By operation: the names that the field uses for what TensorFlow calls otherwise, and the update as formulas, in which
# an accent marks the value after the step. The names and formulas are read, and computed with, as they stand here.
UPDATES = {
    "GradientDescent": ({}, ["A' = A - rate × gradient"]),
    "ProximalGradientDescent": ({}, ["A' = A - rate × gradient"]),
    "Momentum": ({"accum": "velocity"}, [
        "velocity' = momentum × velocity + gradient", "A' = A - rate × velocity'"]),
    "Nesterov": ({"accum": "velocity"}, [
        "velocity' = momentum × velocity + gradient", "A' = A - rate × (gradient + momentum × velocity')"]),
    "Adagrad": ({"accum": "squares"}, ["squares' = squares + gradient²", "A' = A - rate × gradient / √squares'"]),
    "ProximalAdagrad": ({"accum": "squares"}, [
        "squares' = squares + gradient²", "A' = A - rate × gradient / √squares'"]),
    "AdagradDA": ({"gradient_accumulator": "sum", "gradient_squared_accumulator": "squares"}, [
        "sum' = sum + gradient", "squares' = squares + gradient²", "A' = -rate × sum' / √squares'"]),
    "Adadelta": ({"accum": "mean_square", "accum_update": "mean_square_update"}, [
        "mean_square' = rho × mean_square + (1 - rho) × gradient²",
        "update = √(mean_square_update + epsilon) / √(mean_square' + epsilon) × gradient",
        "mean_square_update' = rho × mean_square_update + (1 - rho) × update²", "A' = A - rate × update"]),
    "Adam": ({}, [
        "m' = beta1 × m + (1 - beta1) × gradient", "v' = beta2 × v + (1 - beta2) × gradient²",
        "rate_now = rate × √(1 - beta2_power) / (1 - beta1_power)", "A' = A - rate_now × m' / (√v' + epsilon)"]),
    "RMSProp": ({"ms": "mean_square", "mom": "update"}, [
        "mean_square' = rho × mean_square + (1 - rho) × gradient²",
        "update' = momentum × update + rate × gradient / √(mean_square' + epsilon)", "A' = A - update'"]),
    "Ftrl": ({"accum": "squares"}, [
        "squares' = squares + gradient²", "linear' = linear + gradient - (√squares' - √squares) / rate × A",
        "A' = -rate × linear' / √squares'"]),
}
COMMON = {"var": "A", "lr": "rate", "alpha": "rate"}
DIGITS = 7


class Memory:
    """What the update of `A` by `train_step` computes with, read from the graph before and after a step.

    gradient  the tensor of the gradient that the update is given, which may be clipped, say; None if none is known
    """

    def __init__(self, train_step, variable):
        self._update = next(iter(graphs.updates(train_step, variable)), None)
        self._read, self._kept, self.gradient = {}, [], None
        kind = self._update and self._update.type.removeprefix("ResourceApply")
        self.kind = "Nesterov" if self._update and graphs.optimizer_name(self._update) == "nesterov" else kind
        usual, self.formulas = UPDATES.get(self.kind, ({}, []))
        for name, tensor in (graphs.inputs(self._update) if self._update else {}).items():
            usually = {**COMMON, **usual}.get(name, name)
            if tensor.dtype == tf.resource:
                self._kept += [usually] if usually != "A" else []
                tensor = tf.raw_ops.ReadVariableOp(resource=tensor, dtype=variable.dtype.base_dtype)
            if name in ("grad", "delta"):
                self.gradient = tensor
            else:
                self._read[usually] = tensor

    def read(self, sess):
        """What the update computes with, as it is now: {name: float}, by the usual names."""
        return {name: float(str(np.ravel(value)[0])) for name, value in sess.run(self._read).items()}

    def lines(self, before, after, gradient):
        """The update in words and numbers, from what was read `before` and `after` a step, and its gradient."""
        kept = [f"{name} {_text(before[name])} before, {_text(after[name])} after" for name in self._kept]
        lines = [f"The optimizer remembers {'; '.join(kept) or 'nothing'}."]
        if not self.formulas or before.get("l1") or before.get("l2"):
            return [*lines, f"No formula for {self.kind} here: A = {_text(after['A'])} after the step."]
        numbers = {**before, "gradient": gradient}
        for formula in self.formulas:
            name, right = formula.split(" = ")
            numbers[name], text = _result(right, numbers, after.get(name.removesuffix("'")) if "'" in name else None)
            lines += [f"  {formula}", f"  {'':{len(name)}} = {_filled(right, numbers)} = {text}"]
        return lines


def _result(right, numbers, actual):
    """What the right side of a formula comes to, in TensorFlow's float32 where that is known, and as text.

    The text has as many digits as a calculation with the numbers shown and TensorFlow's own agree in.
    """
    computed = _value(right, {name: float(_text(value)) for name, value in numbers.items()})
    if actual is None:
        return computed, _text(computed)
    for digits in range(DIGITS, 0, -1):
        if f"{computed:.{digits}g}" == f"{actual:.{digits}g}":
            return actual, f"{actual:.{digits}g}"
    return actual, f"{_text(computed)}, in TensorFlow's float32 {_text(actual)}"


def _value(right, numbers):
    """The value of a formula's right side."""
    code = re.sub(r"√(\(.*?\)|[a-z_0-9]+'?)", r"sqrt(\1)", right).replace("²", "**2").replace("×", "*")
    code = re.sub(r"[A-Za-z_][A-Za-z_0-9]*'?", lambda name: name[0] if name[0] == "sqrt" else
                  f"({numbers[name[0]]!r})", code)
    try:
        return eval(code, {"sqrt": math.sqrt, "__builtins__": {}, "inf": math.inf, "nan": math.nan})
    except (ArithmeticError, ValueError):
        return math.nan


def _filled(right, numbers):
    """A formula's right side with the numbers in the places of the names, negative ones in brackets."""
    def number(name):
        text = _text(numbers[name[0]])
        return f"({text})" if text.startswith("-") and name.start() else text

    return re.sub(r"[A-Za-z_][A-Za-z_0-9]*'?", number, right)


def _text(number):
    return f"{number + 0:.{DIGITS}g}"
