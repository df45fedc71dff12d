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
        self.variables = {name: each.op for name, each in named.items() if each.op.type in ("VarHandleOp", "VariableV2")}
        self.inputs = {name: each for name, each in named.items() if name not in self.variables}

    def look(self, inputs, before, after):
        """The update as a dict, None where no formula here describes it, and the lines to print.

        inputs         their values
        before, after  {the operation of a variable: its value then}
        """
        inputs = {name: np.ravel(value)[0] for name, value in zip(self.inputs, inputs, strict=True)}
        remembers = {name: (np.ravel(before[op])[0], np.ravel(after[op])[0]) for name, op in self.variables.items()}
        formulas = _with_numbers(self._formulas, inputs, remembers) if inputs else []
        A = remembers.pop("A")
        kept = "; ".join(f"{name} {_text(was)} before, {_text(now)} after" for name, (was, now) in remembers.items())
        lines = [f"The optimizer remembers {kept or 'nothing'}."] if self._optimizer else []
        if not formulas:
            return None, [*lines, f"No formula here describes this {self._what}: A = {A[0]!s} before, {A[1]!s} after."]
        for formula, numbers in formulas:
            lines += [f"  {formula}", f"  {'':{formula.index(' = ')}} = {numbers}"]
        return {"optimizer": self._optimizer, "rate": inputs.get("rate"), "remembers": remembers, "A": A,
                "lines": [f"{formula.split(' = ')[0]} = {numbers}" for formula, numbers in formulas]}, lines


def _with_numbers(formulas, inputs, remembers):
    """The formulas, each with its right side in numbers and what that comes to.

    [] where this is not what was found after the step in `remembers`, {name: (before, after)}, but for rounding.
    """
    shown = {name: _text(number) for name, number in inputs.items()}
    shown.update({name: _text(was) for name, (was, _) in remembers.items()})
    after = {f"{name}'": _text(now) for name, (_, now) in remembers.items()}
    kind, found = np.finfo(remembers["A"][0].dtype), []
    unsure = {name: kind.eps * abs(float(text)) for name, text in shown.items()}
    for formula in formulas:
        name, right = formula.split(" = ")
        numbers = {each: float(text) for each, text in shown.items()}
        result = rules.computed(right, numbers)
        moved = [rules.computed(right, {**numbers, each: numbers[each] + unsure[each]}) for each in numbers]
        error = kind.tiny + kind.eps * abs(result) + np.abs(np.subtract(moved, result)).sum()
        filled, shown[name] = rules.filled(right, shown), after.get(name, f"{result:.7g}")
        actual = float(shown[name])
        if name in after and not abs(actual - result) <= ROUNDINGS * error:
            return []
        unsure[name] = kind.eps * abs(actual) if name in after else error + abs(actual - result)
        same = [f"{actual:.{digits}g}" for digits in range(7, 0, -1) if f"{actual:.{digits}g}" == f"{result:.{digits}g}"]
        found.append((formula, f"{filled} = {[*same, '0, but for rounding'][0]}"))
    return found


def _text(number):
    """A number in as many digits as it takes to read it back."""
    return str(number + 0).removesuffix(".0")
