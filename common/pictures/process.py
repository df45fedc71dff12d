"""What the process that draws does: it loads matplotlib, then draws each picture that it is sent."""

import importlib
import pickle
import sys
import warnings
from types import SimpleNamespace

warnings.simplefilter("ignore")
sys.stdout, answer = sys.stderr, sys.stdout.buffer  # what else is printed must not get between the pictures
try:
    from common.pictures import style

    style.png(style.new_figure(100, 100), {})  # loads what matplotlib itself loads only when it draws
    broken = None
except Exception as error:
    broken = f"{type(error).__name__}: {error}"
while True:
    try:
        module, about, numbers = pickle.load(sys.stdin.buffer)
    except EOFError:  # the script is done
        break
    try:
        drawn = broken or importlib.import_module(f"common.pictures.{module}").draw(SimpleNamespace(**numbers), about)
    except Exception as error:
        drawn = f"{type(error).__name__}: {error}"
    pickle.dump(drawn, answer)
    answer.flush()
