"""A batch's pictures as one HTML page that needs nothing else; every text in it is escaped."""

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path

from server.contact_sheet import (
    Cell,
    Sheet,
    Table,
    axes_line,
    edge_of,
    note_of,
    small_picture,
    tables,
)

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""The page's own Content-Security-Policy: no script of anybody's runs, and nothing is loaded."""

STYLE = """
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.2rem; margin: 0; }
h2 { font-size: 1rem; margin: 1.5rem 0 0; }
p { margin: 0.2rem 0 1rem; opacity: 0.75; }
table { border-collapse: separate; border-spacing: 8px; }
th { font-weight: 600; text-align: left; max-width: 16rem; vertical-align: top; }
td { vertical-align: top; max-width: 18rem; overflow-wrap: anywhere; }
img { display: block; border-radius: 3px; }
.note { box-sizing: border-box; padding: 0.5rem; border: 1px dashed #8888; border-radius: 3px; }
.failed { color: #c33; }
"""


def page(sheet: Sheet, cache: Path, max_pixels: int) -> str:
    """The sheet as HTML; small pictures are kept in `cache`. Raises `TooLarge`."""
    edge = edge_of(sheet)

    def picture(cell: Cell | None) -> str:
        return _picture(cell, small_picture(cell, edge, cache, max_pixels), edge)

    parts = "".join(_table(table, picture) for table in tables(sheet))
    title = escape(sheet.title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><p>{escape(axes_line(sheet))}</p>\n{parts}</body></html>\n"
    )


def _table(table: Table, picture: Callable[[Cell | None], str]) -> str:
    rows = []
    if table.columns:
        corner = "<td></td>" if table.rows else ""
        heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in table.columns)
        rows.append(f"<tr>{corner}{heads}</tr>")
    for number, line in enumerate(table.cells):
        head = f'<th scope="row">{escape(table.rows[number])}</th>' if table.rows else ""
        captions = table.captions[number] if table.captions else [""] * len(line)
        cells = "".join(
            f"<td>{picture(cell)}{escape(caption)}</td>"
            for cell, caption in zip(line, captions, strict=True)
        )
        rows.append(f"<tr>{head}{cells}</tr>")
    title = f"<h2>{escape(table.title)}</h2>" if table.title else ""
    return f"{title}<table>{''.join(rows)}</table>\n"


def _picture(cell: Cell | None, small: Path | None, edge: int) -> str:
    if small is None:
        kind = "note failed" if cell is not None and cell.failed else "note"
        return f'<div class="{kind}" style="width: {edge}px">{escape(note_of(cell))}</div>'
    data = base64.b64encode(small.read_bytes()).decode()
    return f'<img alt="" loading="lazy" src="data:image/webp;base64,{data}">'
