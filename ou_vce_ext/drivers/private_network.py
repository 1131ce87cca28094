"""Deciding whether a program that asks for no password runs in a network of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from ..launch import Launcher, PrivateNetwork
from ..models import ServiceError, Site
from ..sentences import say
from ..services.other_people import other_people
from .base import Option

Wish: TypeAlias = bool | Literal["auto"]

HOST_ADDRESS: Final = "10.0.2.2"
"""Where a program in such a network finds what listens on the machine's own 127.0.0.1."""
_OWN_ADDRESS: Final = "10.0.2.100"
_DNS_ADDRESS: Final = "10.0.2.3"
_RESOLV_CONF: Final = Path("/etc/resolv.conf")


def _check_private(value: object) -> str | None:
    return None if value in (True, False, "auto") else say('must be true, false or "auto"')


PRIVATE: Final = Option(
    (bool, str),
    say('whether other users of the machine are kept out of its port; "auto": where there are any'),
    check=_check_private,
)


class Privacy(NamedTuple):
    """What was decided for one run; ``notice`` tells a person that others can reach it, and why."""

    private: bool = False
    way_out: tuple[str, ...] = ()
    notice: ServiceError | None = None

    def network(self, site: Site, port: int, name: str = "private") -> PrivateNetwork | None:
        """The network to launch it in, or None for the machine's. Writes a file; raises OSError."""
        if not self.private:
            return None
        return PrivateNetwork(
            socket=socket_of(site, name),
            port=port,
            log=site.private_dir / f"{name}-network.log",
            way_out=self.way_out,
            resolv_conf=_resolv_conf_for(site.private_dir) if self.way_out else None,
        )

    def without_way_out(self) -> Privacy:
        """The same for a program that has nothing to ask of the world."""
        return Privacy(self.private)


OPEN: Final = Privacy()
"""In the machine's own network, as everywhere where nobody else is."""


def socket_of(site: Site, name: str = "private") -> Path:
    """The unix socket through which a program in a network of its own is reached."""
    return site.runtime_dir / f"{name}.sock"


async def decide_privacy(wish: Wish, title: str, launcher: Launcher) -> Privacy:
    """What to do for a service declared with ``private = wish``. Takes milliseconds.

    "auto" is never without a way out; true is, where there is none. Where the system forbids it,
    the service is run all the same, and who can reach it is told.
    """
    if wish is False:
        return OPEN
    others = await asyncio.to_thread(other_people)
    if wish == "auto" and others is None:
        return OPEN
    tried = False
    for command in ways_out():
        found = await launcher.can_make_network(command)
        if found == "yes":
            return Privacy(True, command)
        if found == "no-namespace":
            return Privacy(notice=_forbidden(title, others))
        tried = True
    if await launcher.can_make_network() == "no-namespace":
        return Privacy(notice=_forbidden(title, others))
    return Privacy(True) if wish is True else Privacy(notice=_no_way_out(title, others, tried))


def ways_out() -> Iterator[tuple[str, ...]]:
    """Commands of the user-mode networks that are installed, the best first."""
    slirp = shutil.which("slirp4netns")
    if slirp:
        yield (slirp, "--configure", "--mtu=65520", "{pid}", "tap0")
    pasta = shutil.which("pasta")
    # Root's pasta gives up the powers it would need to enter.
    if pasta and os.geteuid() != 0:
        yield (
            *(pasta, "--foreground", "--quiet", "--config-net", "--ns-ifname", "tap0"),
            *("--address", _OWN_ADDRESS, "--netmask", "24", "--gateway", HOST_ADDRESS),
            # By itself it would show the machine what listens inside.
            *("-t", "none", "-u", "none", "-T", "none", "-U", "none"),
            *("--dns-forward", _DNS_ADDRESS, "{pid}"),
        )


def _forbidden(title: str, others: str | None) -> ServiceError:
    return ServiceError(
        "reachable-by-others",
        say(
            "{title} asks for no password, and other users of this machine can reach "
            "it{who}: this system does not let it have a network of its own.",
            title=title,
            who=_told(others),
        ),
        say(
            "Whoever runs this machine can allow unprivileged user namespaces; then start it again."
        ),
    )


def _no_way_out(title: str, others: str | None, tried: bool) -> ServiceError:
    lacking = (
        say("what is installed for that does not work here")
        if tried
        else say("slirp4netns is missing")
    )
    return ServiceError(
        "reachable-by-others",
        say(
            "{title} asks for no password, and other users of this machine can reach "
            "it{who}: in a network of its own it would have no way out to the internet "
            "({lacking}).",
            title=title,
            who=_told(others),
            lacking=lacking,
        ),
        say(
            "Install slirp4netns (`apt-get install slirp4netns`) and see that /dev/net/tun "
            "can be used, then start it again; or declare `private = true`, which keeps "
            "others out and does without the internet."
        ),
    )


def _told(others: str | None) -> str:
    return say(" ({others})", others=others) if others else ""


def _resolv_conf_for(folder: Path) -> Path | None:
    """A file to stand in for the machine's, where that names a resolver on 127.0.0.0/8.

    Inside, nobody answers there; the way out does, at an address of its own.
    """
    try:
        rows = [row.split() for row in _RESOLV_CONF.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return None
    named = [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"]
    if not any(map(_is_loopback, named)):
        return None
    kept = [" ".join(row) for row in rows if row and row[0] != "nameserver"]
    file = folder / "resolv.conf"
    file.write_text("\n".join([*kept, f"nameserver {_DNS_ADDRESS}", ""]), "utf-8")
    return file


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
