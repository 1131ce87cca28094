"""How Jupyter runs under test: as at a student's, with what Galata needs in the page.

Folders, port and token are given on the command line: see support/jupyter.ts.
"""

from typing import Any

from jupyterlab.galata import configure_jupyter_server

c: Any
configure_jupyter_server(c)

# Galata takes these protections away; a student has them, and our own parts must work with them.
c.ServerApp.disable_check_xsrf = False
