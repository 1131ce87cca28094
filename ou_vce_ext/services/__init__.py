"""Supervision: keepers, readiness, lifecycles, operations. Knows nothing of HTTP."""
