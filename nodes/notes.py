"""A node that holds words for people."""

from graph.node import node
from graph.widgets import Multiline


@node(title="Note", category="utilities")
def note(text: Multiline = "") -> None:
    """Words beside the workflow. They change nothing, and nothing is wired to them."""
