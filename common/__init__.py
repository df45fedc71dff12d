"""The rooms both recipes share: each module does one thing and knows neither recipe."""

try:
    import numpy  # noqa: F401
except ModuleNotFoundError:
    # Without numpy there is no TensorFlow either, and the recipes' first lines would end in a traceback.
    raise SystemExit(
        "The recipes need tensorflow, numpy and matplotlib: "
        "install them with `python -m pip install 'tensorflow>=2.12' numpy matplotlib`."
    ) from None
except KeyboardInterrupt:  # nothing has begun
    raise SystemExit(130) from None
