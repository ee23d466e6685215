"""The durable queue of runs; every name that the rest of the server uses is here."""

from server.queue import progress
from server.queue.arrivals import Wanted
from server.queue.batches import Batch, UnknownBatch
from server.queue.history import BadExport, Limits
from server.queue.line import NotInLine, Pause
from server.queue.pictures import Picture, Pictures, UnknownPicture
from server.queue.progress import ATTEMPTS, Ending
from server.queue.queue import RunQueue
from server.queue.rows import Changes, Run, Status, UnknownRun
from server.queue.schema import MIGRATIONS, NewerQueue
from server.queue.sought import Sought

__all__ = [
    "ATTEMPTS",
    "MIGRATIONS",
    "BadExport",
    "Batch",
    "Changes",
    "Ending",
    "Limits",
    "NewerQueue",
    "NotInLine",
    "Pause",
    "Picture",
    "Pictures",
    "Run",
    "RunQueue",
    "Sought",
    "Status",
    "UnknownBatch",
    "UnknownPicture",
    "UnknownRun",
    "Wanted",
    "progress",
]
