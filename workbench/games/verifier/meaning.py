"""What the word "valid" means: what a verified certificate proves, and what it does not.

The sentences are made from the document that was proved, so a claim that the file does not make is not listed. Shown
beside the word wherever it is said.
"""

import math
from dataclasses import dataclass

from .model import BoundsOnly, Document, Formulas, NormalForm, Quadratic


@dataclass(frozen=True)
class Meaning:
    """Two lists of sentences."""

    proves: tuple[str, ...]
    not_proved: tuple[str, ...]


def of_certificate(document: Document) -> Meaning:
    """Return what a certificate that was verified proves."""
    where = _where(document)
    proves = [
        f"Contraction: two solutions of x' = −F(x) approach each other at the rate α = {document.margin!r} or faster "
        f"in |·|_M, M = diag(w_i I), as long as both are {where}.",
        f"β = {document.beta!r} is a Lipschitz constant of F in the same norm, {where}.",
    ]
    if document.kind == "perron":
        proves += [
            "The metric is w_i = v_i/z_i; the weights in the file are these, rounded to 12 digits.",
            f"Euler steps: each h ≤ {document.step_h0!r} (h₀) shrinks distances by 1 − hα or less; each "
            f"h < {document.step_paper!r} (the paper's step) shrinks them; up to h = {document.step_sharp!r} "
            "(the sharp step) max_i |x_i|/u_i shrinks, u the vector in the file.",
            f"RK4 steps up to {document.step_rk4!r} do not expand, if the stages stay {where}.",
            "Rates by player up to those in the file, also unequal ones, shrink max_i |x_i|/z_i.",
        ]
    else:
        proves.append(
            f"Euler steps up to {document.step_sharp!r} do not expand, and those below {document.step_paper!r} shrink."
        )
        proves += _leafwise_steps(document)
    if document.scale is not None:
        proves.append(
            f"The largest curvature or coupling in play is {document.scale!r} = 2^{round(math.log2(document.scale))}, "
            "up to a factor of two; all numbers here are those of the game in the file, in its own units."
        )
    if document.band is not None:
        proves.append(
            f"Every ratio of metric weights w₂/w₁ from {document.band[0]!r} to {document.band[1]!r} (0 and ∞ "
            f"themselves left out) has a margin of at least {document.goal!r}."
        )
    if document.tau is not None:
        proves.append(f"No weights give these bounds a margin above τ = {document.tau!r}, to 9 digits.")
    if document.basin is not None:
        proves.append(
            "There is exactly one equilibrium in the small box in the file, and every start within "
            f"{document.basin.radius!r} of it in |·|_M converges to it."
        )
    proves.append(_about_game(document))
    return Meaning(tuple(proves), tuple(_not_proved(document)))


def _leafwise_steps(document: Document) -> list[str]:
    proves = []
    if document.step_h0 is not None:
        proves.append(
            f"Each Euler step h ≤ {document.step_h0!r} (h₀) shrinks distances by 1 − {document.rate_h0!r} h or less."
        )
    if document.step_rk4 is not None:
        proves.append(f"RK4 steps up to {document.step_rk4!r} do not expand, if the stages stay in the region.")
    if document.player_steps is not None:
        proves.append(
            "Rates by player η_i up to those in the file, also unequal and changing, shrink max_i |x_i|/z_i, z the "
            f"vector in the file: the part of player i is at most 1 − {document.rate_players!r} η_i of it afterwards."
        )
    return proves


def of_refusal(document: Document) -> Meaning:
    """Return what a refusal that was verified proves."""
    goal = f"a margin above {document.goal!r}"
    not_proved = [
        "That the game does not converge: other metrics, or signs of the couplings, may still give a proof.",
        "The reason in the file: it is its author's words.",
        "That the game in the file is the one you mean.",
    ]
    if isinstance(document.game, Formulas):
        proves = f"At the witness point of the region no metric weights give {goal}, so none do on the region."
    elif isinstance(document.game, BoundsOnly):
        proves = f"No metric weights give {goal} to all games within the bounds in the file."
        not_proved.append("That any particular game needs bounds as wide as these.")
    elif isinstance(document.game, NormalForm):
        proves = f"With the couplings ‖PAP‖/2 of the payoffs in the file no metric weights give {goal}."
        not_proved.append(
            "That the true couplings are as large: with three actions or more they may be smaller, and on a region of "
            "logits too."
        )
    else:
        proves = f"No metric weights give {goal} to the game in the file, anywhere."
    return Meaning((proves,), tuple(not_proved))


def _where(document: Document) -> str:
    if isinstance(document.game, Formulas):
        return "in the region"
    if isinstance(document.game, BoundsOnly):
        return "where the bounds hold"
    return "anywhere"


def _about_game(document: Document) -> str:
    if isinstance(document.game, BoundsOnly):
        return "All this for every game whose Jacobian keeps the bounds in the file."
    if isinstance(document.game, Quadratic):
        return "The game with the matrix in the file keeps the bounds."
    if isinstance(document.game, NormalForm):
        return "The game with the payoffs and the temperature in the file keeps the bounds, for all logits."
    return "The formulas in the file were bounded on every box of the region, in ball arithmetic."


def _not_proved(document: Document) -> list[str]:
    open_questions = [
        "The reason in the file: it is its author's words.",
        "That a larger step, rate or band fails, or that other weights are worse.",
        "Anything about rounding in a program that plays the game.",
    ]
    if isinstance(document.game, BoundsOnly):
        open_questions.insert(0, "That any game, and which, keeps the bounds: they are taken as given.")
    else:
        open_questions.insert(0, "That the game in the file is the one you mean: read its formulas, matrix or payoffs.")
    if document.basin is None and not isinstance(document.game, (Quadratic, NormalForm)):
        open_questions.append("That an equilibrium exists, or that a solution stays in the region without projection.")
    if isinstance(document.game, Formulas) and not document.game.costs:
        open_questions.append("That the field belongs to costs: it is given by itself.")
    if document.kind == "leafwise" and document.player_steps is None:
        open_questions.append("That players may use rates of their own: the file gives no common vector z for them.")
    if document.tau is None:
        open_questions.append("How much better other weights could be: the file gives no τ.")
    return open_questions
