"""How the proxy finds an app that runs, and what it does for it beyond passing on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Viewer(NamedTuple):
    """What our own page for a screen has to know: it is the app's page, where it has none.

    With ``fits`` it may change the screen's size to its own. ``scale`` is how many pixels make one
    of a usual screen. ``inputs`` are first bytes of messages that tell of a person at work.
    """

    title: str
    fits: bool = True
    scale: int = 1
    inputs: frozenset[bytes] = frozenset()


class Manners(NamedTuple):
    """What the proxy does for an app beyond passing on, where its declaration asks for it.

    ``mappath`` gives the path to ask for instead of one below the app's address. ``rewrites``
    change an answer: each is called with what it may look at, by name (``response request
    orig_response host port path``). With ``raw_socket`` the app speaks no HTTP: the messages of a
    WebSocket are its bytes. ``counts`` says of a request handler and a path whether they tell of a
    person at work; None: every request does. ``start_page`` is where the app's address leads.
    With a ``viewer`` our own page stands at the app's address.
    """

    mappath: Callable[[str], str] | None = None
    rewrites: tuple[Callable[[Mapping[str, object]], object], ...] = ()
    raw_socket: bool = False
    counts: Callable[[object, str], bool] | None = None
    start_page: str = ""
    viewer: Viewer | None = None


class Upstream(NamedTuple):
    """Where the proxy finds a running app: a TCP port or a unix socket.

    ``host_header`` is the Host the app expects. ``absolute_url`` keeps our prefix in the path;
    ``request_headers`` override what the browser sent.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    socket: str | None = None
    host_header: str = ""
    absolute_url: bool = False
    request_headers: Mapping[str, str] = MappingProxyType({})
    manners: Manners = Manners()

    @property
    def origin(self) -> str:
        """The origin the app believes it is served from, such as ``http://127.0.0.1:3333``."""
        return f"http://{self.host_header or f'{self.host}:{self.port}'}"
