"""What all fetched data share: their error, the package clients, the cache folder, the check of a sum."""

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

CLIENT_TIMEOUT = 600.0
"""Seconds that one call of a package client may take."""


class DataError(Exception):
    """Data that is absent or can not be trusted: the message names the file, what is wrong and what to do."""


def run_client(*command: str, folder: Path) -> bytes:
    """Standard output of a package client that runs in ``folder``."""
    client = shutil.which(command[0])
    if client is None:
        raise DataError(f"{command[0]} is not installed here")
    try:
        done = subprocess.run(
            (client, *command[1:]),
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CLIENT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"`{shlex.join(command)}` did not finish: {error}") from error
    if done.returncode != 0:
        complaint = " / ".join(done.stderr.decode(errors="replace").strip().splitlines()[-3:])
        raise DataError(f"`{shlex.join(command)}` ended with exit code {done.returncode}: {complaint}")
    return done.stdout


def only_file(folder: Path, pattern: str) -> Path:
    """The one file of a folder that matches; a DataError for none or several."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataError(f"expected one {pattern} from the package client, got {[path.name for path in found]}")
    return found[0]


def download_debian(package: str, folder: Path) -> bytes:
    """A Debian package's files as a tar archive; needs no root. The system's package lists are used, else lists of our
    own in ``folder``."""
    try:
        run_client("apt-get", "--quiet", "download", package, folder=folder)
    except DataError as with_system_lists:
        if shutil.which("apt-get") is None:
            raise
        own_lists = ("-o", f"Dir::State::Lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}")
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "cache" / "archives" / "partial").mkdir(parents=True)
        try:
            run_client("apt-get", "--quiet", *own_lists, "update", folder=folder)
            run_client("apt-get", "--quiet", *own_lists, "download", package, folder=folder)
        except DataError as with_own_lists:
            raise DataError(
                f"{with_system_lists}; then, with fresh package lists in a temporary folder: {with_own_lists}. "
                "'Unable to locate package' means that `apt-get update` has never run or that the distribution "
                f"configured here has no {package}"
            ) from with_own_lists
    return run_client("dpkg-deb", "--fsys-tarfile", only_file(folder, "*.deb").name, folder=folder)


def cache_folder() -> Path:
    """``FLATMTL_CACHE``, else ``flatmtl`` under ``XDG_CACHE_HOME``, else ``~/.cache/flatmtl``."""
    if own := os.environ.get("FLATMTL_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatmtl"


def given_folder(data_dir: Path | None = None) -> Path | None:
    """The folder with the user's files: ``data_dir``, else the one in ``FLATMTL_DATA``; None where neither is given.

    Raises:
        DataError: it is not a folder.
    """
    argument, given = "--data-dir", data_dir
    if given is None:
        argument, given = "FLATMTL_DATA", Path(os.environ["FLATMTL_DATA"]) if os.environ.get("FLATMTL_DATA") else None
    if given is not None and not given.is_dir():
        raise DataError(f"{argument} is {given}, which is not a folder. Name an existing folder or leave it out.")
    return given


def check_sum(content: bytes, expected: str, where: str) -> None:
    """A DataError unless the SHA-256 is the expected one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{where}: SHA-256 is {found}, expected {expected}")
