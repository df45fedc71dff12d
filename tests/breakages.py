"""Break the project on purpose, one way after the other, and see that the tests notice.

    python tests/breakages.py [WORD ...]

Each breakage replaces a text in a copy of the checkout; the tests named beside it must then fail. Prints a table, for
the breakages whose name has one of the WORDs (default: all), and exits with 1 if one is not noticed or no longer
applies. It takes about a quarter of an hour.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]


class Breakage(NamedTuple):
    """What breaks: the file, the text and what takes its place, and the tests that must fail, as pytest takes them."""

    name: str
    file: str
    text: str
    broken: str
    tests: str  # files, and after a blank `-k` words


PICTURE_OF_A_RUN = "test_picture_of_a_run.py"
PICTURE_OF_A_COMPARISON = "test_picture_of_a_comparison.py"
PICTURE_OF_A_GRAPH = "test_picture_of_a_graph.py"
BREAKAGES = [Breakage(*fields) for fields in (
    # many runs
    ("a comparison ignores --seed", "comparison/blocks.py",
     "data.streams(seed, chunk)", "data.streams(18, chunk)", "test_comparison.py"),
    ("slots and step counter are not restored for the next chunk", "comparison/loops.py",
     "        self._session.run(self._init, {self.start: start})",
     "        graph = self._session.graph\n"
     "        first = [each.initializer for each in graph.get_collection('variables')[:3]]\n"
     "        self._session.run(first if hasattr(self, 'used') else self._init, {self.start: start})\n"
     "        self.used = True", "test_comparison.py"),
    ("paths are kept for the first block only", "comparison/loops.py",
     "paths += [last[0]] if end in ends else []", "paths += [last[0]] if end in ends and not block.before else []",
     "test_comparison.py"),
    ("arrival is one step late", "comparison/loops.py", "before + i + 1)", "before + i + 2)", "test_comparison.py"),
    ("XLA is never chosen", "comparison/loops.py",
     "xla = args.runs * args.steps > XLA_FROM", "xla = False", "test_comparison.py"),
    ("far means 1,000", "run.py", "FAR = 100.0", "FAR = 1000.0", "test_comparison.py test_log.py test_faults.py"),
    ("the table's file has 12 digits", "comparison/table.py",
     "(row.values() for row in rows)",
     "([f'{v:.12g}' if isinstance(v, float) else v for v in row.values()] for row in rows)", "test_comparison.py"),
    ("percentiles 25, 40, 75 in the table", "comparison/table.py",
     "np.percentile(kept_A, (5, 50, 95))", "np.percentile(kept_A, (25, 40, 75))", "test_comparison.py"),
    ("percentiles 25, 40, 75 in the curves", "comparison/table.py",
     "np.percentile(paths.astype(np.float64), (5, 50, 95), axis=1)",
     "np.percentile(paths.astype(np.float64), (25, 40, 75), axis=1)", "test_comparison.py"),
    ("curves of all lanes, not of the runs", "comparison/loops.py",
     "np.array(paths)[:, :args.runs]", "np.array(paths)", "test_comparison.py"),
    ("the table is not printed beside a progress bar", "comparison/table.py",
     "(bar.write, bar.update)", "(lambda text: None, bar.update)", "test_comparison.py"),
    ("the progress bar does not advance", "comparison/table.py",
     "(bar.write, bar.update)", "(bar.write, lambda count: None)", "test_comparison.py"),
    ("a failed picture costs the table", "ending/output.py",
     "        except CannotDraw as error:\n", "        except ZeroDivisionError as error:\n",
     "test_faults.py test_surroundings.py"),
    ("runs beside others have other samples", "comparison/blocks.py",
     "return np.ascontiguousarray(x.T, np.float32), y.astype(np.float32)",
     "return np.ascontiguousarray(x.T[::-1], np.float32), y.astype(np.float32)", "test_comparison.py"),
    # back propagation
    *((f"the chain rule of Select always takes the {branch} branch", "backprop/rules.py", text, broken,
       "test_backprop.py") for branch, text, broken in (
        ("first", "lambda g, v, c, a, b: g if c else 0 * g", "lambda g, v, c, a, b: g"),
        ("second", "lambda g, v, c, a, b: 0 * g if c else g", "lambda g, v, c, a, b: g"))),
    ("a traced step that was not reached is drawn", "single.py",
     "if trace and trace.step:", "if trace:", "test_backprop.py test_faults.py"),
    ("momentum's formula forgets the gradient", "backprop/memory.py",
     "\"velocity' = momentum × velocity + gradient\", \"A' = A - rate × velocity'\"",
     "\"velocity' = momentum × velocity\", \"A' = A - rate × velocity'\"", "test_backprop.py"),
    ("the finite difference has one step for all values", "backprop/trace.py",
     "for h in MOVES * (abs(value) or 1):", "for h in [1e-5, 1.1e-5]:", "test_backprop.py"),
    # the recipes
    ("reports are dropped with --trace", "../recipes/regression.py",
     "if (i + 1) % report_every == 0:", "if (i + 1) % report_every == 0 and not run._watchers:", "test_backprop.py"),
    ("reports are dropped with --tensorboard", "../recipes/classification.py",
     "if (i + 1) % report_every == 0:", "if (i + 1) % report_every == 0 and not run.args.tensorboard:",
     "test_backprop.py"),
    ("before and after are exchanged", "single.py",
     '"before": model.output(x, A[0]),\n            "after": model.output(x, A[-1])',
     '"before": model.output(x, A[-1]),\n            "after": model.output(x, A[0])', "test_pictures_numbers.py"),
    ("the boundary has the wrong sign", "single.py",
     '"boundary": boundary(A[-1])', '"boundary": (lambda x: x and -x)(boundary(A[-1]))', "test_pictures_numbers.py"),
    # signals, files and the end
    ("Ctrl-C reaches the process that draws", "pictures/process.py",
     "start_new_session=True, ", "", "test_faults.py test_surroundings.py"),
    ("a closed standard error fails the loading", "tf1.py",
     "except OSError:  # no standard error", "except ZeroDivisionError:  # no standard error",
     "test_faults.py test_surroundings.py"),
    ("a second Ctrl-C is not heard", "ending/surroundings.py",
     "if self.patience == -1:", "if self.patience == -9:", "test_faults.py test_surroundings.py"),
    ("SIGTERM is not heard", "ending/surroundings.py",
     '("SIGINT", "SIGTERM", "SIGHUP")', '("SIGINT", "SIGHUP")', "test_faults.py test_surroundings.py"),
    ("a comparison does not stop", "comparison/table.py",
     "    if signals.noted:\n        raise surroundings.Stopped", "    return",
     "test_faults.py test_surroundings.py test_comparison.py"),
    ("a comparison stopped before its first row says more than a signal does", "comparison/table.py",
     "    if failure and not result.rows and not isinstance(failure, (MemoryError, OSError)):\n        raise failure\n",
     "", "test_faults.py test_surroundings.py test_comparison.py"),
    ("Wrote lines are absolute", "ending/output.py",
     "files.shown(path)", "path.resolve()", "test_faults.py test_surroundings.py test_recipes.py test_documents.py"),
    ("versions are compared as text", "tf1.py",
     'tuple(int(part) for part in version.split(".")[:2]) < OLDEST', 'version < "2.12"', "test_surroundings.py"),
    ("Keras 3 is loaded", "tf1.py",
     'os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")', "pass", "test_surroundings.py test_faults.py"),
    ("the collector is awake while TensorFlow loads", "tf1.py",
     "    gc.disable()\n", "", "test_surroundings.py test_faults.py"),
    ("a graph is never rewritten", "tf1.py",
     "rewriting.disable_meta_optimizer = not rewritten", "rewriting.disable_meta_optimizer = True", "test_golden.py"),
    ("a session has TensorFlow's own threads", "tf1.py",
     "load().Session(target, graph, config or threads(-1))", "load().Session(target, graph, config)",
     "test_surroundings.py test_faults.py"),
    # pictures
    ("the user's matplotlib settings are kept", "pictures/style.py",
     "    matplotlib.rcParams.update(matplotlib.rcParamsDefault)\n", "",
     f"{PICTURE_OF_A_RUN} {PICTURE_OF_A_COMPARISON} {PICTURE_OF_A_GRAPH}"),
    ("A is drawn negated", "pictures/training.py",
     'A = path["A"].astype(np.float64)', 'A = -path["A"].astype(np.float64)', PICTURE_OF_A_RUN),
    ("the target's line stands at 0", "pictures/training.py", "mark(target, ", "mark(0, ", PICTURE_OF_A_RUN),
    ("the least loss stands at the target", "pictures/training.py",
     "mark(best, ", "mark(target, ", PICTURE_OF_A_RUN),
    ("the target's line of a comparison stands at 0", "pictures/comparison.py",
     "axes.axhline(target, ", "axes.axhline(0, ", PICTURE_OF_A_COMPARISON),
    ("medians and percentiles are exchanged step by step", "pictures/comparison.py",
     "np.column_stack([spread[1], runs])", "np.column_stack([spread[2], runs])", PICTURE_OF_A_COMPARISON),
    ("medians and percentiles of the last A are exchanged", "pictures/comparison.py",
     'row["A_p05"], row["A_p50"], row["A_p95"]', 'row["A_p50"], row["A_p05"], row["A_p95"]', PICTURE_OF_A_COMPARISON),
    ("the limits are drawn at twice their rates", "pictures/comparison.py",
     "(limits[name], 0), (limits[name], 1)", "(2 * limits[name], 0), (2 * limits[name], 1)", PICTURE_OF_A_COMPARISON),
    ("values are called gradients", "pictures/graph.py",
     """f"value {_number(node['value'])}\"""", """f"gradient {_number(node['value'])}\"""", PICTURE_OF_A_GRAPH),
    ("values stand where gradients should", "pictures/graph.py",
     """f"gradient {_number(node['gradient'])}\"""", """f"gradient {_number(node['value'])}\"""", PICTURE_OF_A_GRAPH),
    ("the arrows are reversed", "pictures/graph.py", 'arrowstyle="-|>"', 'arrowstyle="<|-"', PICTURE_OF_A_GRAPH),
    ("a frame shows the step before", "pictures/animation.py",
     "A, A_next, on_mean = A_before[index], A_after[index]", "A, A_next, on_mean = A_before[index - 1], A_after[index]",
     "test_animation.py"),
    # documents
    ("another number of true claims", "../README.md", "22 are true", "23 are true", "test_statements.py"),
    ("another default seed", "../README.md", "every random number | 18 |", "every random number | 8 |",
     "test_documents.py"),
    ("a flag by another name", "../README.md", "`--report-every N`", "`--report N`", "test_documents.py"),
    ("another factor between the rates", "../README.md", "a factor of 20,000", "a factor of 2,000",
     "test_statements.py"),
    ("an anchor that leads nowhere", "../README.md", "README.md#mend-your-own-copy", "README.md#mend-a-copy",
     "test_documents.py"),
    ("a limit of 1.953", "../recipes/README.md", "1.01/1.0603 = 0.953", "1.01/1.0603 = 1.953", "test_statements.py"),
)]


