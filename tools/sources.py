"""What a path holds that can be imported: a file, a folder of files, files packed into a .zip, a text packed with gzip.

    found = expand(path)
    for member in found.members:
        with opened(member, shop.root) as file:
            reports = ingest.import_file(engine, table, file, fmt, …, name=member.name)

What is packed is unpacked one file at a time, beside the data and not into memory, and is gone afterwards. An archive is
refused as a whole when it could do harm: encrypted, names that lead out of it, archives inside, or a size that no table has.
"""

from __future__ import annotations

import errno
import gzip
import os
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

from tools.errors import NeedsPerson
from tools.gate import lock

TABLES = (".csv", ".txt", ".xlsx", ".parquet")
TEXTS = (".csv", ".txt")
PACKED = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar")
# What unpacking may come to. Files go to disk one by one, so the total may be larger than that of a spreadsheet, whose texts
# are held in memory; logs shrink to a tenth or a fiftieth, never to a two-hundredth.
MAX_UNPACKED, MAX_RATIO, SMALL = 64 << 30, 200, 50 << 20
_SPARE = 64 << 20  # bytes of the disk that unpacking leaves free
_CHUNK = 1 << 20
_PREFIX = ".import-"
_JUST_MADE = 10  # seconds
_LETTERS = re.compile(r"[\x20-\x7e\u2010-\u2027\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]*")


@dataclass(frozen=True)
class Member:
    """One file to import. `name` is what people are shown, with the folder or archive in front; `path` is the file, or the
    archive that holds it; `size` is its bytes on disk, packed ones as they are packed."""

    name: str
    path: Path
    size: int
    inside: zipfile.ZipInfo | None = None
    packed: bool = False


@dataclass(frozen=True)
class Found:
    """`members` in name order, numbers in names compared as numbers; `skipped`: names of files that are no tables."""

    members: tuple[Member, ...]
    skipped: tuple[str, ...] = ()


def expand(path: Path) -> Found:
    """What `path` holds. A single file is taken whatever it is called; in folders and archives only files called like tables
    (`TABLES`, in folders also .zip and .csv.gz), never hidden ones.

    NeedsPerson: nothing there, no right to it, nothing in it that can be imported, an archive that is refused.
    """
    try:
        if not path.exists():
            raise NeedsPerson("file_missing", path=str(path))
        found = _of_folder(path) if path.is_dir() else _of_file(path)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(e.filename or path)) from e
    if not found.members:
        skipped = "、".join(found.skipped[:10]) or "—"
        raise NeedsPerson("nothing_to_import", path=str(path), skipped=skipped, kinds=" ".join(TABLES))
    return found


@contextmanager
def opened(member: Member, root: Path) -> Iterator[Path]:
    """The member as a file of its own name; a packed one is unpacked into a folder under `root` while it is in use.

    NeedsPerson when it cannot be unpacked: broken, larger than it says, no room on the disk.
    """
    if not member.packed:
        yield member.path
        return
    with scratch(root) as folder:
        target = folder / _file_name(member)
        _unpack(member, target)
        yield target


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A folder beside the data for what a file becomes while it is imported. What a killed import left is cleaned up first."""
    _clean_up(root)
    with tempfile.TemporaryDirectory(dir=root, prefix=_PREFIX) as folder:
        held = os.open(folder, os.O_RDONLY)  # a folder that nobody holds was left behind
        try:
            lock(held, alone=True)
            yield Path(folder)
        finally:
            os.close(held)


# --- looking -----------------------------------------------------------------------------------------------------


def _of_folder(folder: Path) -> Found:
    members: list[Member] = []
    skipped: list[str] = []
    for path in sorted(_files(folder), key=lambda p: _order(str(p.relative_to(folder)))):
        inside = path.relative_to(folder)
        archive = path.suffix.lower() == ".zip" or _is_text_gz(path.name)
        if _is_hidden(str(inside)) or not (archive or path.suffix.lower() in TABLES):
            skipped.append(str(inside))
            continue
        found = _of_file(path)
        members += found.members
        skipped += found.skipped
    return Found(tuple(members), tuple(skipped))


def _files(folder: Path) -> Iterator[Path]:
    """Links to folders are not followed: they may lead in circles."""
    for at, _, names in os.walk(folder, onerror=_raise):
        yield from (p for p in (Path(at) / n for n in names) if p.is_file())


def _raise(error: OSError) -> None:
    raise error


def _of_file(path: Path) -> Found:
    size = path.stat().st_size
    if path.suffix.lower() == ".zip":
        return _of_zip(path)
    if path.suffix.lower() == ".gz":
        if not _is_text_gz(path.name):
            raise NeedsPerson("gz_inside", file=path.name)
        return Found((Member(str(path), path, size, packed=True),))
    return Found((Member(str(path), path, size),))


def _is_text_gz(name: str) -> bool:
    return [s.lower() for s in Path(name).suffixes[-2:]] in [[s, ".gz"] for s in TEXTS]


def _of_zip(path: Path) -> Found:
    """The tables in an archive, after the whole archive was looked at. A spreadsheet called .zip is a spreadsheet."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = [p for p in packed.infolist() if not p.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as e:
        raise NeedsPerson("zip_broken", file=path.name) from e
    if any(p.filename == "xl/workbook.xml" for p in parts):
        return Found((Member(str(path), path, path.stat().st_size),))
    named = sorted(((_name(p), p) for p in parts), key=lambda pair: _order(pair[0]))
    _refuse_harm(path, named)
    tables = [(name, p) for name, p in named if Path(name).suffix.lower() in TABLES and not _is_hidden(name)]
    tables = [(name, p) for name, p in tables if not stat.S_ISLNK(p.external_attr >> 16)]
    taken = {id(p) for _, p in tables}
    return Found(
        tuple(Member(f"{path}/{name}", path, p.compress_size, inside=p, packed=True) for name, p in tables),
        tuple(f"{path.name}/{name}" for name, p in named if id(p) not in taken),
    )


