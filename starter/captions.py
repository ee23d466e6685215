"""Plain English captions of scenes, in the ways that people write prompts."""

import random

from starter.scenes import SIZES, Scene, Thing

SYNONYMS: dict[str, tuple[str, ...]] = {
    "large": ("large", "large", "large", "big"),
    "small": ("small", "small", "small", "little"),
    "grey": ("grey", "gray"),
}
RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "left of": ("left of", "left of", "to the left of"),
    "right of": ("right of", "right of", "to the right of"),
    "above": ("above", "above", "over"),
    "below": ("below", "below", "under"),
}
OPENINGS = ("a picture of", "a drawing of", "an image of", "a photo of", "a painting of")
FILLERS = ("nice", "simple", "beautiful", "bright", "clean", "please", "very", "best quality")


def caption(scene: Scene, rng: random.Random) -> str:
    """One of many captions that fit the scene; now and then it leaves the background out."""
    things = [describe(thing, rng) for thing in scene.things]
    if scene.relation is None:
        subject = things[0]
    elif rng.random() < 0.05:
        subject = f"{things[0]} and {things[1]}"
    else:
        subject = f"{things[0]} {rng.choice(RELATION_WORDS[scene.relation])} {things[1]}"
    text = _with_background(subject, scene, rng)
    if rng.random() < 0.06:
        text = f"{rng.choice(OPENINGS)} {text}"
    if rng.random() < 0.04:
        text = f"{text}, {rng.choice(FILLERS)}"
    if rng.random() < 0.05:
        text = _drop_articles(text)
    return text


def plain_caption(scene: Scene) -> str:
    """The scene's one plainest caption; proofs use it."""
    rng = _FirstChoice()
    subject = f" {scene.relation} ".join(describe(thing, rng) for thing in scene.things)
    background = " ".join(filter(None, (scene.background_style, scene.background)))
    return f"{subject} on {_article(background)} {background} background"


def describe(thing: Thing, rng: random.Random) -> str:
    """A thing with its article, such as "a large striped red circle"."""
    words = [_word(thing.size, rng), thing.style, _word(thing.colour, rng), thing.shape]
    phrase = " ".join(word for word in words if word)
    if thing.style and thing.size and rng.random() < 0.3:
        phrase = " ".join([thing.style, words[0] or "", *(str(word) for word in words[2:])])
    return f"{_article(phrase)} {phrase}"


def words_of_captions() -> list[str]:
    """Every word that captions can hold, sorted; the vocabulary is made of them."""
    from starter.scenes import COLOURS, SHAPES, STYLES

    phrases = [*COLOURS, *SHAPES, *SIZES, *STYLES, *OPENINGS, *FILLERS]
    for choices in (*SYNONYMS.values(), *RELATION_WORDS.values()):
        phrases += choices
    phrases += ["a an the and on with in background of to , ."]
    return sorted({word for phrase in phrases for word in phrase.split()})


class _FirstChoice(random.Random):
    """A die that always falls on the first choice, and never on a rare one."""

    def choice(self, seq):  # type: ignore[no-untyped-def]  # the base class's own form
        return seq[0]

    def random(self) -> float:
        return 0.999


def _with_background(subject: str, scene: Scene, rng: random.Random) -> str:
    colour = _word(scene.background, rng)
    background = " ".join(filter(None, (scene.background_style, colour)))
    if scene.background_style and rng.random() < 0.3:
        background = f"{colour} {scene.background_style}"
    die = rng.random()
    if die < 0.05:
        return subject
    if die < 0.75:
        return f"{subject} on {_article(background)} {background} background"
    if die < 0.87:
        return f"{subject}, {background} background"
    if die < 0.95:
        return f"{subject} with {_article(background)} {background} background"
    return f"{subject} on {background}"


def _word(word: str | None, rng: random.Random) -> str | None:
    return rng.choice(SYNONYMS[word]) if word in SYNONYMS else word


def _article(phrase: str) -> str:
    return "an" if phrase[0] in "aeiou" else "a"


def _drop_articles(text: str) -> str:
    return " ".join(word for word in text.split() if word not in ("a", "an", "the"))
