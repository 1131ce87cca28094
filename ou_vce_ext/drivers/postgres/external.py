"""A PostgreSQL server that others run: only its health is ours to look at."""

from __future__ import annotations

from ...errors import DefiniteError
from ...sentences import say
from .reach import Reach
from .session import Address, LoginRefusedError, Session


async def probe_external(session: Session, reach: Reach) -> str:
    """Ask it as the declared user; gives its release, such as ``16.2``.

    Raises DefiniteError: ``external-down`` with the reason, ``credentials-refused``.
    """
    declared = reach.declared
    where = {"host": reach.hosts[0], "port": declared.port}
    address = Address(
        reach.hosts[0], declared.port, declared.user, declared.databases[0], own=False
    )
    passwords = [reach.password() or ""]
    try:
        if await session.answers(address, passwords):
            # The one that was just asked: nothing is connected anew.
            connection = await session.connect(address, passwords)
            told = connection.info.parameter_status("server_version") or ""
            return told.partition(" ")[0]
    except LoginRefusedError as refusal:
        raise DefiniteError(
            "credentials-refused",
            say(
                "The PostgreSQL server at {host}, port {port}, does not let {user} in: {reason}.",
                user=declared.user,
                reason=refusal.message,
                **where,
            ),
            say("Correct `user`, `password` and `databases` in this service's declaration."),
        ) from refusal
    raise DefiniteError(
        "external-down",
        say(
            "The PostgreSQL server at {host}, port {port}, does not answer ({reason}). It is run "
            "outside JupyterLab.",
            reason=session.trouble,
            **where,
        )
        if session.trouble
        else say(
            "The PostgreSQL server at {host}, port {port}, does not answer. It is run outside "
            "JupyterLab.",
            **where,
        ),
        say("Ask whoever looks after it. It is shown here as soon as it is back."),
    )