def _refuse_harm(path: Path, named: list[tuple[str, zipfile.ZipInfo]]) -> None:
    """NeedsPerson when the archive, by what it says of itself, is locked, leads outside, holds archives or is a bomb."""
    for name, part in named:
        if part.flag_bits & 1:
            raise NeedsPerson("zip_locked", file=path.name)
        if (
            ".." in name.split("/")
            or name.startswith("/")
            or re.match(r"[A-Za-z]:", name)
            or "\0" in part.orig_filename
        ):
            raise NeedsPerson("zip_unsafe", file=path.name, name=_shown(name))
        if Path(name).suffix.lower() in PACKED and not _is_hidden(name):
            raise NeedsPerson("zip_nested", file=path.name, name=_shown(name))
    size = path.stat().st_size
    unpacked = sum(p.file_size for _, p in named)
    dense = unpacked > SMALL and unpacked > MAX_RATIO * size
    # Parts that share their bytes are how small archives unpack to everything.
    ends = sorted((p.header_offset, p.header_offset + p.compress_size) for _, p in named)
    overlapping = any(end > start for (_, end), (start, _) in pairwise(ends))
    if unpacked > MAX_UNPACKED or dense or overlapping:
        raise NeedsPerson("zip_bomb", file=path.name)


def _name(part: zipfile.ZipInfo) -> str:
    """The name of a packed file. Without the flag that says UTF-8 it is what the packer's system used: GBK on a Chinese
    Windows, UTF-8 on a Mac. Backslashes of Windows' own packer part folders."""
    name = part.orig_filename
    if not part.flag_bits & 0x800:
        with suppress(UnicodeEncodeError):
            name = _decoded(name.encode("cp437"))
    return name.replace("\\", "/")


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            name = raw.decode(encoding)
            if encoding == "gb18030" or _LETTERS.fullmatch(
                name
            ):  # some GBK happens to be UTF-8, of letters nobody uses
                return name
    return raw.decode("cp437")


def _is_hidden(name: str) -> bool:
    """Hidden files, and what systems and Office leave beside files: .DS_Store, __MACOSX/, ~$open.xlsx, Thumbs.db."""
    parts = name.split("/")
    return any(p.startswith((".", "~$", "__MACOSX")) for p in parts) or parts[-1].lower() in (
        "thumbs.db",
        "desktop.ini",
    )


def _order(name: str) -> list[tuple[int, int, str]]:
    """2026-6-9 before 2026-6-10: numbers in names count as numbers."""
    pieces = re.split(r"([0-9]+)", name)
    return [(0, int(p), p) if p.isdigit() else (1, 0, p) for p in pieces if p]


def _shown(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "?", name)[:100]


# --- unpacking ---------------------------------------------------------------------------------------------------


def _file_name(member: Member) -> str:
    """The member's own name, bare and harmless: messages and reject files are called after it."""
    base = member.name.replace("\\", "/").rpartition("/")[2]
    if member.inside is None:
        base = base[: -len(".gz")]
    bare = re.sub(r"[\x00-\x1f\x7f:]", "_", base)
    suffix = Path(bare).suffix
    return (Path(bare).stem[:60].strip(". ") or "file") + suffix


def _unpack(member: Member, target: Path) -> None:
    """Write the member's content to `target`, counting what really comes out."""
    file = member.path.name
    try:
        if member.inside is None:
            with gzip.open(member.path) as source:
                _copy(source, target, member, MAX_UNPACKED)
            return
        free = shutil.disk_usage(target.parent).free
        if member.inside.file_size + _SPARE > free:
            raise NeedsPerson("disk_full", path=str(target.parent.parent))
        with zipfile.ZipFile(member.path) as packed, packed.open(member.inside) as source:
            _copy(source, target, member, member.inside.file_size)
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as e:
        raise NeedsPerson("zip_broken", file=file) from e
    except RuntimeError as e:  # how zipfile asks for a password that the directory did not mention
        raise NeedsPerson("zip_locked", file=file) from e
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(e.filename or member.path)) from e
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NeedsPerson("disk_full", path=str(target.parent.parent)) from e


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, member: Member, most: int) -> None:
    """NeedsPerson as soon as more than `most` bytes have come out, or more than the packed bytes could honestly hold."""
    written = 0
    with target.open("wb") as out:
        while piece := source.read(_CHUNK):
            written += len(piece)
            if written > most or (written > SMALL and written > MAX_RATIO * member.size):
                raise NeedsPerson("zip_bomb", file=member.path.name)
            if not written % (64 * _CHUNK) and shutil.disk_usage(target.parent).free < _SPARE:
                raise NeedsPerson("disk_full", path=str(target.parent.parent))
            out.write(piece)


def _clean_up(root: Path) -> None:
    """Take away what killed imports unpacked: a folder whose lock is free has nobody any more, unless it is just made."""
    for folder in root.glob(f"{_PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY)
        except OSError:  # somebody else is cleaning up
            continue
        try:
            if time.time() - os.fstat(held).st_mtime > _JUST_MADE and lock(held, alone=True):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(held)
