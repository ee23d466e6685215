"""Find the embeddings that prompts name as they are read, with the checker's own sentences.

The checker has told of most of this before; a text that came along a wire is known only now.
"""

from diffusion.embeddings import Embedding, Find, read_embedding
from diffusion.mentions import spelled
from graph.files import EMBEDDINGS
from graph.prompt_problems import missing, unfit, unusable
from nodes.services import BadFile
from server.catalogue import Catalogue


def finder(catalogue: Catalogue, node: str, space: str) -> Find:
    """What finds embeddings for prompts in a text space; `node` is what the node is called.

    It raises `BadFile` for one that is not there, cannot be used or was made for another model.
    """

    def find(name: str, encoder: str) -> Embedding:
        file = next((one.file for one in catalogue.mentioned(spelled(name))), None)
        found = None if file is None else catalogue.facts(EMBEDDINGS, file)
        if file is None or found is None:
            raise BadFile(missing(node, name))
        if found.trouble is not None:
            raise BadFile(unusable(node, name, found.trouble))
        if against := unfit(catalogue, node, found, name, space, encoder):
            raise BadFile(against)
        return read_embedding(catalogue.resolve(EMBEDDINGS, file))

    return find
