"""Write the table of rooms into docs/index.md, between its two marks: `python docs/make_index.py`.

A test keeps the page equal to what this script writes, so a new room needs no hand here.
"""

from pathlib import Path

from workbench.rooms import ROOMS

PAGE = Path(__file__).resolve().with_name("index.md")
BEGIN, END = "<!-- rooms -->", "<!-- /rooms -->"


def table() -> str:
    """Return the rows: title, what a person does there, the notebook, the package."""
    rows = [
        f"| **{room.title}** | {room.purpose} | [notebook](../notebooks/{name}.ipynb) | `workbench.{name}` |"
        for name, room in ROOMS.items()
    ]
    return "\n".join(["| room | what you do there | | in Python |", "|---|---|---|---|", *rows])


def updated(page: str) -> str:
    """Return the page with a fresh table."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
