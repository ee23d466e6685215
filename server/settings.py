"""What a person chose at the start: folders, address, device; passed to whoever needs it."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from server.example_pictures import place_examples

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds main.py."""

VERSION = "0.1.0"
"""The version of the program; pyproject.toml says the same."""

PRECISIONS = ("auto", "float32", "float16", "bfloat16", "tf32")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine can reach."""


@dataclass(frozen=True)
class Settings:
    """Every choice, in one frozen record.

    `root` is the program's folder. `models` are searched in order; the first is the program's own.
    `token` is the password that listening beyond this machine needs. `max_upload` is the most bytes
    that an uploaded file may have, `max_json` a JSON body, `max_pixels` the pixels of a picture.
    `device` may name several, with commas between them; each gets `workers` processes, of which
    this record's is number `worker`. `memory` is the most bytes that models take on the device,
    None for most of what it has. `worker_memory` is the most bytes that a worker process may take
    of the machine's, `node_limit` the seconds that a node may run; None for no limit. `ray` is the
    address of a Ray cluster whose machines have the workers, "local" for one of this machine.
    `together` is how many waiting runs a worker samples as one batch, None for what pays there.
    Without `metadata`, files say nothing of what made them.
    """

    root: Path
    data: Path
    models: tuple[Path, ...]
    custom_nodes: Path
    templates: Path
    host: str = "127.0.0.1"
    port: int = 8188
    token: str | None = None
    precision: str = "auto"
    device: str = "auto"
    workers: int = 1
    worker: int = 1
    memory: int | None = None
    worker_memory: int | None = None
    node_limit: float | None = None
    ray: str | None = None
    together: int | None = None
    compiling: bool = False
    metadata: bool = True
    open_browser: bool = True
    max_upload: int = 64 * 2**20
    max_json: int = 16 * 2**20
    max_pixels: int = 64_000_000

    @classmethod
    def of(
        cls,
        root: Path = ROOT,
        data: Path | None = None,
        models: tuple[Path, ...] = (),
        **rest: Any,
    ) -> Self:
        """The settings of a program in `root`; its own models folder comes before `models`."""
        paths = dict.fromkeys(path.resolve() for path in (root / "models", *models))
        return cls(
            root=root.resolve(),
            data=(data or root / "data").resolve(),
            models=tuple(paths),
            custom_nodes=root.resolve() / "custom_nodes",
            templates=root.resolve() / "workflows",
            **rest,
        )

    def for_workers(self) -> tuple[Self, ...]:
        """The settings of each worker process: its number, and the one device that it has."""
        devices = [name.strip() for name in self.device.split(",") if name.strip()] or ["auto"]
        places = [device for device in devices for _ in range(self.workers)]
        return tuple(
            replace(self, device=device, workers=1, worker=number)
            for number, device in enumerate(places, start=1)
        )

    @property
    def output(self) -> Path:
        """Pictures that Save Image wrote."""
        return self.data / "output"

    @property
    def input(self) -> Path:
        """Pictures that people uploaded."""
        return self.data / "input"

    @property
    def trash(self) -> Path:
        """Pictures that were deleted in the gallery: `trash/<number>/<file>`."""
        return self.data / "trash"

    @property
    def latents(self) -> tuple[Path, ...]:
        """Where Load Latent looks: what Save Latent wrote, and what people put beside pictures."""
        return (self.output / "latents", self.input)

    @property
    def temp(self) -> Path:
        """Files that may be deleted while nothing runs: preview pictures, thumbnails."""
        return self.data / "temp"

    @property
    def previews(self) -> Path:
        """Latent previews: `previews/<run>/<file>`."""
        return self.data / "temp" / "previews"

    @property
    def saved(self) -> Path:
        """The workflows that people saved."""
        return self.data / "workflows"

    @property
    def subgraphs(self) -> Path:
        """The library of subgraphs."""
        return self.data / "subgraphs"

    @property
    def results(self) -> Path:
        """Results of nodes that outlive the worker."""
        return self.cache / "results"

    @property
    def wildcards(self) -> Path:
        """Lists of words, one text file each, that batches draw from."""
        return self.data / "wildcards"

    @property
    def cache(self) -> Path:
        """What can be computed again: node definitions, what is known of model files."""
        return self.data / "cache"

    @property
    def database(self) -> Path:
        """The queue's SQLite file."""
        return self.data / "queue.sqlite"

    @property
    def dist(self) -> Path:
        """The built editor."""
        return self.root / "web" / "dist"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    def make_folders(self) -> None:
        """Create every folder under `data` that does not exist yet, with the examples' pictures."""
        for folder in (self.output, self.input, self.previews, self.saved, self.cache):
            folder.mkdir(parents=True, exist_ok=True)
        place_examples(self.templates / "pictures", self.input)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON for the worker process, which has no need of the token."""
        return {
            name: [str(path) for path in value]
            if isinstance(value, tuple)
            else str(value)
            if isinstance(value, Path)
            else value
            for name, value in asdict(replace(self, token=None)).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The settings that `to_json` wrote."""
        values = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        for name in ("root", "data", "custom_nodes", "templates"):
            values[name] = Path(values[name])
        values["models"] = tuple(Path(path) for path in values["models"])
        return cls(**values)
