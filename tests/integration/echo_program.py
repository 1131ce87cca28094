"""The proxy tests' echo app as a program: ``python -m tests.integration.echo_program PORT``."""

import sys

from aiohttp import web

from tests.api.proxy.apps import echo_app

if __name__ == "__main__":
    web.run_app(echo_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
