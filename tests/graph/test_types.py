"""Socket types as annotations, and the terms that they stand for."""

from typing import Generic, TypeVar

import pytest

from graph.definition import Argument, Term
from graph.types import AnySocket, LatentSpace, Lazy, Socket, SocketError, accepts, term_of
from tests.graph.small_world import Image, Latent, Model, S, Sd1, Sdxl, T


def test_a_socket_is_named_after_its_class_and_carries_its_variables() -> None:
    assert term_of(Image) == Term(kind="Image")
    assert term_of(Model[T, S]) == Term(
        kind="Model",
        arguments=(Argument(axis="text", variable="T"), Argument(axis="latent", variable="S")),
    )


def test_a_fixed_space_and_a_union_of_fixed_spaces_are_sets_of_ids() -> None:
    assert term_of(Latent[Sdxl]).arguments == (Argument(axis="latent", one_of=("sdxl",)),)
    assert term_of(Latent[Sdxl | Sd1]).arguments == (
        Argument(axis="latent", one_of=("sd1", "sdxl")),
    )


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [(int, "Integer"), (float, "Number"), (str, "Text"), (bool, "Boolean"), (AnySocket, "Any")],
)
def test_plain_values_and_the_any_socket_have_kinds_too(annotation: type, kind: str) -> None:
    assert term_of(annotation) == Term(kind=kind)


def test_a_socket_without_its_spaces_is_refused_with_what_to_write() -> None:
    with pytest.raises(SocketError, match=r"write Latent\[S\]"):
        term_of(Latent)


def test_a_variable_of_the_other_axis_is_refused() -> None:
    with pytest.raises(SocketError, match="where a latent space belongs"):
        term_of(Latent[T])


def test_a_variable_without_an_axis_is_refused_with_what_to_write() -> None:
    loose = TypeVar("loose")

    class Loose(Socket, Generic[loose]): ...

    with pytest.raises(SocketError, match="bound=TextSpace or bound=LatentSpace"):
        term_of(Loose[loose])


def test_a_space_without_an_id_is_refused() -> None:
    with pytest.raises(SocketError, match="is no latent space"):
        term_of(Latent[LatentSpace])


@pytest.mark.parametrize(
    ("taken", "given", "answer"),
    [
        ("Latent", "Latent", True),
        ("Latent", "Image", False),
        ("Any", "Latent", True),
        ("Latent", "Any", True),
        ("Number", "Integer", True),
        ("Integer", "Number", False),
        ("Integer", "Boolean", False),
        ("Text", "Number", False),
    ],
)
def test_kinds_accept_themselves_any_and_numbers_accept_integers(
    taken: str, given: str, answer: bool
) -> None:
    assert accepts(taken, given) is answer


def test_awaiting_a_lazy_value_asks_whoever_drives_the_function() -> None:
    async def shout(word: Lazy[str]) -> str:
        return (await word).upper()

    lazy: Lazy[str] = Lazy("where it comes from")
    running = shout(lazy)
    assert running.send(None) is lazy
    with pytest.raises(StopIteration) as finished:
        running.send("hello")
    assert finished.value.value == "HELLO"
