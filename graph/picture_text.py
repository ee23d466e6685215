"""The names and the form of the texts that saved pictures carry, for those who write and read them.

A PNG has them as text chunks. WebP, JPEG and AVIF have them in an XMP packet (ISO 16684-1): JSON,
compressed and in base64, so that no text has to be escaped and a reader needs no XML.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping

WORKFLOW = "latent_loom"
"""Under this name lies the workflow in its saved form."""

PARAMETERS = "latent_loom_parameters"
"""Under this name lies, as JSON, what the picture was computed from, and with what."""

PLAIN = "parameters"
"""Under this name lies what other programs read: prompts and settings as plain text."""

LIMIT = 16 * 2**20
"""Bytes that the texts of a picture may have."""

_NAMESPACE = "https://latent-loom.invalid/xmp/1"
_TEXTS = re.compile(rb"<loom:texts>([A-Za-z0-9+/=\s]*)</loom:texts>")


class BadTexts(ValueError):
    """What a picture carries is damaged or too long; the message is a sentence."""


def packet(texts: Mapping[str, str]) -> bytes:
    """An XMP packet that holds the texts."""
    whole = json.dumps(dict(texts), ensure_ascii=False).encode("utf-8", "surrogatepass")
    data = base64.b64encode(zlib.compress(whole, 9)).decode()
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:loom="{_NAMESPACE}">'
        f"<loom:texts>{data}</loom:texts>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def unpacked(found: bytes) -> dict[str, str]:
    """The texts in an XMP packet, none where it is another program's. Raises `BadTexts`."""
    match = _TEXTS.search(found)
    if match is None:
        return {}
    try:
        inflater = zlib.decompressobj()
        whole = inflater.decompress(base64.b64decode(match[1]), LIMIT)
        if inflater.unconsumed_tail:
            raise BadTexts(f"The text in the picture is longer than {LIMIT // 2**20} MiB.")
        if not inflater.eof:
            raise BadTexts("The text in the picture is cut off.")
        texts = json.loads(whole.decode("utf-8", "surrogatepass"))
    except (zlib.error, RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadTexts("The text in the picture is damaged.") from error
    except ValueError as error:
        if isinstance(error, BadTexts):
            raise
        raise BadTexts("The text in the picture is damaged.") from error
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise BadTexts("The text in the picture is damaged.")
    return texts
