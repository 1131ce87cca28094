"""As whom a mongod runs, which unlike PostgreSQL does not refuse root."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import VceError
from ...launch import Identity
from ...sentences import say
from ..identity import Account, barrier, may, owner_of


def decide_account(folder: Path, program: Path) -> Account:
    """Whose files the databases in ``folder`` are to be, and so as whom ``program`` runs.

    Everybody runs it as themselves, root too. But where the folder lies in another user's home,
    root runs it as that user: else its files would be root's, and the user locked out of them.
    Raises VceError (``data-wrong-owner``) where that cannot be.
    """
    us = Account(os.geteuid(), os.getegid())
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    owner = owner_of(nearest)
    if us.uid != 0 or owner is None or owner.uid == 0:
        return us
    closed = barrier(owner, folder) or barrier(owner, program)
    if closed or not may(owner, program, os.R_OK | os.X_OK):
        raise VceError(
            "data-wrong-owner",
            say(
                "{folder} belongs to {owner}, as whom MongoDB would have to run, and {closed} "
                "is closed to them. The databases have not been touched.",
                folder=folder,
                owner=owner.name,
                closed=closed,
            ),
            say(
                "Run Jupyter as {owner}, or declare a `data_dir` of root's for this service.",
                owner=owner.name,
            ),
        )
    return owner


def identity_of(account: Account) -> Identity:
    """How a keeper becomes ``account``."""
    return Identity() if account.uid == os.geteuid() else account.identity()
