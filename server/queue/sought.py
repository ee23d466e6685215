"""What a picture of the gallery must be like, and how the database looks for such ones."""

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sought:
    """What a picture must be like: every word of `search` begins a word of its prompt, its title,
    a model, a family or its date (2026-11-21)."""

    search: str = ""
    model: str | None = None
    family: str | None = None
    starred: bool = False
    trashed: bool = False
    run: str | None = None


@dataclass(frozen=True)
class Query:
    """A query's parts; the pictures come in the order of `by`, the highest first."""

    tables: str
    by: str
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def text(self, columns: str) -> str:
        where = " AND ".join(self.conditions) or "1"
        return f"SELECT {columns} FROM {self.tables} WHERE {where}"


def query_of(sought: Sought, before: int | None) -> Query:
    """What finds such pictures, those below the number `before` where it is given."""
    words = _match(sought.search)
    if words:
        query = Query(
            "picture_words JOIN picture ON picture.number = picture_words.rowid",
            "picture_words.rowid",
            ["picture_words MATCH ?"],
            [words],
        )
    elif sought.model is not None or sought.family is not None:
        query = Query("picture_tag AS tag JOIN picture ON number = tag.picture", "tag.picture")
    else:
        query = Query("picture", "number")
    tags = [("model", sought.model), ("family", sought.family)]
    wanted = [(kind, name) for kind, name in tags if name is not None]
    if wanted and not words:
        query.conditions.append("tag.kind = ? AND tag.name = ?")
        query.values.extend(wanted.pop(0))
    for kind, name in wanted:
        query.conditions.append(
            "EXISTS (SELECT 1 FROM picture_tag WHERE kind = ? AND name = ?"
            f" AND picture = {query.by})"
        )
        query.values.extend((kind, name))
    query.conditions.append(f"trashed IS {'NOT ' if sought.trashed else ''}NULL")
    if sought.starred:
        query.conditions.append("starred")
    if sought.run is not None:
        query.conditions.append("picture.run = ?")
        query.values.append(sought.run)
    if before is not None:
        query.conditions.append(f"{query.by} < ?")
        query.values.append(before)
    return query


def _match(search: str) -> str:
    """The words in FTS5's language, each as the beginning of one; "" where there is none."""
    quoted = (word.replace('"', '""') for word in search.split() if re.search(r"\w", word))
    return " ".join(f'"{word}"*' for word in quoted)
