"""Who may use an app, and what is said where it cannot answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_server._tz import utcnow

from ..errors import UnknownError, VceError
from ..models import Capability
from ..models_upstream import Upstream, Viewer
from ..routes import errors
from ..routes.base import Action, VCEHandler
from ..routes.branding import look_of
from ..sentences import say
from ..states import ServiceState
from . import starting, viewer
from .addresses import Addresses
from .headers import Credentials

if TYPE_CHECKING:
    from ..services.lifecycle import Lifecycle

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_SECONDS: Final = 3
"""When a program that was told 503 should ask again."""


class AppDoor(VCEHandler):
    """What HTTP and WebSockets to an app have in common: finding it, and keeping others out.

    After :meth:`prepare`, ``lifecycle`` is the service, ``upstream`` where it answers (None while
    it does not), and ``addresses`` and ``credentials`` tell how to speak to it. Where our own page
    stands in for the app's, that is in ``viewer``: it can be loaded before the app answers.
    """

    is_page = True

    lifecycle: Lifecycle
    upstream: Upstream | None
    viewer: Viewer | None = None
    addresses: Addresses
    credentials: Credentials
    _ours = False
    _nonce = ""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Raise the refusal, or return with the app found; nothing of a body is read before."""
        await super().prepare()
        if self._finished:
            return
        self._find()
        self.count_activity()

    def action_for(self, method: str) -> Action | None:
        """Using an app is ``execute``, whatever the method: only the app knows what it does."""
        return "execute"

    def count_activity(self) -> None:
        """Tell Jupyter that somebody is at work, unless the app's declaration knows better."""
        upstream = self.upstream
        counts = upstream.manners.counts if upstream else None
        if counts is None or counts(self, self.addresses.below(self.request.path)):
            self.settings["last_activity_times"]["ou_vce_ext"] = utcnow()

    # -- other websites --------------------------------------------------------------------------

    def check_xsrf_cookie(self) -> None:
        """Do nothing: no app knows Jupyter's token. :meth:`check_cross_site` stands in for it."""

    def check_cross_site(self) -> None:
        """Refuse another website's scripts and forms. A token is never sent by itself, so it may.

        A browser tells where a request comes from in ``Sec-Fetch-Site``, an older one in
        ``Origin``. What changes something must come from here by either; for the rest it is enough
        that nothing says otherwise, and a link from elsewhere may be followed.
        """
        if self.token_authenticated:
            return
        headers = self.request.headers
        site = headers.get("Sec-Fetch-Site")
        if site == "same-origin":
            return
        elsewhere = site in ("same-site", "cross-site")
        if self.request.method not in _SAFE:
            allowed = not elsewhere and self._origin_is_ours()
        elif elsewhere and headers.get("Sec-Fetch-Mode") != "navigate":
            # Only an origin that Jupyter was told to trust; one that claims to be ours is lying.
            allowed = "Origin" in headers and self.check_origin() and not self._origin_is_ours()
        else:
            allowed = self.check_origin()
        if not allowed:
            raise _cross_site()

    def _origin_is_ours(self) -> bool:
        return self._names_us("Origin")

    def _names_us(self, header: str) -> bool:
        """Whether the address in a header is at the host that was asked."""
        try:
            named = urlsplit(self.request.headers.get(header, "").lower()).netloc
        except ValueError:
            return False  # no address at all
        return bool(named) and named == self.request.host.lower()

    def set_cors_headers(self) -> None:
        """Do nothing: which other sites may read an app's answers is the app's to say."""

    # -- the app ---------------------------------------------------------------------------------

    def _find(self) -> None:
        uri = self.request.uri or ""
        start = len(self.base_url) + len("vce/app/")
        name = uri[start:].partition("?")[0].partition("/")[0]
        self.lifecycle = self.registry.get(self.service_name(name))
        if Capability.OPEN not in self.lifecycle.driver.capabilities:
            raise UnknownError(
                "unknown-service",
                say(
                    "{title} has no page of its own. Nothing was done.",
                    title=self.lifecycle.spec.title,
                ),
                say("Its details in the panel tell how to connect to it."),
            )
        self.upstream = self.lifecycle.upstream()
        to_come = self.upstream or self.lifecycle.driver.upstream()
        self.viewer = to_come.manners.viewer if to_come else None
        if to_come is not None and (self.upstream or self.viewer):
            self.addresses = Addresses(uri[: start + len(name)], self.request.host, to_come)
            self.credentials = self._credentials()

    def _credentials(self) -> Credentials:
        provider = self.identity_provider
        xsrf = self.settings.get("xsrf_cookie_name", "_xsrf")
        return Credentials(
            cookies=frozenset({provider.get_cookie_name(self), xsrf, "_xsrf"}),
            token=str(getattr(provider, "token", "") or ""),
            xsrf=self.get_cookie(xsrf, "") if "X-CSRFToken" in self.request.headers else "",
            by_token=self.token_authenticated,
        )

    @property
    def forwarded_host(self) -> str:
        """What the browser calls us, as far as it is known."""
        told = self.request.headers.get("X-Forwarded-Host")
        if told and getattr(self.settings.get("serverapp"), "trust_xheaders", False):
            return told
        return self.request.host

    def waits_for_start(self) -> bool:
        """Whether a browser has come while the app is being started, and may see it happen."""
        return self.lifecycle.state is ServiceState.STARTING and self._wants_page()

    # -- answers of our own ----------------------------------------------------------------------

    def set_default_headers(self) -> None:
        """None of ours on an app's answer; on our own, as everywhere."""
        if self._ours:
            super().set_default_headers()

    def present(self, content_type: str, *, policy: str, keep: bool = False) -> None:
        """Put our own headers on what follows; with ``keep`` a browser need not ask again."""
        self._ours = True
        self.clear()
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Security-Policy", policy)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header(
            "Cache-Control", "private, max-age=31536000, immutable" if keep else "no-cache"
        )

    @property
    def content_security_policy(self) -> str:
        """As everywhere; the starting page may run its own script and ask this server."""
        told = super().content_security_policy
        return starting.policy(told, self._nonce) if self._nonce else told

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """As tornado does, under our own headers."""
        self._ours = True
        super().send_error(status_code, **kwargs)

    def not_ready(self, *, refused: bool = False) -> None:
        """Answer 503: to a browser with a page that starts the app, to a program in JSON.

        ``refused`` says that the app should answer, and its port or socket did not.
        """
        lifecycle = self.lifecycle
        self._ours = True
        if self._wants_page():
            self._nonce = starting.new_nonce()
            self.clear()
            page = starting.page(
                lifecycle,
                api=f"{self.base_url}vce/api/",
                home=self.base_url,
                xsrf=self.xsrf_token.decode(),
                nonce=self._nonce,
                may_start=self._came_from_here(),
                refused=refused,
                look=look_of(self.settings),
                language=self.language,
                ahead=viewer.parts() if self.viewer else (),
            )
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self._retry_later()
            self.tell_language()
            self.finish(page)
            return
        self.clear()
        self._retry_later()
        words = starting.told(lifecycle, refused=refused)
        self.answer({"code": words.code, "message": words.message, "hint": words.hint}, status=503)

    def _retry_later(self) -> None:
        self.set_status(503)
        self.set_header("Retry-After", RETRY_SECONDS)
        self.set_header("Vary", "Accept, Sec-Fetch-Mode")

    def _wants_page(self) -> bool:
        mode = self.request.headers.get("Sec-Fetch-Mode", "navigate")
        return mode == "navigate" and super()._wants_page()

    def _came_from_here(self) -> bool:
        """Whether the person opened this page from Jupyter, or typed its address."""
        site = self.request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site in ("same-origin", "none")
        # A browser that does not say (old, or over plain HTTP): a link from here names us.
        return self._names_us("Referer")

    def broken(self, error: BaseException) -> VceError:
        """Give the words for an app that broke off or kept silent; the log keeps the cause."""
        title = self.lifecycle.spec.title
        self.log.warning("%s did not answer: %s", self.lifecycle.spec.name, error)
        return VceError(
            "app-not-answering",
            say(
                "{title} broke off before it answered. It may not have done what you asked.",
                title=title,
            ),
            say(
                "Try again. If it keeps happening, look at its log in the panel, or restart it "
                "there."
            ),
        )

    def _log(self) -> None:
        """Say nothing: there are many requests, and what an app does with them is in its own log.

        What was refused at the door, or failed, is told by ``log_exception`` and :meth:`broken`.
        """


def _cross_site() -> errors.RefusedError:
    return errors.RefusedError(
        "xsrf",
        say("This request could not be told from one made by another website. Nothing was done."),
        say(
            "Open the app from JupyterLab and try again there. A program sends the "
            "server's token in an Authorization header."
        ),
    )
