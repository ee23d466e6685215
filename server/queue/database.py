"""One SQLite database shared by threads: short transactions, and durable ones many at once."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from server.queue.schema import migrate

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]


class _Wish(Generic[T]):
    """A piece of work that somebody waits for, and what came of it."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.result: T | None = None
        self.error: BaseException | None = None


class Database:
    """The database at `path`, created or migrated when needed. May be used from any thread.

    Ordinary writes survive the death of the program (WAL, no fsync a commit). Durable ones survive
    power loss as well; those that come together share one fsync (group commit).
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._wishes: deque[_Wish[Any]] = deque()
        # Autocommit: each transaction says BEGIN itself.
        self._connection = sqlite3.connect(
            path, timeout=10, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        migrate(self._connection)

    def read(self, work: Work[T]) -> T:
        """What `work` finds."""
        with self._lock:
            return work(self._connection)

    def write(self, work: Work[T]) -> T:
        """What `work` gives; its writes are one transaction, undone where it raises."""
        with self._transaction() as connection:
            return work(connection)

    def write_durably(self, work: Work[T]) -> T:
        """As `write`, and on the disk when this returns.

        Whoever gets the lock first does everybody's work in one transaction, each in a savepoint of
        its own, so that an error of one undoes only its own writes.
        """
        wish = _Wish(work)
        self._wishes.append(wish)
        with self._lock:
            if not wish.done.is_set():
                self._grant_all()
        if wish.error is not None:
            raise wish.error
        return wish.result  # type: ignore[return-value]  # set by _grant_all, of work's own type

    def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        with self._lock:
            self._connection.close()

    def _grant_all(self) -> None:
        granted = []
        while self._wishes:
            granted.append(self._wishes.popleft())
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            if not self._granted(granted) and len(granted) > 1:
                # A full disk, perhaps: what is small may still have room without what is large.
                for wish in granted:
                    self._granted([wish])
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")
            for wish in granted:
                wish.done.set()

    def _granted(self, wishes: list[_Wish[Any]]) -> bool:
        """Whether the wishes' transaction was committed; else each of them has the error."""
        try:
            with self._transaction() as connection:
                for wish in wishes:
                    _grant(connection, wish)
        except sqlite3.Error as error:
            for wish in wishes:
                wish.error = error
            return False
        return True

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            # IMMEDIATE: a second program waits here for its turn, and never in the middle.
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection


def _grant(connection: sqlite3.Connection, wish: _Wish[Any]) -> None:
    """Do the work in a savepoint. Raises `sqlite3.Error` where the whole transaction was undone."""
    wish.error = None
    connection.execute("SAVEPOINT wish")
    try:
        wish.result = wish.work(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite undoes all by itself when the disk is full
            raise
        connection.execute("ROLLBACK TO wish")
        wish.error = error  # raised again where the work was asked for
    connection.execute("RELEASE wish")
