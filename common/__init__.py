"""What the two recipes share. The files here are what every run needs; the folders hold what goes beyond the page."""

try:
    import numpy  # noqa: F401
except ModuleNotFoundError:  # without which the recipes' first lines would end in a traceback
    raise SystemExit(
        "The recipes need tensorflow, numpy and matplotlib: "
        "`python -m pip install 'tensorflow>=2.12' numpy matplotlib` installs them.") from None
except KeyboardInterrupt:  # nothing has begun
    raise SystemExit(130) from None
