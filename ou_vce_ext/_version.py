"""The one place that holds the version; labextension/package.json must say the same."""

__version__ = "0.1.0"
