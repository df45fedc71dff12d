"""What an optimizer remembers from one step to the next, and its update of `A` with the numbers filled in."""

import re

import numpy as np

from common.backprop import rules
from common.graph import structure

NAMES = {"lr": "rate", "alpha": "rate", "grad": "gradient", "delta": "gradient"}


class Memory:
    """The update of `A` by a step.

    variables  {name: operation} of the variables that change with it, `A` first
    inputs     {name: tensor} of what else it computes with
    """

    def __init__(self, executed, A):
        """executed: the operations and tensors that the step fetches; A: the variable."""
        updates = list(dict.fromkeys(op for each in executed for op in structure.changes(each, A)))
        self._what, self._optimizer = " and ".join(op.type for op in updates), structure.optimizer(executed, A)[0]
        self._formulas = rules.UPDATES.get(self._optimizer, [])
        names = iter(["A", *re.findall(r"(\w+)' =", "; ".join(self._formulas))])
        self.variables, self.inputs = {}, {}
        arguments = structure.arguments(updates[0]) if self._optimizer else {"var": A.op.outputs[0]}
        for name, tensor in arguments.items():
            if tensor.op.type in ("VarHandleOp", "VariableV2"):
                self.variables[next(names, name)] = tensor.op
            else:
                self.inputs[NAMES.get(name, name)] = tensor

    def look(self, inputs, before, after):
        """The update as a dict, None where no formula here describes it, and the lines to print.

        inputs         {name: value}
        before, after  {the operation of a variable: its value then}
        """
        numbers = {name: _number(value) for name, value in inputs.items()}
        pairs = {name: (_number(before[op]), _number(after[op])) for name, op in self.variables.items()}
        rounding = 8 * np.finfo(after[self.variables["A"]].dtype).eps
        formulas = _with_numbers(self._formulas, numbers, pairs, rounding)
        was, now = pairs.pop("A")
        kept = "; ".join(f"{name} {pair[0]:.9g} before, {pair[1]:.9g} after" for name, pair in pairs.items())
        lines = [f"The optimizer remembers {kept or 'nothing'}."] if self._optimizer else []
        if not formulas:
            return None, [*lines, f"No formula here describes this {self._what}: A = {was:.9g} before, {now:.9g} after."]
        for formula, right in formulas.items():
            lines += [f"  {formula}", f"  {'':{formula.index(' = ')}} = {right}"]
        return {"optimizer": self._optimizer, "rate": numbers["rate"], "remembers": pairs, "A": (was, now),
                "lines": [f"{formula.split(' = ')[0]} = {right}" for formula, right in formulas.items()]}, lines


def _with_numbers(formulas, numbers, pairs, rounding):
    """{formula: its right side in numbers, and what that comes to}; {} where that is not what the step came to.

    numbers   by name, what they compute with beside `pairs`, the numbers before and after the step
    rounding  in a variable's own type, of its size
    """
    found, numbers = {}, {**numbers, **{name: was for name, (was, _) in pairs.items()}}
    for formula in formulas:
        name, right = formula.split(" = ")
        filled = rules.filled(right, {each: f"{number:.9g}" for each, number in numbers.items()})
        result = rules.computed(filled)
        numbers[name] = float(f"{result:.7g}")
        if name.endswith("'"):
            was, now = pairs[name[:-1]]
            if not abs(now - result) <= rounding * max(abs(was), abs(now)) + 1e-3 * abs(now - was) + 1e-37:
                return {}
            numbers[name] = now
        found[formula] = f"{filled} = {_agreed(result, numbers[name])}"
    return found


def _agreed(computed, actual):
    """A number in as many digits as the calculation and TensorFlow's own agree in."""
    texts = (f"{actual:.{digits}g}" for digits in range(7, 0, -1) if f"{actual:.{digits}g}" == f"{computed:.{digits}g}")
    return next(texts, "0, but for rounding")


def _number(value):
    """The decimal number as which a variable's or tensor's single float is printed."""
    return float(str(np.ravel(value)[0])) + 0
