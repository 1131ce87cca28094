"""Folders of files: what web apps and desktop programs keep in their declared ``data_dir``."""
