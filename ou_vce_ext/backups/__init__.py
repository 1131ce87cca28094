"""Backups that are proven, restores and resets that can be undone."""
