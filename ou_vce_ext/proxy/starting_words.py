"""What the starting page says of one service."""

from __future__ import annotations

from collections.abc import Mapping

from ..sentences import say
from ..states import ServiceState


def heading(title: str, state: ServiceState, *, refused: bool) -> str:
    """What the page begins with, before its script knows more."""
    said = words(title)
    match state:
        case ServiceState.UNAVAILABLE:
            return said["unavailable"]
        case ServiceState.FAILED:
            return said["failed"]
        case _ if refused:
            return said["silent"]
        case ServiceState.STARTING | ServiceState.BACKOFF:
            return said["starting"]
        case ServiceState.STOPPING:
            return said["stopping"]
        case _:
            return said["stopped"]


def words(title: str) -> Mapping[str, str]:
    """What its script says, by the names the script has for it."""
    return {
        "starting": say("{title} is starting", title=title),
        "stopping": say("{title} is stopping", title=title),
        "stopped": say("{title} is not running", title=title),
        "failed": say("{title} could not start", title=title),
        "unavailable": say("{title} cannot run here yet", title=title),
        "silent": say("{title} does not answer just now", title=title),
        "wait": say("This page opens {title} as soon as it is ready.", title=title),
        "again": say("This page tries again by itself."),
        "press": say(
            "Press the button to start it. This page opens {title} as soon as it is ready.",
            title=title,
        ),
        "ready": say("{title} is ready. Opening it …", title=title),
        "start": say("Start {title}", title=title),
        "retry": say("Try again"),
        "elapsed": say("{seconds} s so far", seconds="{}"),
        "lost": say("The Jupyter server does not answer. This page goes on trying."),
        "loggedOut": say(
            "You have been logged out, or may not start this. Reload the page to log in again."
        ),
        "notStarted": say("It was not started."),
    }
