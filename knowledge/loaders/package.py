"""Word and Excel files are ZIP archives: looked at before anything is unpacked."""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

from knowledge.loaders.blocks import Unreadable

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# Real documents shrink to a third or a twentieth; pictures do not shrink at all.
_MAX_UNPACKED, _MAX_XML, _MAX_RATIO, _SMALL = 400 << 20, 40 << 20, 200, 10 << 20


def check(path: Path, kind: str, main: str) -> None:
    """Raises Unreadable unless the file is an archive of `kind` with the part `main` that can be unpacked without harm."""
    with path.open("rb") as f:
        head = f.read(4)
        if head == _OLE:
            with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
                locked = data.find("EncryptedPackage".encode("utf-16-le")) >= 0
            raise Unreadable("document_locked") if locked else Unreadable("document_not_that", kind=kind)
    if head != _ZIP:
        raise Unreadable("document_not_that", kind=kind)
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as e:
        raise Unreadable("document_broken") from e
    if not any(p.filename == main for p in parts):
        raise Unreadable("document_not_that", kind=kind)
    if any(p.flag_bits & 1 for p in parts):
        raise Unreadable("document_locked")
    unpacked = sum(p.file_size for p in parts)
    xml = sum(p.file_size for p in parts if p.filename.endswith((".xml", ".rels")))
    dense = unpacked > _SMALL and unpacked > _MAX_RATIO * path.stat().st_size
    if unpacked > _MAX_UNPACKED or xml > _MAX_XML or dense:
        raise Unreadable("document_bomb")
