"""What the picture of a comparison says in words: who arrives when, and where a row ends."""

from common.pictures.style import number


def message(n):
    """The picture's sentence, from its numbers: which row arrives first, and which last; or where `A` ends."""
    arrived = [row for row in n.rows if row["steps_to_target"] is not None]
    ends = [row["A_p50"] for row in n.rows if row["A_p50"] is not None]
    if not ends:
        return "A diverges"
    median = "In the median run, " if n.rows[0]["runs"] > 1 else ""
    there = "" if n.target is None else f"within {number(n.near)} of {number(n.target)}"
    if not arrived:
        between = " to ".join(dict.fromkeys([number(min(ends)), number(max(ends))]))
        return f"{median}A ends at {between}" + (f", never {there}" if there else "")
    first, last = (pick(arrived, key=lambda row: row["steps_to_target"]) for pick in (min, max))
    rest, never = "", len(n.rows) - len(arrived)
    if never:
        rest = f"; {never:,} of {len(n.rows):,} never do"
    elif first is not last:
        rest = f", {name(last)} last, after {arrival(last)}"
    return f"{median}{name(first)} comes {there}{' first,' if rest else ''} after {arrival(first)}{rest}"


def name(row):
    """The optimizer and the learning rate of a row."""
    rate = "" if row["learning_rate"] is None else f" at rate {number(row['learning_rate'])}"
    return f"{row['optimizer'] or 'own update'}{rate}"


def arrival(row):
    """When a row's median run arrived, in whole steps."""
    steps = row["steps_to_target"]
    return "never" if steps is None else f"{steps:,.0f} step{'s' * (steps != 1)}"


def label(n, rows):
    """The names of rows that coincide, one below the other, and where these end and when they arrived."""
    names, row = "\n".join(dict.fromkeys(name(row) for row in rows)), rows[0]
    if row["A_p50"] is None:
        return f"{names}\ndiverged"
    spread = f" ({number(row['A_p05'], 3)} to {number(row['A_p95'], 3)})" if row["runs"] > 1 else ""
    there = "" if n.target is None else f"; {arrival(row)}"
    lost = f", {row['diverged']:,} diverged" if row["diverged"] else ""
    return f"{names}\n{number(row['A_p50'])}{spread}{there}{lost}"
