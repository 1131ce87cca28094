"""Projects as OpenRefine writes them, made without it: for tests that need files alone."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WRITTEN_BY = "3.6.2"


@dataclass(frozen=True)
class Made:
    """A project to be written. ``cells`` are texts; None is an empty cell."""

    id: str = "1700000000001"
    name: str = "Café"
    columns: Sequence[str] = ("name", "town")
    cells: Sequence[Sequence[str | None]] = (("Zoë", "Łódź"), (None, "Århus"))
    past: Sequence[int] = (11, 12)
    future: Sequence[int] = (13,)
    tags: Sequence[str] = ("a", "b")

    def data(self, rows: int | None = None) -> bytes:
        """Its ``data.zip``, which promises ``rows`` rows."""
        lines = [WRITTEN_BY, "columnModel=", f"maxCellIndex={len(self.columns) - 1}"]
        lines += ["keyColumnIndex=0", f"columnCount={len(self.columns)}"]
        lines += [
            json.dumps({"cellIndex": at, "originalName": name, "name": name}, ensure_ascii=False)
            for at, name in enumerate(self.columns)
        ]
        lines += ["columnGroupCount=0", "/e/", "history="]
        for field, steps in (("past", self.past), ("future", self.future)):
            lines.append(f"{field}EntryCount={len(steps)}")
            lines += [json.dumps({"id": step, "description": "Edit"}) for step in steps]
        lines += ["/e/", f"rowCount={len(self.cells) if rows is None else rows}"]
        for at, row in enumerate(self.cells):
            cells = [None if text is None else {"v": text} for text in row]
            marks = {"starred": at == 0, "flagged": at == 1}
            lines.append(json.dumps({**marks, "cells": cells}, ensure_ascii=False))
        return packed({"data.txt": "\n".join(lines) + "\n", "pool.txt": "3.6.2\nreconCount=0\n"})

    def metadata(self) -> bytes:
        """Its ``metadata.json``."""
        told = {
            "created": "2026-11-20T10:00:00Z",
            "modified": "2026-11-20T11:00:00Z",
            "name": self.name,
            "tags": list(self.tags),
        }
        return json.dumps(told, ensure_ascii=False).encode()

    def files(self) -> dict[str, bytes]:
        """All its files, by their names in its folder or archive."""
        change = packed({"change.txt": "3.6.2\nSomeChange\n/ec/\n", "pool.txt": "3.6.2\n"})
        steps = {f"history/{step}.change.zip": change for step in (*self.past, *self.future)}
        return {"metadata.json": self.metadata(), "data.zip": self.data(), **steps}

    def write(self, workspace: Path) -> Path:
        """Put it into a workspace; gives its folder."""
        folder = workspace / f"{self.id}.project"
        for name, content in self.files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def archive(self) -> bytes:
        """It as OpenRefine's own export packs it."""
        return tar(self.files(), "gz")


def packed(texts: dict[str, str]) -> bytes:
    """A small zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            info = zipfile.ZipInfo(name, (2026, 11, 20, 10, 0, 0))
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def tar(files: dict[str, bytes], kind: str = "") -> bytes:
    """A tar of ``files``; ``kind`` is how it is packed."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz" if kind == "gz" else "w:") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return whole.getvalue()
