"""Signals as a terminal gives them, wherever tests are run from."""

from __future__ import annotations

import signal


def mind_signals() -> None:
    """Have what we start mind SIGINT and SIGHUP again.

    A shell that runs us in the background has us ignore the one, nohup the other, and every
    program that we start would inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # A handler is not inherited, and this one lets us go on as we were told to.
        signal.signal(signal.SIGHUP, lambda *_: None)
