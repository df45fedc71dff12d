"""The figures of a row of the table, and how they are shown."""

import numpy as np

from common.report import shortest

FORMATS = {  # column: its width on the terminal (0: only in the files) and its format
    "optimizer": (-25, "s"), "learning_rate": (14, ".4g"), "runs": (10, "d"), "diverged": (9, "d"),
    "A_mean": (10, ".4f"), "A_sd": (9, ".4f"), "A_p05": (0, ""), "A_p50": (0, ""), "A_p95": (0, ""),
    "loss_mean": (11, ".4g"), "steps_to_target": (16, ".10g"),
}


def summary(made_by, A, loss, arrived, lost):
    """The row of the table: a dict with the keys of `FORMATS`, None where a figure does not apply."""
    kept, (optimizer, rate) = ~lost, made_by
    row = {**dict.fromkeys(FORMATS), "optimizer": optimizer, "learning_rate": shortest(rate), "runs": len(A),
           "diverged": int(lost.sum())}
    if kept.any():
        A, loss = A[kept].astype(np.float64), float(loss[kept].mean(dtype=np.float64))
        steps = float(np.median(arrived[kept]))
        row.update(zip(("A_p05", "A_p50", "A_p95"), np.percentile(A, (5, 50, 95)).tolist(), strict=True))
        row.update(A_mean=float(A.mean()), A_sd=float(A.std()) if len(A) > 1 else None,
                   loss_mean=loss if np.isfinite(loss) else None, steps_to_target=steps if np.isfinite(steps) else None)
    return row


def cell(row, column, target):
    """A figure as the table on the terminal shows it, between blanks."""
    (width, kind), value = FORMATS[column], row[column]
    if width == 0 or isinstance(value, str):
        text = value
    elif value is None:
        never = column == "steps_to_target" and row["A_mean"] is not None and target is not None
        varies = column == "learning_rate" and row["optimizer"] is not None
        text = "never" if never else "varies" if varies else "-"
    else:
        small = kind == ".4f" and value != 0 and not 1e-3 <= abs(value) < 1e5
        text = format(value + 0 * abs(value), ".4g" if small else kind)
    if width == 0:
        return ""
    return f"{text:<{-width}}" if width < 0 else f"{' ' + text:>{width}}"
