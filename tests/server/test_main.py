"""The command line: what it takes, what it says, and how it ends."""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import main
from server.command_line import VALUED, _engine_options, _folder_options, command_first, parser
from server.file_lock import FileLock
from server.serve import CannotListen, addresses, listen
from server.settings import ROOT, Settings
from tests.server.program import PATIENCE, alive, started, workers_of


def settings_of(*arguments: str) -> Settings:
    return main._settings(parser().parse_args(["serve", *arguments]))


def test_without_options_only_this_machine_can_reach_it() -> None:
    settings = settings_of()
    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8188, None)
    assert settings.is_local
    assert settings.open_browser
    assert settings.models == (ROOT / "models",)
    assert settings.data == ROOT / "data"


def test_every_option_arrives_in_the_settings(tmp_path: Path) -> None:
    more = [tmp_path / "a", tmp_path / "b"]
    for folder in more:
        folder.mkdir()
    settings = settings_of(
        *("--port", "9000", "--listen", "192.168.0.2", "--no-browser", "--token", "12345678"),
        *("--models", str(more[0]), "--models", str(more[1]), "--data", str(tmp_path / "d")),
        *("--precision", "float32", "--device", "cpu", "--memory", "7.5", "--compile"),
        *("--workers", "2", "--worker-memory", "24", "--node-limit", "600"),
        *("--ray", "local", "--together", "8"),
    )
    assert (settings.workers, settings.worker_memory) == (2, 24_000_000_000)
    assert (settings.node_limit, settings.ray, settings.together) == (600, "local", 8)
    assert (settings.memory, settings.compiling) == (7_500_000_000, True)
    assert (settings.host, settings.port, settings.token) == ("192.168.0.2", 9000, "12345678")
    assert (settings.precision, settings.device) == ("float32", "cpu")
    assert settings.models == (ROOT / "models", *more)
    assert settings.data == tmp_path / "d"
    assert not settings.open_browser
    assert not settings.is_local


def test_listen_alone_means_every_address() -> None:
    assert settings_of("--listen").host == "0.0.0.0"
    assert settings_of("--listen", "127.0.0.1").is_local


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "0x10"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--token", "short"],
        ["--token", "line\nbreaks"],
        ["--precision", "float7"],
        ["--memory", "much"],
        ["--memory", "0"],
        ["--memory", "nan"],
        ["--worker-memory", "0"],
        ["--node-limit", "never"],
        ["--models", "no such folder"],
        ["--odd"],
        ["run"],
        ["run", "a.json", "b.json"],
        ["check"],
        ["inspect"],
        ["serve", "extra"],
        ["build-editor", "extra"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "check", "inspect"])
def test_every_command_takes_further_models_folders(command: str, tmp_path: Path) -> None:
    options = parser().parse_args([command, "FILE", "--models", str(tmp_path)])
    assert main._settings(options).models == (ROOT / "models", tmp_path)


def parsed(*words: str) -> argparse.Namespace:
    return parser().parse_args(command_first(list(words)))


def test_options_may_stand_before_the_command_and_after_it(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "run")
    for folder in (one, two):
        Path(folder).mkdir()
    options = parsed("--models", one, "--precision", "float32", "run", "F", "--models", two)
    assert (options.command, options.file, options.precision) == ("run", Path("F"), "float32")
    assert options.models == [Path(one), Path(two)]


def test_a_folder_named_like_a_command_is_no_command() -> None:
    options = parsed("--data", "run", "--port", "9000")
    assert (options.command, options.data, options.port) == ("serve", Path("run"), 9000)
    usage = _folder_options().format_usage() + _engine_options().format_usage()
    assert set(re.findall(r"(--\w+) [A-Z{]", usage)) <= set(VALUED)


