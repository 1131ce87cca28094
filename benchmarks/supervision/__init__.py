"""Supervision, side by side with jupyter-server-proxy and supervisord."""
