"""A PostgreSQL server that others run: only its health is ours to look at."""

from __future__ import annotations

from ...errors import DefiniteError
from ...sentences import say
from .reach import Reach
from .session import Address, LoginRefusedError, Session


async def probe_external(session: Session, reach: Reach) -> bool:
    """Whether it answers the declared user.

    Raises DefiniteError: ``external-down`` with the reason, ``credentials-refused``.
    """
    declared = reach.declared
    where = f"The PostgreSQL server at {reach.hosts[0]}, port {declared.port},"
    address = Address(
        reach.hosts[0], declared.port, declared.user, declared.databases[0], own=False
    )
    try:
        if await session.answers(address, [reach.password() or ""]):
            return True
    except LoginRefusedError as refusal:
        raise DefiniteError(
            "credentials-refused",
            say(
                "{where} does not let {user} in: {message}.",
                where=where,
                user=declared.user,
                message=refusal.message,
            ),
            say("Correct `user`, `password` and `databases` in this service's declaration."),
        ) from refusal
    reason = f" ({session.trouble})" if session.trouble else ""
    raise DefiniteError(
        "external-down",
        say(
            "{where} does not answer{reason}. It is run outside JupyterLab.",
            where=where,
            reason=reason,
        ),
        say("Ask whoever looks after it. It is shown here as soon as it is back."),
    )
