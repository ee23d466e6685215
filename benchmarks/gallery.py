"""What a look into a large gallery costs: pages, searches and filters among many pictures.

    python benchmarks/gallery.py [--pictures 100000]

Rows only, with prompts of twenty words from a list of four hundred; the target is 50 ms a page.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from graph.events import PictureFacts
from server.queue import RunQueue, Sought
from server.queue.pictures import NewPicture

REPEATS = 21


def fill(queue: RunQueue, count: int) -> str:
    """A word of the list, after `count` pictures were put in."""
    draw = random.Random(1)
    words = ["".join(draw.choices("aeioubcdfgklmnprst", k=draw.randint(3, 9))) for _ in range(400)]
    for first in range(0, count, 5000):
        queue.pictures.add(
            NewPicture(
                f"d/{number:06}.png",
                1.7e9 + 600 * number,
                facts=PictureFacts(
                    width=1024,
                    height=1024,
                    prompt=" ".join(draw.choices(words, k=20)),
                    seed=str(number),
                    models=(f"model {draw.randint(1, 30)}",),
                    families=(draw.choice(("sd1", "sdxl", "flux1")),),
                ),
            )
            for number in range(first, min(first + 5000, count))
        )
    return words[0]


def milliseconds(work: Callable[[], object]) -> float:
    """The median of several times."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as scratch:
        queue = RunQueue(Path(scratch) / "queue.sqlite")
        start = time.perf_counter()
        word = fill(queue, count)
        each = 1e6 * (time.perf_counter() - start) / count
        print(f"put in: {each:.0f} µs a picture")
        middle = count // 2
        looks = {
            "newest 100": (Sought(), None),
            "100 from the middle": (Sought(), middle),
            "a word (1 in 20 has it)": (Sought(word), None),
            "two words": (Sought(f"{word} sdxl"), None),
            "the beginning of a word": (Sought(word[:1]), None),
            "a date": (Sought("2024-01"), None),
            "a model": (Sought(model="model 7"), middle),
            "a word and a model": (Sought(word, "model 7"), None),
            "starred (none is)": (Sought(starred=True), None),
        }
        for title, (sought, before) in looks.items():
            page = milliseconds(lambda: queue.pictures.newest(sought, 100, before))  # noqa: B023
            total = milliseconds(lambda: queue.pictures.count(sought))  # noqa: B023
            print(f"{title}: page {page:.1f} ms, count {total:.1f} ms")
        names = milliseconds(lambda: queue.pictures.names("model"))
        print(f"names of models: {names:.1f} ms")
        queue.close()


if __name__ == "__main__":
    main()
