"""What `@node` and `nodes_of` make of functions."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import Field

from graph.definition import Argument, NodeDefinition, Term
from graph.node import (
    NodeError,
    Registry,
    definition_of,
    interface_of,
    node,
    nodes_of,
)
from graph.types import Lazy, Variadic
from tests.graph import small_world as world
from tests.graph.small_world import Image, Latent, Mask, Model, Progress, S, Sd1, T, Vae

LATENT = Term(kind="Latent", arguments=(Argument(axis="latent", variable="S"),))


def names(items: Any) -> list[str]:
    return [item.name for item in items]


def refusal(function: Callable[..., Any]) -> str:
    with pytest.raises(NodeError) as caught:
        definition_of(node(category="tests")(function))
    return str(caught.value)


def test_a_marked_function_stays_a_function_that_can_be_called() -> None:
    @node(category="tests")
    def double(value: int = 1) -> int:
        return 2 * value

    assert double(4) == 8


def test_a_signature_becomes_sockets_widgets_services_and_outputs() -> None:
    sampler = definition_of(world.k_sampler)
    assert (sampler.type, sampler.title, sampler.category) == ("k_sampler", "KSampler", "sampling")
    assert sampler.description.startswith("Denoise `latent` towards")
    assert names(sampler.inputs) == ["model", "positive", "negative", "latent"]
    assert names(sampler.widgets) == ["seed", "steps", "cfg", "sampler"]
    assert [widget.control for widget in sampler.widgets] == ["seed", "number", "number", "choice"]
    assert [widget.wire for widget in sampler.widgets] == ["Integer", "Integer", "Number", "Text"]
    assert sampler.services == {"progress": "Progress"}
    assert interface_of(world.k_sampler).services == {"progress": Progress}
    (latent,) = sampler.outputs
    assert (latent.name, latent.title, latent.term) == ("latent", "Latent", LATENT)


def test_widgets_carry_limits_and_defaults_as_json_schema() -> None:
    seed, steps, cfg, sampler = definition_of(world.k_sampler).widgets
    assert seed.schema_ == {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
    assert steps.schema_ == {"type": "integer", "minimum": 1, "maximum": 1000}
    assert (steps.default, cfg.default) == (20, 7.0)
    assert cfg.schema_ == {"type": "number", "minimum": 0, "maximum": 100}
    assert sampler.schema_ == {"type": "string", "enum": ["euler", "heun"]}


def test_a_definition_survives_json() -> None:
    for definition in world.DEFINITIONS.values():
        text = definition.model_dump_json(by_alias=True)
        assert NodeDefinition.model_validate_json(text) == definition


def test_several_outputs_are_a_named_tuple_whose_variables_are_replaced() -> None:
    loader = definition_of(world.load_checkpoint)
    assert names(loader.outputs) == ["model", "clip", "vae"]
    assert [output.part for output in loader.outputs] == ["model", "clip", "vae"]
    assert [output.title for output in loader.outputs] == ["Model", "CLIP", "VAE"]

    @node(category="tests")
    def load_other(latent: Latent[world.S2]) -> world.Checkpoint[T, world.S2]: ...

    assert definition_of(load_other).outputs[2].term.arguments[0].variable == "S2"


def test_a_parameter_of_type_space_is_filled_in_by_the_checker() -> None:
    (space,) = definition_of(world.empty_latent).spaces
    assert (space.name, space.axis, space.variable) == ("space", "latent", "S")


def test_optional_lazy_variadic_and_list_sockets_are_told_apart() -> None:
    image, mask = definition_of(world.invert).inputs
    assert (image.optional, mask.optional, mask.term.kind) == (False, True, "Mask")
    assert [socket.lazy for socket in definition_of(world.pick).inputs] == [True, True]
    (images,) = definition_of(world.batch_images).inputs
    assert (images.variadic, images.list, images.optional) == (True, False, False)
    (images,) = definition_of(world.join_images).inputs
    assert (images.variadic, images.list) == (False, True)
    assert definition_of(world.split_images).outputs[0].list

    @node(category="tests")
    def both(images: Variadic[Lazy[Image]] = (), extra: Lazy[Mask] | None = None) -> Image: ...

    first, second = definition_of(both).inputs
    assert (first.variadic, first.lazy, first.optional) == (True, True, True)
    assert (second.lazy, second.optional, second.term.kind) == (True, True, "Mask")


def test_titles_and_descriptions_come_from_fields_and_names() -> None:
    @node(category="tests")
    def describe(
        latent: Annotated[Latent[S], Field(description="What is described.")],
        seed: Annotated[world.Seed, Field(title="Luck")] = 0,
        clip_skip: Annotated[int, Field(description="Layers left out.", ge=0)] = 0,
    ) -> str: ...

    definition = definition_of(describe)
    assert definition.title == "Describe"
    assert definition.inputs[0].description == "What is described."
    seed, skip = definition.widgets
    assert (seed.title, seed.control) == ("Luck", "seed")
    assert (skip.title, skip.description) == ("CLIP skip", "Layers left out.")
    assert skip.schema_ == {"type": "integer", "minimum": 0}


def test_an_output_node_may_give_nothing() -> None:
    save = definition_of(world.save_image)
    assert save.output
    assert save.outputs == ()


def test_a_definition_names_the_hash_of_its_modules_source() -> None:
    text = Path(world.__file__).read_text("utf-8")
    assert definition_of(world.invert).source == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda image: None, "has no annotation"),
        (lambda *images: None, r"write Variadic\[...\]"),
    ],
)
def test_a_bare_function_is_refused_with_what_to_write(
    function: Callable[..., Any], sentence: str
) -> None:
    with pytest.raises(NodeError, match=sentence):
        definition_of(node(category="tests")(function))


def test_a_missing_return_annotation_is_refused() -> None:
    def silent(image: Image): ...

    assert "silent, return value: it has no annotation" in refusal(silent)


def test_a_service_that_is_not_keyword_only_is_refused() -> None:
    def eager(progress: Progress) -> int: ...

    assert "'progress': a service is handed in by keyword" in refusal(eager)


def test_an_optional_socket_without_a_default_is_refused() -> None:
    def careless(mask: Mask | None) -> Image: ...

    assert "write '= None'" in refusal(careless)


def test_a_default_outside_its_own_limits_is_refused() -> None:
    def wild(steps: Annotated[int, Field(ge=1)] = 0) -> int: ...

    assert "its default must be at least 1, not 0" in refusal(wild)


def test_a_file_class_without_a_folder_is_refused() -> None:
    def homeless(file: world.ModelFile) -> int: ...

    assert "says no folder" in refusal(homeless)


def test_an_annotation_that_json_schema_cannot_express_names_the_parameter() -> None:
    def exotic(settings: dict[str, int]) -> int: ...

    assert "exotic, parameter 'settings'" in refusal(exotic)


def test_an_output_that_is_no_socket_is_refused() -> None:
    def bad() -> list[int]: ...

    assert "cannot leave a node" in refusal(bad)


def test_an_unknown_name_in_an_annotation_is_refused_in_words() -> None:
    def lost(image: "Nowhere") -> int: ...  # noqa: F821

    assert "names something unknown" in refusal(lost)


def test_a_plain_function_is_no_node() -> None:
    def plain() -> int: ...

    with pytest.raises(NodeError, match="write @node"):
        definition_of(plain)


def module(name: str, *functions: Callable[..., Any]) -> ModuleType:
    made = ModuleType(name)
    for function in functions:
        function.__module__ = name
        setattr(made, function.__name__, function)
    return made


def same_name() -> Callable[..., Any]:
    @node(category="tests")
    def twin() -> int: ...

    return twin


def test_nodes_are_collected_in_order_and_imported_ones_are_left_out() -> None:
    one, two = module("one", same_name()), module("two")
    two.borrowed = one.twin
    assert list(nodes_of([one, two]).definitions) == ["twin"]
    assert nodes_of([two]).definitions == {}
    collected = nodes_of([sys.modules[world.__name__]])
    assert list(collected.definitions)[:3] == ["load_checkpoint", "load_vae", "encode_text"]
    assert collected.functions["invert"] is world.invert


def test_a_packs_nodes_have_its_name_in_theirs() -> None:
    registry = nodes_of([module("one", same_name())], pack="sepia")
    assert list(registry.definitions) == ["sepia.twin"]
    assert registry.definitions["sepia.twin"].pack == "sepia"


def test_two_nodes_of_one_name_are_refused_by_both_names() -> None:
    one, two = module("one", same_name()), module("two", same_name())
    with pytest.raises(NodeError, match=r"one\..*twin and two\..*twin"):
        nodes_of([one, two])
    with pytest.raises(NodeError, match="Two nodes are called 'twin'"):
        nodes_of([one]) | nodes_of([two])


def test_registries_join() -> None:
    one = nodes_of([module("one", same_name())])
    two = nodes_of([module("two", same_name())], "pack")
    both = one | two | Registry() | one
    assert list(both.definitions) == ["twin", "pack.twin"]


def test_a_named_tuple_without_type_variables_is_several_outputs_too() -> None:
    class Size(NamedTuple):
        width: int
        height: int

    @node(category="tests")
    def size(image: Image) -> Size: ...

    assert [(item.name, item.term.kind) for item in definition_of(size).outputs] == [
        ("width", "Integer"),
        ("height", "Integer"),
    ]


def test_a_file_may_be_optional() -> None:
    @node(category="tests")
    def load(vae: world.VaeFile[S] | None = None) -> Vae[S]: ...

    (widget,) = definition_of(load).widgets
    assert (widget.required, widget.default, widget.folder) == (False, None, "vae")
    assert widget.term == Term(kind="VaeFile", arguments=(Argument(axis="latent", variable="S"),))


def test_a_fixed_space_of_a_socket_is_in_the_definition() -> None:
    @node(category="tests")
    def only(model: Model[T, Sd1]) -> Latent[Sd1]: ...

    assert definition_of(only).inputs[0].term.arguments[1].one_of == ("sd1",)
