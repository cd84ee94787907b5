"""Looks into the database with sqlite3, while no Certwright holds it: what a test has to damage or
to compare that no command shows."""

import base64
import contextlib
import re
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives import serialization

PEM_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)


def database(state_dir):
    """The one database file of a state directory."""
    found = []
    for file in Path(state_dir).rglob("*"):
        if file.is_file():
            with open(file, "rb") as content:
                if content.read(15) == b"SQLite format 3":
                    found.append(file)
    assert found, "no database below %s" % state_dir
    return max(found, key=lambda file: file.stat().st_size)


@contextlib.contextmanager
def opened(state_dir):
    connection = sqlite3.connect(database(state_dir))
    try:
        yield connection
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def tables(connection):
    """{table: [column, ...]}"""
    names = [row[0] for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {name: [row[1] for row in connection.execute('PRAGMA table_info("%s")' % name)]
            for name in names}


def forget_account_urls(state_dir):
    """Empties what the store knows of the accounts' URLs. Returns how many rows had one."""
    changed = 0
    with opened(state_dir) as connection:
        for table, columns in tables(connection).items():
            if "account" not in table:
                continue
            for column in columns:
                if column in ("url", "account_url", "kid"):
                    changed += _empty(connection, table, column)
    return changed


def _empty(connection, table, column):
    for nothing in (None, ""):
        try:
            return connection.execute('UPDATE "%s" SET "%s" = ? WHERE coalesce("%s", \'\') <> \'\'' % (
                table, column, column), (nothing,)).rowcount
        except sqlite3.IntegrityError:
            continue
    raise AssertionError("%s.%s can be neither NULL nor empty" % (table, column))


def secrets(state_dir):
    """The base64 bodies of all private keys in the store, without line ends.

    Keys are found as PEM text and as PKCS#8 DER, in every column of every table.
    """
    bodies = set()
    with opened(state_dir) as connection:
        for table in tables(connection):
            for row in connection.execute('SELECT * FROM "%s"' % table):
                for value in row:
                    bodies |= _keys_in(value)
    return bodies


def _keys_in(value):
    found = set()
    text = value if isinstance(value, str) else None
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            text = value.decode("ascii")
        with contextlib.suppress(ValueError, TypeError):
            serialization.load_der_private_key(value, None)
            found.add(base64.b64encode(value).decode())
    for _, body in PEM_BLOCK.findall(text or ""):
        found.add("".join(body.split()))
    return found
