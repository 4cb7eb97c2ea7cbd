"""Tells mlp how far a step is: progress, figures, warnings. There without being installed in every step that mlp runs;
anywhere else, where nobody listens, it does nothing. Needs nothing but Python 3.
"""

import json
import math
import os

_events = None


def _tell(event):
    global _events
    if "MLP_EVENTS" not in os.environ:
        return
    try:
        if _events is None:
            # Left open at exit: the descriptor belongs to the process, not to this module.
            _events = os.fdopen(int(os.environ["MLP_EVENTS"]), "w", buffering=1, closefd=False)
        _events.write(json.dumps(event) + "\n")
    except (OSError, ValueError):
        pass  # Nobody hears it: that is no reason to stop a step.


def progress(done, of=None, unit=None, **figures):
    """`done` units are done, `of` so many, with figures so far: `progress(3, of=10, unit="epochs", loss=0.25)`."""
    event = {"done": int(done)}
    if of is not None:
        event["of"] = int(of)
    if unit is not None:
        event["unit"] = str(unit)
    if figures:
        event["metrics"] = _numbers(figures)
    _tell(event)


def metrics(**figures):
    """Figures so far: `metrics(loss=0.25, accuracy=0.9)`. Numbers of numpy and of one element's tensors are numbers too."""
    _tell({"metrics": _numbers(figures)})


def warn(text):
    """A word to who builds."""
    _tell({"warning": str(text)})


def _numbers(figures):
    numbers = {name: float(value) for name, value in figures.items()}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