def copy(folder):
    """A copy of the tracked files (all files, where there is no git) in a folder with a name of its own."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT,
                            capture_output=True, check=False)
    names = os.fsdecode(listed.stdout).split("\0")[:-1] if listed.returncode == 0 else [
        str(path.relative_to(CHECKOUT)) for path in CHECKOUT.rglob("*.*") if path.is_file()]
    for name in names:
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, folder / name)


def noticed(breakage, folder):
    """What became of a breakage in the copy: noticed, NOT NOTICED or NO LONGER APPLIES."""
    path = folder / "common" / breakage.file
    whole = path.read_text(encoding="utf-8")
    if breakage.text not in whole:
        return "NO LONGER APPLIES"
    path.write_text(whole.replace(breakage.text, breakage.broken), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider",
             *(f"tests/{name}" for name in breakage.tests.split())],
            cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120)
    except subprocess.TimeoutExpired:
        return "noticed: the tests wait for ever"
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode < 0:
        return f"noticed: the signal {-done.returncode} ends the tests themselves"
    if done.returncode == 1:
        failed = [line.split("::")[1].split(" ")[0] for line in done.stdout.splitlines()
                  if line.startswith(("FAILED", "ERROR")) and "::" in line]
        return f"noticed by {' '.join(failed)}"
    return "NOT NOTICED" if done.returncode == 0 else f"NOT NOTICED: pytest ended with {done.returncode}"


def main(words):
    chosen = [each for each in BREAKAGES if not words or any(word in each.name for word in words)]
    print("| breakage | |\n| --- | --- |")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder))
        for breakage in chosen:
            result = noticed(breakage, Path(folder))
            missed += not result.startswith("noticed")
            print(f"| {breakage.name} | {result} |", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
