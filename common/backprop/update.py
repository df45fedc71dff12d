"""The update of `A` by a step with the numbers filled in, and what the optimizer remembers from step to step."""

import re

import numpy as np

from common.graph import structure

# By optimizer, the update as the operations of TensorFlow compute it that are given a rate only. An accent marks a
# value after the step: of what the optimizer remembers, in the order of the operation's arguments, and of A.
DESCENT = ["A' = A - rate × gradient"]
ADAGRAD = ["squares' = squares + gradient²", "A' = A - rate × gradient / √squares'"]
VELOCITY = "velocity' = momentum × velocity + gradient"
MEAN_SQUARE = "mean_square' = rho × mean_square + (1 - rho) × gradient²"
UPDATES = {
    "gradient-descent": DESCENT, "proximal-gradient-descent": DESCENT, "adagrad": ADAGRAD, "proximal-adagrad": ADAGRAD,
    "momentum": [VELOCITY, "A' = A - rate × velocity'"],
    "nesterov": [VELOCITY, "A' = A - rate × (gradient + momentum × velocity')"],
    "adagrad-da": ["sum' = sum + gradient", "squares' = squares + gradient²", "A' = -rate × sum' / √squares'"],
    "adadelta": [MEAN_SQUARE, "update = √(mean_square_update + epsilon) / √(mean_square' + epsilon) × gradient",
                 "mean_square_update' = rho × mean_square_update + (1 - rho) × update²", "A' = A - rate × update"],
    "adam": ["m' = beta1 × m + (1 - beta1) × gradient", "v' = beta2 × v + (1 - beta2) × gradient²",
             "rate_now = rate × √(1 - beta2_power) / (1 - beta1_power)", "A' = A - rate_now × m' / (√v' + epsilon)"],
    "rmsprop": [MEAN_SQUARE, "update' = momentum × update + rate × gradient / √(mean_square' + epsilon)",
                "A' = A - update'"],
    "ftrl": ["squares' = squares + gradient²", "linear' = linear + gradient - (√squares' - √squares) / rate × A",
             "A' = -rate × linear' / √squares'"],
}
NAMES = {"lr": "rate", "alpha": "rate", "grad": "gradient", "delta": "gradient"}  # as TensorFlow calls them: as here


class Update:
    """How a step moves `A`: `inputs`, {name: tensor}, are what it computes with beside variables."""

    def __init__(self, executed, A):
        """executed: the operations and tensors that the step fetches; A: the variable."""
        updates = list(dict.fromkeys(op for each in executed for op in structure.changes(each, A)))
        self._what, self._optimizer = " and ".join(op.type for op in updates), structure.optimizer(executed, A)[0]
        self._formulas = UPDATES.get(self._optimizer, [])
        names = iter(["A", *re.findall(r"(\w+)' =", "; ".join(self._formulas))])
        self.inputs, self._variables = {}, {}
        arguments = structure.arguments(updates[0]) if self._optimizer else {"var": A.op.outputs[0]}
        for name, tensor in arguments.items():
            if tensor.op.type in ("VarHandleOp", "VariableV2"):
                self._variables[next(names, name)] = tensor.op
            else:
                self.inputs[NAMES.get(name, name)] = tensor

    def look(self, inputs, before, after):
        """The update as a dict, None where no formula here describes it, and the lines to print.

        inputs         {name: value}
        before, after  {the operation of a variable: its value then}
        """
        numbers = {name: _number(value) for name, value in inputs.items()}
        pairs = {name: (_number(before[op]), _number(after[op])) for name, op in self._variables.items()}
        numbers.update({name: was for name, (was, _) in pairs.items()})
        rounding = 8 * np.finfo(after[self._variables["A"]].dtype).eps
        lines, short, describes = [], [], bool(self._formulas)
        for formula in self._formulas:
            name, right = formula.split(" = ")
            right = _filled(right, {each: f"{number:.9g}" for each, number in numbers.items()})
            result = computed(right)
            numbers[name] = float(f"{result:.7g}")
            if name.endswith("'"):
                was, now = pairs[name[:-1]]
                numbers[name], near = now, rounding * max(abs(was), abs(now)) + 1e-3 * abs(now - was) + 1e-37
                describes &= abs(now - result) <= near
            right = f"{right} = {_agreed(result, numbers[name])}"
            lines += [f"  {formula}", f"  {'':{len(name)}} = {right}"]
            short.append(f"{name} = {right}")
        A = pairs.pop("A")
        if not describes:
            lines = [f"No formula here describes this {self._what}: A = {A[0]:.9g} before, {A[1]:.9g} after."]
        kept = "; ".join(f"{name} {was:.9g} before, {now:.9g} after" for name, (was, now) in pairs.items())
        if self._optimizer:
            lines.insert(0, f"The optimizer remembers {kept or 'nothing'}.")
        update = {"optimizer": self._optimizer, "rate": numbers.get("rate"), "remembers": pairs, "A": A, "lines": short}
        return update if describes else None, lines


def computed(formula):
    """What a formula with numbers comes to, in double precision."""
    code = re.sub(r"√(\(.*?\)|[\d.e+-]+)", r"sqrt(\1)", formula).replace("²", "**2").replace("×", "*")
    return float(eval(code, {"sqrt": np.sqrt, "inf": np.inf, "nan": np.nan}))


def _filled(formula, texts):
    """A formula with texts in the places of its names; negative numbers in brackets behind an operator."""
    text = re.sub(r"[A-Za-z_][A-Za-z_0-9]*'?", lambda name: texts[name[0]], formula)
    return re.sub(r"(?<= )-[\d.e+-]+", r"(\g<0>)", text)


def _agreed(computed, actual):
    """A number in as many digits as the calculation and TensorFlow's own agree in."""
    texts = (f"{actual:.{digits}g}" for digits in range(7, 0, -1) if f"{actual:.{digits}g}" == f"{computed:.{digits}g}")
    return next(texts, "0, but for rounding")


def _number(value):
    """The decimal number as which a variable's or tensor's single float is printed."""
    return float(str(np.ravel(value)[0])) + 0