def test_a_model_file_is_inspected_as_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.helpers.tiny_model import tiny_vae

    path = tiny_vae(tmp_path / "vae.safetensors", "mine")
    assert main.main(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = "kind family variant latent_space text_spaces parts evidence"
    assert found.keys() >= set(keys.split())
    assert (found["kind"], found["latent_space"]) == ("vae", "mine")


@pytest.mark.parametrize("command", ["run", "check", "inspect"])
def test_a_file_that_is_not_there_is_a_sentence_and_exit_code_1(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main.main([command, str(tmp_path / "nowhere.json"), "--data", str(tmp_path)])
    assert code == 1
    said = capsys.readouterr().err
    assert "nowhere.json" in said
    assert "Traceback" not in said


def test_an_occupied_port_is_a_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code = main.main(["--port", str(port), "--no-browser", "--data", str(tmp_path)])
    assert code == 1
    said = capsys.readouterr().err
    assert f"Port {port} is taken" in said
    assert "--port" in said.split("taken")[1]


def test_an_address_of_another_machine_is_a_sentence() -> None:
    for host in ("192.0.2.1", "no such name.invalid"):
        with pytest.raises(CannotListen, match=r"no such name|192\.0\.2\.1"):
            listen(host, 0)


def test_the_token_is_in_the_printed_address_only_where_it_is_needed(tmp_path: Path) -> None:
    assert addresses(Settings.of(tmp_path)) == ["http://127.0.0.1:8188"]
    first, *_ = addresses(Settings.of(tmp_path, host="0.0.0.0", token="a b&c="))
    assert first == "http://127.0.0.1:8188/?token=a%20b%26c%3D"
    assert addresses(Settings.of(tmp_path, host="::1")) == ["http://[::1]:8188"]


def test_two_servers_cannot_share_a_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLock(tmp_path / ".lock"):
        code = main.main(["--port", "0", "--no-browser", "--data", str(tmp_path)])
    assert code == 1
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert "--data" in said


def interrupt(process: subprocess.Popen[str]) -> None:
    """What Ctrl+C in the terminal does."""
    process.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)


def test_the_api_answers_while_the_worker_is_still_starting(tmp_path: Path) -> None:
    with started(tmp_path / "data") as (_, address, _):
        with urllib.request.urlopen(f"{address}/api/status", timeout=PATIENCE) as answer:
            status = json.load(answer)
        assert status["worker"]["state"] in ("starting", "ready", "busy")
        foreign = urllib.request.Request(f"{address}/api/status", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(foreign, timeout=PATIENCE)
        assert refused.value.code == 403


@pytest.mark.parametrize("how", ["interrupt", "terminate"])
def test_the_program_ends_in_order_and_takes_its_worker_along(tmp_path: Path, how: str) -> None:
    with started(tmp_path / "data") as (process, address, log):
        urllib.request.urlopen(f"{address}/api/status", timeout=PATIENCE).close()
        workers = workers_of(process.pid)
        assert workers or not Path("/proc/self/stat").exists()
        interrupt(process) if how == "interrupt" else process.terminate()
        code = process.wait(PATIENCE)
        said = log.read_text()
        if how == "interrupt" or os.name != "nt":
            assert code == 0
            assert "Stopped." in said
        assert "Traceback" not in said
        until = time.monotonic() + PATIENCE
        while any(alive(worker) for worker in workers):
            assert time.monotonic() < until, "the worker lives on"
            time.sleep(0.05)


def test_an_open_server_prints_its_token_once_and_never_logs_it(tmp_path: Path) -> None:
    with started(tmp_path / "data", "--listen") as (_, address, log):
        base, token = address.split("/?token=")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/api/status", timeout=PATIENCE)
        assert refused.value.code == 401
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"{base}/api/status?token={token}", timeout=PATIENCE) as answer:
            assert "token" not in answer.url
            assert answer.status == 200
        said = log.read_text()
        printed = [line for line in said.splitlines() if token in line]
        assert all(line.strip().split(" at ")[0] in ("Latent Loom is", "and") for line in printed)
