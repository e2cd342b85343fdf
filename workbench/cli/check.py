"""``workbench check certificate.json``: is it a proof?"""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import console


def check(
    certificate: Annotated[Path, typer.Argument(help="A certificate that games.certify saved as JSON.")],
    print_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Verify a contraction certificate.

    In exact arithmetic, knowing nothing of how it was found.

    Exit code 0: every claim is proved. 1: it is no proof, and the answer says which claim fails.
    """
    if not certificate.is_file():
        raise FileNotFoundError(f"there is no file {str(certificate)!r}")
    from workbench import games

    report = games.verify(certificate)
    if print_json:
        console.say_json({"file": str(certificate), "valid": report.valid, "message": report.message})
    else:
        console.say(f"{'valid' if report.valid else 'NOT valid'}: {report.message}")
    raise typer.Exit(console.YES if report.valid else console.NO)
