"""What a state directory holds, read from a copy: also one whose process was killed."""

import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

DATABASE = "certwright.db"


@dataclass
class StoreView:
    integrity: str = "ok"
    orders: list = field(default_factory=list)
    versions: list = field(default_factory=list)  # of certificates, not the node's own pair
    accounts: list = field(default_factory=list)
    ledger: int = 0

    def current(self):
        return [version for version in self.versions if version["is_current"]]

    def open_orders(self):
        return [order for order in self.orders if order["state"] not in ("done", "failed")]


def look(state_dir):
    """The store as the next process would find it; empty where none was made yet."""
    file = Path(state_dir) / DATABASE
    if not file.exists():
        return StoreView()
    with tempfile.TemporaryDirectory(prefix="cw-look-") as folder:
        for suffix in ("", "-wal"):
            source = Path(str(file) + suffix)
            if source.exists():
                shutil.copyfile(source, Path(folder) / (DATABASE + suffix))
        connection = sqlite3.connect(Path(folder) / DATABASE)
        try:
            return _read(connection)
        except sqlite3.DatabaseError as damage:
            return StoreView(integrity=str(damage))
        finally:
            connection.close()


def _read(connection):
    connection.row_factory = sqlite3.Row

    def rows(sql):
        return [dict(row) for row in connection.execute(sql)]

    verdict = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    verdict += ["foreign key: %s" % (tuple(row),) for row in
                connection.execute("PRAGMA foreign_key_check")]
    return StoreView(
        integrity="ok" if verdict == ["ok"] else "; ".join(verdict),
        orders=rows("SELECT * FROM acme_order ORDER BY id"),
        versions=rows("SELECT * FROM version WHERE certificate_id IS NOT NULL ORDER BY id"),
        accounts=rows("SELECT * FROM account"),
        ledger=connection.execute("SELECT count(*) FROM order_ledger").fetchone()[0])
