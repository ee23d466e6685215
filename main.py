"""Latent Loom's command line: serve (the default), run, verify, check, inspect, build-editor."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from server.command_line import command_first, parser
from server.settings import ROOT, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(command_first(given))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # What is heavy to import is imported by the command that needs it.
    match options.command:
        case "serve":
            from server.serve import serve

            return serve(_settings(options))
        case "run":
            from server.headless import run_file

            return run_file(
                _settings(options),
                options.file,
                options.set,
                options.out,
                batch=options.batch,
                sheet=options.sheet,
            )
        case "verify":
            from server.verify import verify_file

            return verify_file(_settings(options), options.file)
        case "check":
            from server.headless import check_file

            return check_file(_settings(options), options.file, options.json)
        case "inspect":
            from server.headless import inspect_file

            return inspect_file(_settings(options), options.file, options.json)
    return _build_editor()


def _build_editor() -> int:
    from server.editor_build import BuildFailed, build, is_built

    web = ROOT / "web"
    try:
        if is_built(web):
            print("The editor is up to date.")
        asyncio.run(build(web))
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    chosen = vars(options)
    engine = ("precision", "device", "memory", "compiling", "metadata")
    workers = ("workers", "worker_memory", "node_limit", "ray", "together")
    names = ("host", "port", "token", "open_browser", *engine, *workers)
    return Settings.of(
        data=options.data,
        models=tuple(options.models),
        **{name: chosen[name] for name in names if name in chosen},
    )


if __name__ == "__main__":  # the worker process imports this module again and must not start here
    sys.exit(main())
