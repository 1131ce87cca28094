"""What every test of the server side stands on."""

from __future__ import annotations

import pytest
from traitlets.config import Config


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server with the extension on."""
    return Config({"ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}}})
