"""Draw README's picture from the running app: `python -m tests.browser.screenshot docs/editor.png`.

Runs the default workflow with one prompt and seed, in the light or the dark theme, at 1440 x 900.
"""

import argparse
import tempfile
from pathlib import Path

from tests.browser import editor, running

PROMPT = "a large orange star on a blue background"


def shoot(path: Path, prompt: str, scheme: str) -> None:
    """Writes a PNG of the editor after a run of `prompt`; `scheme` is "light" or "dark"."""
    with (
        tempfile.TemporaryDirectory() as data,
        running.app(Path(data)) as url,
        running.browser() as chromium,
    ):
        page = chromium.new_page(
            viewport={"width": 1440, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page.goto(url)
        page.wait_for_selector("[data-node]")
        editor.type_prompt(page, "Prompt", prompt)
        editor.run(page)
        page.mouse.click(720, 780)  # an empty place: nothing selected, no caret
        page.wait_for_timeout(1_000)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--scheme", choices=("light", "dark"), default="dark")
    options = parser.parse_args()
    shoot(options.path, options.prompt, options.scheme)


if __name__ == "__main__":
    main()
