"""The commands and options of `main.py`, and what may stand behind each."""

import argparse
from pathlib import Path

from server.settings import PRECISIONS, VERSION

COMMANDS = ("serve", "run", "verify", "check", "inspect", "build-editor")

VALUED = (
    "--models",
    "--data",
    "--precision",
    "--device",
    "--workers",
    "--worker-memory",
    "--node-limit",
    "--ray",
    "--together",
    "--memory",
    "--port",
    "--token",
)
"""Options whose value is the next word: that word is no command, whatever it is."""

EPILOG = """\
Without a command, the server is started: "python main.py --port 9000" is
"python main.py serve --port 9000". "python main.py COMMAND --help" says more.
Exit codes: 0 fine, 1 problems, 2 wrong usage.
"""


def command_first(given: list[str]) -> list[str]:
    """The words in the order that the parser wants: the command, then its options.

    People may write options before the command; without a command it is serve.
    """
    if given[:1] and given[0] in ("-h", "--help", "--version"):
        return given
    is_value = False
    for place, word in enumerate(given):
        if not is_value and word in COMMANDS:
            return [word, *given[:place], *given[place + 1 :]]
        if not is_value and not word.startswith("-"):
            break
        is_value = not is_value and word in VALUED
    return ["serve", *given]


def parser() -> argparse.ArgumentParser:
    """What reads the words, once `command_first` has put them in order."""
    whole = argparse.ArgumentParser(
        prog="main.py",
        description="A node-graph editor for latent-diffusion images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"Latent Loom {VERSION}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    folders, engine = _folder_options(), _engine_options()

    serve = commands.add_parser("serve", parents=[folders, engine], help="start the editor")
    _add_serve_options(serve)

    run = commands.add_parser(
        "run", parents=[folders, engine], help="run a workflow without the browser"
    )
    run.add_argument(
        "file", type=Path, metavar="FILE", help="the workflow (JSON, or a PNG of ours)"
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NODE.VALUE=X",
        help='change a value, by node id or title: --set "KSampler.seed=7" (may be repeated)',
    )
    run.add_argument(
        "--batch",
        type=Path,
        metavar="FILE",
        help="run it many times: a JSON file that says which values vary; stopped, it goes on "
        "where it was",
    )
    run.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="with --batch: all its pictures on one sheet, a .png or an .html page",
    )
    run.add_argument("--out", type=Path, metavar="DIR", help="where the pictures go")

    verify = commands.add_parser(
        "verify",
        parents=[folders, engine],
        help="make a saved picture again and say whether it is the same",
        epilog="Exit codes: 0 identical, 1 different, 2 it could not be made again.",
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="the picture")

    check = commands.add_parser(
        "check", parents=[folders, engine], help="say what is wrong with a workflow"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the workflow")
    check.add_argument("--json", action="store_true", help="print the problems as JSON")

    inspect = commands.add_parser("inspect", parents=[folders], help="say what a model file is")
    inspect.add_argument("file", type=Path, metavar="FILE", help="the model file")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")

    commands.add_parser("build-editor", help="build the editor's pages now")
    return whole


def _folder_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--models",
        type=_folder,
        action="append",
        default=[],
        metavar="DIR",
        help="a further folder of model files, ComfyUI's layout included (may be repeated)",
    )
    options.add_argument(
        "--data", type=Path, metavar="DIR", help="where outputs, queue and cache go (default: data)"
    )
    return options


def _engine_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="what models compute in"
    )
    options.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto, cpu, cuda, cuda:1, mps, ...; the server takes several, as in cuda:0,cuda:1",
    )
    options.add_argument(
        "--memory",
        type=_gigabytes,
        metavar="GB",
        help="the most that models take of the device's memory (default: most of it); on a "
        "graphics card, what does not fit is brought while it runs",
    )
    options.add_argument(
        "--compile",
        dest="compiling",
        action="store_true",
        help="compile diffusion models (torch.compile): the first step takes minutes, later ones "
        "less; says how long it took, and does without where it fails",
    )
    options.add_argument(
        "--no-metadata",
        dest="metadata",
        action="store_false",
        help="write files that do not say what made them: no workflow, no prompt, no seed",
    )
    return options


def _add_serve_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--port", type=_port, default=8188, help="default: 8188")
    serve.add_argument(
        "--listen",
        dest="host",
        nargs="?",
        const="0.0.0.0",
        default="127.0.0.1",
        metavar="HOST",
        help="let other machines in, through one address of this machine or all; needs a token",
    )
    serve.add_argument(
        "--token",
        type=_token,
        help="the password of --listen; one is made up where none is given",
    )
    serve.add_argument(
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="worker processes on each device, which share the queue (default: 1)",
    )
    serve.add_argument(
        "--worker-memory",
        type=_gigabytes,
        metavar="GB",
        help="end a worker process that takes more of the machine's memory, and fail its run "
        "(default: no limit)",
    )
    serve.add_argument(
        "--node-limit",
        type=_seconds,
        metavar="SECONDS",
        help="fail a run one of whose nodes runs longer; what loads a model counts, too "
        "(default: no limit but what node packs set)",
    )
    serve.add_argument(
        "--together",
        type=_count,
        metavar="N",
        help="sample so many waiting runs that differ in seed or prompt alone as one batch "
        "(default: 4 on a graphics card, else 1, which is none)",
    )
    serve.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="have the machines of the Ray cluster at HOST:PORT do the runs; local for one of this "
        "machine (needs requirements-ray.txt; see docs/many-machines.md)",
    )
    serve.add_argument(
        "--no-browser", dest="open_browser", action="store_false", help="do not open the browser"
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: it is 1 to 64")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it is a number up to 65535")
    return int(text)


def _gigabytes(text: str) -> int:
    try:
        size = float(text)
    except ValueError:
        size = -1.0
    if not 0 < size < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of gigabytes, such as 6 or 7.5")
    return int(size * 10**9)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 600")
    return seconds


def _token(text: str) -> str:
    if len(text) < 8 or not text.isprintable() or not text.isascii():
        raise argparse.ArgumentTypeError("a token has 8 or more characters of plain ASCII")
    return text


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return path
