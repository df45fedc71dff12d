"""What an optimizer remembers from one step to the next, and its update of `A` with the numbers filled in."""

import numpy as np

from common.backprop import rules
from common.graph import structure

NAMES = {"var": "A", "lr": "rate", "alpha": "rate", "grad": "gradient", "delta": "gradient"}
ROUNDINGS = 4  # in a formula, each of as much as a last bit wrong in each of its numbers


class Memory:
    """The update of `A` by a step.

    variables  {name: operation} of the variables that change with it
    inputs     {name: tensor} of what else it computes with
    """

    def __init__(self, executed, A):
        """executed: the operations and tensors that the step fetches; A: the variable."""
        updates = list(dict.fromkeys(op for each in executed for op in structure.changes(each, A)))
        self._what, self._optimizer = " and ".join(op.type for op in updates), structure.optimizer(executed, A)[0]
        usual, self._formulas = rules.UPDATES.get(self._optimizer, ({}, []))
        named = structure.arguments(updates[0]) if self._optimizer else {"var": A.op.outputs[0]}
        named = {{**NAMES, **usual}.get(name, name): tensor for name, tensor in named.items()}
        kinds = "VarHandleOp", "VariableV2"
        self.variables = {name: each.op for name, each in named.items() if each.op.type in kinds}
        self.inputs = {name: each for name, each in named.items() if each.op.type not in kinds}

    def look(self, inputs, before, after):
        """The update as a dict, None where no formula here describes it, and the lines to print.

        inputs         their values
        before, after  {the operation of a variable: its value then}
        """
        shown = {name: _text(value) for name, value in zip(self.inputs, inputs, strict=True)}
        pairs = {name: (_text(before[op]), _text(after[op])) for name, op in self.variables.items()}
        shown.update({name: was for name, (was, _) in pairs.items()})
        kind = after[self.variables["A"]].dtype
        known = kind.kind == "f"  # numpy's own floats, of which it knows how they round; not bfloat16
        formulas = _with_numbers(self._formulas, shown, pairs, np.finfo(kind)) if known else []
        A = pairs.pop("A")
        kept = "; ".join(f"{name} {was} before, {now} after" for name, (was, now) in pairs.items()) or "nothing"
        lines = [f"The optimizer remembers {kept}."] if self._optimizer else []
        if not formulas:
            return None, [*lines, f"No formula here describes this {self._what}: A = {A[0]} before, {A[1]} after."]
        for formula, numbers in formulas:
            lines += [f"  {formula}", f"  {'':{formula.index(' = ')}} = {numbers}"]
        remembers = {name: (float(was), float(now)) for name, (was, now) in pairs.items()}
        return {"optimizer": self._optimizer, "rate": float(shown["rate"]), "remembers": remembers,
                "A": (float(A[0]), float(A[1])),
                "lines": [f"{formula.split(' = ')[0]} = {numbers}" for formula, numbers in formulas]}, lines


def _with_numbers(formulas, shown, pairs, kind):
    """The formulas, each with its right side in numbers and what that comes to.

    shown  {name: number}, as text, of all that the first formula computes with
    pairs  {name: (before, after)}, as text, of what the step changes
    kind   the `numpy.finfo` of `A`

    [] where a formula does not come to what was found after the step, but for rounding.
    """
    found, shown = [], dict(shown)
    unsure = {name: kind.eps * abs(float(text)) for name, text in shown.items()}
    for formula in formulas:
        name, right = formula.split(" = ")
        numbers = {each: float(text) for each, text in shown.items()}
        result = rules.computed(right, numbers)
        moved = [rules.computed(right, {**numbers, each: numbers[each] + unsure[each]}) for each in numbers]
        unsure[name] = kind.tiny + kind.eps * abs(result) + np.abs(np.subtract(moved, result)).sum()
        filled, shown[name] = rules.filled(right, shown), f"{result:.7g}"
        if name.endswith("'"):
            shown[name] = pairs[name[:-1]][1]
            if not abs(float(shown[name]) - result) <= ROUNDINGS * unsure[name]:
                return []
        found.append((formula, f"{filled} = {_agreed(result, float(shown[name]))}"))
    return found


def _agreed(computed, actual):
    """A number in as many digits as the calculation and TensorFlow's own agree in."""
    texts = (f"{actual:.{digits}g}" for digits in range(7, 0, -1) if f"{actual:.{digits}g}" == f"{computed:.{digits}g}")
    return next(texts, "0, but for rounding")


def _text(value):
    """A variable's or tensor's number in as many digits as it takes to read it back."""
    number = np.ravel(value)[0]
    return "0" if number == 0 else str(number).removesuffix(".0")
