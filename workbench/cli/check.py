"""``workbench check certificate.json``: is it a proof?"""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import console


def check(
    certificate: Annotated[Path, typer.Argument(help="A certificate (JSON): a game's, or a plan's.")],
    print_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    seconds: Annotated[float, typer.Option(help="End the check after this many seconds.")] = 600.0,
    memory: Annotated[float, typer.Option(help="End the check beyond this many GiB of memory.")] = 8.0,
) -> None:
    """Verify a certificate: of a game's contraction, or of a plan against the worst case.

    In exact arithmetic, knowing nothing of how it was found, in a process of its own. Says what the certificate proves
    and what it does not.

    Exit code 0: every claim is proved. 1: it is no proof, and the answer says which claim fails.
    """
    if not certificate.is_file():
        raise FileNotFoundError(f"there is no file {str(certificate)!r}")
    from workbench import checks
    from workbench.games.robust.examination import examine_plan, is_plan
    from workbench.games.verifier import examine_apart
    from workbench.games.verifier.verify import content_of

    limit = checks.real("--seconds", seconds, exclusive_minimum=0)
    room = int(checks.real("--memory", memory, exclusive_minimum=0) * 2**30)
    content = content_of(certificate)
    examine = examine_plan if is_plan(content) else examine_apart
    found = examine(content, seconds=limit, memory=room)
    report, refusal = found.report, found.refusal
    told = refusal if refusal else report
    if print_json:
        console.say_json(
            {
                "file": str(certificate),
                "valid": report.valid,
                "message": report.message,
                "refusal": refusal.valid,
                "proves": told.proves,
                "not_proved": told.not_proved,
            }
        )
    else:
        console.say(f"{'valid' if report.valid else 'NOT valid'}: {report.message}")
        if refusal:
            console.say(f"its refusal is verified: {refusal.message}")
        for title, sentences in (("It proves", told.proves), ("It does not prove", told.not_proved)):
            if sentences:
                console.say("\n".join([f"{title}:", *(f"  - {sentence}" for sentence in sentences)]))
    raise typer.Exit(console.YES if report.valid else console.NO)
