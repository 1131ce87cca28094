"""What is known to be private on this server, gathered so that a report can leave it out."""

from __future__ import annotations

import os
import pwd
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir

from ..models import ServiceSpec, Site
from ..services.other_people import accounts, is_ordinary
from ..services.redaction import Private
from ..services.redaction_addresses import is_loopback

if TYPE_CHECKING:
    from .base import VCEHandler

_SECRET_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|API_?KEY|(?:^|_)KEY$", re.IGNORECASE
)
_SHORTEST: Final = 6
"""Characters. What is shorter in a variable is a switch, not a secret."""
_COMMON_HOSTS: Final = frozenset(
    {"localhost", "localdomain", "jupyter", "jupyterhub", "jupyterlab", "notebook", "vce"}
    | {"docker", "debian", "ubuntu", "web", "server", "host"}
)
"""Names many machines have. To take them out would hide words, and nobody."""
_SYSTEM: Final = ("/usr", "/opt", "/bin", "/sbin", "/lib", "/etc", "/snap", "/nix", "/proc", "/dev")


def private_facts(handler: VCEHandler) -> Private:
    """Everything known to be private, for one request. Reads small files; no name is looked up."""
    settings, registry = handler.settings, handler.registry
    items = [registry.get(name) for name in registry.names()]
    specs = [item.spec for item in items]
    sites = [item.driver.site for item in items]
    services = {word.lower() for spec in specs for word in (spec.name, spec.kind, spec.title)}
    return Private(
        secrets=frozenset(_written(_secrets(handler, specs, sites))),
        people=frozenset(name for name in _people(handler) if name.strip()),
        hosts=frozenset(
            host
            for host in _hosts(handler, specs)
            if host.lower() not in _COMMON_HOSTS | services and not is_loopback(host)
        ),
        folders=_folders(Path(settings["serverapp"].root_dir), specs, sites),
    )


def _written(secrets: Iterator[object]) -> Iterator[str]:
    """Each secret as it may stand in a log, which is read line by line."""
    for secret in secrets:
        if isinstance(secret, bytes):
            yield secret.hex()
        elif isinstance(secret, str):
            yield from (line.strip() for line in secret.splitlines() if line.strip())


def _secrets(handler: VCEHandler, specs: list[ServiceSpec], sites: list[Site]) -> Iterator[object]:
    provider = handler.identity_provider
    yield getattr(provider, "token", None)
    yield getattr(provider, "hashed_password", None)
    yield handler.settings.get("cookie_secret")
    for name, morsel in handler.request.cookies.items():
        if len(morsel.value) >= _SHORTEST and not morsel.value.isdecimal():
            yield morsel.value
        yield name if "username-" in name else None
    for site in sites:
        yield site.secret
    for spec in specs:
        yield from _named_secrets(spec.options)
        yield from _named_secrets(spec.env)
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST and not value.startswith("/"):
            yield value
        elif "://" in value:
            yield _password_in(value)


def _named_secrets(declared: Mapping[str, Any]) -> Iterator[object]:
    """The secrets among what is declared, roles' and addresses' included."""
    for name, value in declared.items():
        if isinstance(value, Mapping):
            yield from _named_secrets(value)
        elif isinstance(value, list | tuple):
            for item in value:
                yield from _named_secrets(item if isinstance(item, Mapping) else {})
        elif not isinstance(value, str) or name == "password_file":
            continue
        elif _SECRET_NAME.search(name):
            yield value
        elif "://" in value:
            yield _password_in(value)


def _password_in(address: str) -> str | None:
    try:
        password = urlsplit(address).password
    except ValueError:
        return None
    return unquote(password) if password else None


def _people(handler: VCEHandler) -> Iterator[str]:
    """Who uses this machine, and who asks: account names and people's own."""
    for account in accounts():
        if is_ordinary(account.uid):
            yield account.name
    try:
        own = pwd.getpwuid(os.getuid())
    except KeyError:
        own = None
    if own is not None:
        yield own.pw_name
        if own.pw_uid != 0:
            full = own.pw_gecos.partition(",")[0]
            yield full
            yield from (part for part in full.split() if len(part) > 2)
    for name in ("USER", "LOGNAME", "USERNAME", "JUPYTERHUB_USER", "NB_USER", "SUDO_USER"):
        yield os.environ.get(name, "")
    user = handler.current_user
    display = str(getattr(user, "display_name", "") or "")
    # Whoever came with the token alone is given a name of the moment.
    if user and not display.startswith("Anonymous"):
        yield str(getattr(user, "username", "") or "")
        yield str(getattr(user, "name", "") or "")
        yield display


def _hosts(handler: VCEHandler, specs: list[ServiceSpec]) -> Iterator[str]:
    """What this machine is called, by itself and by whoever asks, and the servers it is told of."""
    own = {socket.gethostname(), os.uname().nodename, os.environ.get("HOSTNAME", "")}
    for name in (*own, _without_port(handler.request.host)):
        if name:
            yield name
            yield name.partition(".")[0] if not is_loopback(name) else name
    for name in ("JUPYTERHUB_HOST", "JUPYTERHUB_API_URL", "JUPYTERHUB_PUBLIC_URL"):
        if host := urlsplit(os.environ.get(name, "")).hostname:
            yield host
    for spec in specs:
        declared = spec.options.get("host")
        if isinstance(declared, str) and declared and not declared.startswith("/"):
            yield declared


def _without_port(host: str) -> str:
    return re.sub(r":\d+$", "", host).strip("[]")


def _folders(root: Path, specs: list[ServiceSpec], sites: list[Site]) -> dict[str, str]:
    """What folders of this server are called in a report. A person's own names are below some."""
    named: dict[str, str] = {}

    def call(path: str | Path, instead: str) -> None:
        for form in {str(path), os.path.realpath(path)}:
            if len(form) > 1 and form not in _SYSTEM:
                named.setdefault(form, instead)

    for site in sites:
        call(site.private_dir.parent, "<private>")
        call(site.runtime_dir.parent, "<runtime>")
        if not site.data_dir.is_relative_to(site.private_dir):
            call(site.data_dir, f"<data of {site.name}>")
    for spec in specs:
        declared: list[object] = [*spec.command, spec.cwd, spec.icon, *spec.options.values()]
        if os.path.isabs(spec.source):
            call(Path(spec.source).parent, "<declarations>")
        for value in declared:
            if isinstance(value, str) and value.startswith("/") and not value.startswith(_SYSTEM):
                call(value, "<path>")
    if not sys.prefix.startswith(_SYSTEM):
        call(sys.prefix, "<python>")
    call(jupyter_config_dir(), "<config>")
    call(jupyter_data_dir(), "<jupyter data>")
    call(root, "<files>")
    call(Path.home(), "~")
    call(os.environ.get("HOME") or Path.home(), "~")
    for account in accounts():
        if is_ordinary(account.uid):
            call(account.home, "~")
    return named
