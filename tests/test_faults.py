"""Packages that are missing, and mistakes in a script or in ours: what can be written is, and then they are shown."""

import json
import os
import tracemalloc
from unittest.mock import Mock

import classification
import numpy as np
import pytest
from conftest import FILES, edited, names, one_sentence, run, train, wrote

from common import output
from common.log import Log

pytestmark = pytest.mark.usefixtures("unoptimized")
PRINT = "import os; os.write(2, b'from C++'); "


@pytest.mark.parametrize(("package", "code", "says"), [
    ("numpy", "raise ModuleNotFoundError(name='numpy')", "The recipes need tensorflow, numpy and matplotlib"),
    ("tensorflow", "raise ModuleNotFoundError('No such module')", "TensorFlow does not load (No such module)"),
    ("tensorflow", f"{PRINT}__version__ = '2.9.3'", "TensorFlow 2.9.3 is older than 2.12"),
    ("tensorflow", f"{PRINT}raise ImportError('it is\\nbroken')", "from C++TensorFlow does not load (it is broken)"),
])
def test_a_missing_old_or_broken_package_is_named_with_the_command_that_installs_it(package, code, says, tmp_path):
    (tmp_path / f"{package}.py").write_text(code, encoding="ascii")
    script = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert (script.returncode, script.stdout) == (1, "")
    assert one_sentence(script.stderr)
    assert script.stderr.startswith(says)
    assert "python -m pip install" in script.stderr


@pytest.mark.parametrize(("owner", "name", "kept"), [
    (output, "versions", FILES[:1]), (output.json, "dumps", FILES[:1]), (Log, "write", [])])
def test_a_defect_of_our_own_shows_after_what_was_written(owner, name, kept, tmp_path, monkeypatch, capsys):
    class Defect(Exception):
        pass

    monkeypatch.setattr(owner, name, Mock(side_effect=Defect))
    with pytest.raises(Defect):
        train(tmp_path)
    assert wrote(capsys.readouterr().out) == names(tmp_path) == kept


def test_a_mistake_at_the_end_of_a_script_shows_after_all_files(tmp_path, capsys):
    main = edited(tmp_path, ("\n\nmain", "\n    print(1 / 0)\n\n\nmain"))
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, main=main)
    printed, errors = capsys.readouterr()
    assert errors == "mine.py: ZeroDivisionError after step 100.\n"
    assert "In theory" not in printed
    assert wrote(printed) == ["mine.csv", "mine.json"]
    assert json.loads((tmp_path / "mine.json").read_text("ascii"))["result"]["ended_early"] == errors[9:-2]


@pytest.mark.parametrize(("rate", "finite"), [(1e38, 0), (5, 18), (1.03, 100)])
def test_a_run_that_diverges_goes_on_and_is_told_where_it_diverged(rate, finite, tmp_path, capsys):
    log = train(tmp_path, "--learning-rate", rate)
    printed, errors = capsys.readouterr()
    assert (len(log), log.status, printed.count("Step"), "In theory" in printed) == (100, 1, 4, False)
    assert np.isfinite(log.rows).all(axis=1).tolist() == [True] * finite + [False] * (100 - finite)
    x, step = np.random.RandomState(605).normal(1, 0.1, 100), min(finite + 1, 100)
    limit = np.mean(x**2) / np.mean(x**4)  # where E[(1 - 2 rate x^2)^2] = 1
    far = f" is far from {10 * x.sum() / (x**2).sum():g}" if finite == 100 else f", loss = {log.loss[step - 1]:.8g}"
    assert errors == (
        f"regression.py: the run diverged by step {step} (A = {log.A[step]:.8g}{far}): try a smaller learning rate "
        f"(gradient descent on these samples is stable below {limit:.3g}).\n")
    result = json.loads((tmp_path / "regression.json").read_text("ascii"), parse_constant=pytest.fail)["result"]
    assert (result["ended_early"], str(result["loss"])) == (errors[15:-2], str(log.loss[-1]))


def test_the_classification_cannot_diverge_since_its_gradient_stays_within_1(tmp_path):
    log = train(tmp_path, "--learning-rate", 10, "--steps", 200, main=classification.main)
    assert log.status == 0
    assert np.max(np.abs(np.diff(log.A))) <= 10.001


def test_the_log_takes_at_most_60_bytes_a_step():
    rows, log = np.random.default_rng(1).normal(size=(8, 4096, 4)).astype(np.float32), Log()
    log.start = np.float32(0)
    tracemalloc.start()
    try:
        for block in rows:
            log.append(block.T)
        with open(os.devnull, "w", encoding="utf-8", newline="") as file:
            log.write(file)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(log) == 8 * 4096
    assert most < 60 * len(log)
