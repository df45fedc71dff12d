"""The formulas of back propagation: the chain rule at an operation, the updates of the optimizers, their numbers."""

import re

import numpy as np

# What an operation with the inputs a and b and the value v passes on to each input of the gradient g that arrives at
# it; all are single numbers. None for an input that gets no gradient.
RULES = {
    "Mul": ("b × g", "a × g"), "AddV2": ("g", "g"), "Sub": ("g", "-g"), "Neg": ("-g",), "Square": ("2 × a × g",),
    "Exp": ("v × g",), "Log1p": ("g / (1 + a)",), "ExpandDims": ("g", None), "Mean": ("g", None), "Sum": ("g", None),
}
# By optimizer: the names that the field uses for what TensorFlow calls otherwise, and the update as formulas, in which
# an accent marks the value after the step, as the operations of TensorFlow compute it that are given a rate only.
DESCENT = {}, ["A' = A - rate × gradient"]
ADAGRAD = {"accum": "squares"}, ["squares' = squares + gradient²", "A' = A - rate × gradient / √squares'"]
UPDATES = {
    "gradient-descent": DESCENT, "proximal-gradient-descent": DESCENT, "adagrad": ADAGRAD, "proximal-adagrad": ADAGRAD,
    "momentum": ({"accum": "velocity"}, ["velocity' = momentum × velocity + gradient", "A' = A - rate × velocity'"]),
    "nesterov": ({"accum": "velocity"}, [
        "velocity' = momentum × velocity + gradient", "A' = A - rate × (gradient + momentum × velocity')"]),
    "adagrad-da": ({"gradient_accumulator": "sum", "gradient_squared_accumulator": "squares"}, [
        "sum' = sum + gradient", "squares' = squares + gradient²", "A' = -rate × sum' / √squares'"]),
    "adadelta": ({"accum": "mean_square", "accum_update": "mean_square_update"}, [
        "mean_square' = rho × mean_square + (1 - rho) × gradient²",
        "update = √(mean_square_update + epsilon) / √(mean_square' + epsilon) × gradient",
        "mean_square_update' = rho × mean_square_update + (1 - rho) × update²", "A' = A - rate × update"]),
    "adam": ({}, [
        "m' = beta1 × m + (1 - beta1) × gradient", "v' = beta2 × v + (1 - beta2) × gradient²",
        "rate_now = rate × √(1 - beta2_power) / (1 - beta1_power)", "A' = A - rate_now × m' / (√v' + epsilon)"]),
    "rmsprop": ({"ms": "mean_square", "mom": "update"}, [
        "mean_square' = rho × mean_square + (1 - rho) × gradient²",
        "update' = momentum × update + rate × gradient / √(mean_square' + epsilon)", "A' = A - update'"]),
    "ftrl": ({"accum": "squares"}, [
        "squares' = squares + gradient²", "linear' = linear + gradient - (√squares' - √squares) / rate × A",
        "A' = -rate × linear' / √squares'"]),
}


def rule(operation, index, chosen):
    """The chain rule at the input `index` of an operation; None if there is none.

    chosen  the value of the first input: Select passes the gradient to the second where it holds, else to the third
    """
    if operation in ("Select", "SelectV2") and index:
        return "g" if bool(chosen) == (index == 1) else "0"
    return RULES.get(operation, {}.fromkeys([index]))[index]


def filled(formula, texts):
    """A formula with texts in the places of its names, what begins with a minus in brackets unless it comes first."""
    def text(name):
        found = texts[name[0]]
        return f"({found})" if found.startswith("-") and name.start() else found

    return re.sub(r"[A-Za-z_][A-Za-z_0-9]*'?", text, formula)


def computed(formula, numbers):
    """What a formula comes to with the numbers of its names, in double precision; not finite where it has no value."""
    code = re.sub(r"√(\(.*?\)|[a-z_0-9]+'?)", r"sqrt(\1)", formula).replace("²", "**2").replace("×", "*")
    values = {name.replace("'", "_after"): np.float64(number) for name, number in numbers.items()}
    with np.errstate(all="ignore"):
        return np.float64(eval(code.replace("'", "_after"), {"sqrt": np.sqrt, **values}))
