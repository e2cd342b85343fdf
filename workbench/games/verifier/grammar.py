"""The closed grammar of certificates: plain JSON in, typed immutable objects out, or a sentence that refuses.

Every key, type, length, index and size is looked at here, once, and what it means is fixed here for all claims. Keys
that are unknown or missing are refused; a number is a finite double within ±1e300 (an integer below 2^53 counts as
one); the word "inf" may stand in one place only, the upper end of the band.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import model
from .document import FORMAT, READABLE, Refused
from .exact import Couplings

LARGEST = 1e300
LONGEST_REASON = 20_000
MOST_PLAYERS = 2_000_000
MOST_COUPLINGS = 20_000_000
MOST_COORDINATES = 4_000
MOST_INSTRUCTIONS = 100_000
MOST_NODES = 2_000_000
MOST_PAYOFFS = 1_000_000
STATUSES = ("CERTIFIED", "ESTIMATED", "REFUSED", "UNKNOWN")
KINDS = ("perron", "leafwise")
SCALARS = ("margin", "tau", "beta", "step_paper", "step_h0", "step_sharp", "step_rk4", "target")
NEW_SCALARS = ("rate_h0", "rate_players", "scale")  # since version 2; a file of version 1 claims none of them
VECTORS = ("weights", "z", "v", "player_steps", "beta_vector", "sharp_vector")
OTHERS = ("format", "version", "status", "reason", "kind", "attained")
OTHERS += ("band", "bounds", "region", "tree", "game", "witness", "basin")


def parse(plain: Any) -> model.Document:
    """Return the certificate as a :class:`~.model.Document`; raises :class:`Refused` if it is not in the grammar.

    ``plain`` is what :func:`.document.read` returns, or the same with arrays in the place of lists.
    """
    if type(plain) is dict:
        plain = {key: value for key, value in plain.items() if key != "digest"}
    version = plain.get("version") if type(plain) is dict else None
    if type(version) is not int or version not in READABLE or plain.get("format") != FORMAT:
        raise Refused(
            f"this checker reads versions {READABLE[0]} and {READABLE[-1]} of {FORMAT} and no other", "version"
        )
    scalars = SCALARS + NEW_SCALARS if version >= 2 else SCALARS
    entries = keyed(plain, (*OTHERS, *scalars, *VECTORS), "the certificate")
    entries = {**dict.fromkeys(NEW_SCALARS), **entries}
    game = read_game(entries["game"])
    bounds = None if entries["bounds"] is None else _bounds(entries["bounds"])
    players = _players(game, bounds)
    region = None if entries["region"] is None else _region(entries["region"], game)
    return model.Document(
        status=_word(entries["status"], STATUSES, "status"),
        reason=_reason(entries["reason"]),
        kind=_word(entries["kind"], KINDS, "kind"),
        attained=_truth(entries["attained"], "attained"),
        band=None if entries["band"] is None else _band(entries["band"], players),
        bounds=bounds,
        region=region,
        tree=None if entries["tree"] is None else _tree(entries["tree"], game, region),
        game=game,
        witness=None if entries["witness"] is None else _witness(entries["witness"], game, players),
        basin=None if entries["basin"] is None else _basin(entries["basin"], game),
        **{name: None if entries[name] is None else number(entries[name], name) for name in SCALARS + NEW_SCALARS},
        **{name: None if entries[name] is None else numbers(entries[name], name, players) for name in VECTORS},
    )


def keyed(value: Any, names: Sequence[str], where: str) -> dict[str, Any]:
    """Return ``value`` if it is an object with exactly these keys."""
    if type(value) is not dict:
        raise Refused(f"{where} is not an object with named entries")
    unknown, missing = [k for k in value if k not in names], [k for k in names if k not in value]
    if unknown or missing:
        told = [
            f"{word} {', '.join(map(repr, keys))[:80]}"
            for word, keys in (("unknown", unknown), ("missing", missing))
            if keys
        ]
        raise Refused(f"{where} has other entries than it should: {'; '.join(told)}")
    return value


def number(value: Any, where: str) -> float:
    """Return a finite double within ±1e300.

    >>> number(0.5, "margin")
    0.5
    """
    if type(value) is int and abs(value) <= 2**53:
        value = float(value)
    if type(value) is not float or not abs(value) <= LARGEST:
        raise Refused(f"{where} is not a finite number within ±{LARGEST:g}", where)
    return value


def integer(value: Any, where: str, low: int, high: int) -> int:
    """Return an integer within the limits; True is none."""
    if type(value) is not int or not low <= value <= high:
        raise Refused(f"{where} is not an integer from {low} to {high}", where)
    return value


def numbers(value: Any, where: str, length: int | None = None, most: int = MOST_COUPLINGS) -> NDArray:
    """Return a read-only vector of finite doubles within ±1e300."""
    told = "finite numbers" if length is None else f"{length} finite numbers"
    if isinstance(value, np.ndarray):
        good = value.dtype == np.float64 and value.ndim == 1
    else:
        good = type(value) in (list, tuple) and set(map(type, value)) <= {float, int}
        good = good and all(abs(x) <= 2**53 for x in value if type(x) is int)
    if not good or len(value) > most or length not in (None, len(value)):
        raise Refused(f"{where} is not a list of {told} within ±{LARGEST:g}", where)
    array = np.array(value, dtype=np.float64)
    if not np.all(np.abs(array) <= LARGEST):
        raise Refused(f"{where} is not a list of {told} within ±{LARGEST:g}", where)
    array.setflags(write=False)
    return array


def integers(value: Any, where: str, low: int, high: int, most: int) -> NDArray:
    """Return a read-only vector of integers within the limits."""
    if isinstance(value, np.ndarray):
        good = value.dtype.kind == "i" and value.ndim == 1
    else:
        good = type(value) in (list, tuple) and set(map(type, value)) <= {int}
        good = good and all(-(2**62) < x < 2**62 for x in value)
    if not good or len(value) > most:
        raise Refused(f"{where} is not a list of integers", where)
    array = np.array(value, dtype=np.int64)
    if not np.all((array >= low) & (array <= high)):
        worst = int(array[(array < low) | (array > high)][0])
        raise Refused(f"{where} holds {worst}, which does not exist: {low} to {high} do", where)
    array.setflags(write=False)
    return array


def tensor(value: Any, depth: int, where: str, most: int) -> NDArray:
    """Return a read-only array of ``depth`` axes from nested lists; ragged or empty ones are refused."""
    level, shape = [value], []
    for _ in range(depth):
        lengths = {len(part) if type(part) in (list, tuple) else 0 for part in level}
        if len(lengths) != 1 or 0 in lengths or len(level) * max(lengths) > most:
            raise Refused(f"{where} is ragged, empty or too large: each row must be as long as the others", where)
        shape.append(lengths.pop())
        level = [entry for part in level for entry in part]
    array = numbers(level, where, most=most).reshape(shape)
    array.setflags(write=False)
    return array


def read_game(plain: Any) -> model.Game:
    """Return the game; its "type" decides which other entries there must be."""
    kind = plain.get("type") if type(plain) is dict else None
    if kind == "bounds":
        keyed(plain, ("type",), "the game")
        return model.BoundsOnly()
    if kind == "sampled":
        keyed(plain, ("type",), "the game")
        return model.Sampled()
    if kind == "quadratic":
        entries = keyed(plain, ("type", "sizes", "matrix"), "the game")
        sizes = _sizes(entries["sizes"])
        matrix = tensor(entries["matrix"], 2, "the game's matrix", MOST_COORDINATES**2)
        if matrix.shape != (sum(sizes),) * 2:
            raise Refused("the game's matrix does not fit its players", "game")
        return model.Quadratic(sizes, matrix)
    if kind == "normal-form":
        return _normal_form(keyed(plain, ("type", "temperature", "payoffs"), "the game"))
    if kind == "smooth":
        return formulas(plain)
    raise Refused(f"unknown kind of game {kind!r:.80}", "game")


def formulas(plain: Any) -> model.Formulas:
    """Return a game of formulas: every operation, operand, index, exponent and count is checked."""
    entries = keyed(plain, ("type", "sizes", "source", "program"), "the game")
    sizes = _sizes(entries["sizes"])
    costs = _word(entries["source"], ("costs", "field"), "source") == "costs"
    if not costs and set(sizes) != {1}:
        raise Refused("a game given by its field must have one coordinate a player", "game")
    program = _program(entries["program"], sum(sizes))
    if len(program.outputs) != (len(sizes) if costs else sum(sizes)):
        raise Refused("the number of stored formulas does not fit the players", "game")
    return model.Formulas(sizes, costs, program)


def _program(plain: Any, inputs: int) -> model.Program:
    entries = keyed(plain, ("inputs", "instructions", "outputs"), "the program")
    if integer(entries["inputs"], "the number of inputs", 1, MOST_COORDINATES) != inputs:
        raise Refused("the stored formulas do not have as many inputs as the players have coordinates", "game")
    listed = entries["instructions"]
    if type(listed) is not list or not 0 < len(listed) <= MOST_INSTRUCTIONS:
        raise Refused(f"the stored formulas are not a list of 1 to {MOST_INSTRUCTIONS:,} instructions", "game")
    steps = tuple(_instruction(entry, number, inputs) for number, entry in enumerate(listed))
    outputs = integers(entries["outputs"], "the list of outputs", 0, len(steps) - 1, MOST_COORDINATES)
    return model.Program(inputs, steps, tuple(outputs.tolist()))


def _instruction(plain: Any, position: int, inputs: int) -> model.Instruction:
    where = f"instruction {position} of the stored formulas"
    if type(plain) is not list or len(plain) != 3 or type(plain[0]) is not str or type(plain[1]) is not list:
        raise Refused(f"{where} is not [operation, arguments, number]", "game")
    operation, arguments, value = plain
    if operation not in model.ARITY:
        raise Refused(f"unknown operation {operation[:40]!r} in {where}", "game")
    if len(arguments) != model.ARITY[operation]:
        raise Refused(f"{where}, {operation}, takes {model.ARITY[operation]} arguments, not {len(arguments)}", "game")
    if any(type(k) is not int or not 0 <= k < position for k in arguments):
        raise Refused(f"{where} refers to something that was not computed before", "game")
    if operation == "const":
        value = number(value, f"the constant of {where}")
    elif operation == "var":
        value = integer(value, f"the coordinate of {where}", 0, inputs - 1)
    elif operation == "pow":
        value = integer(value, f"the exponent of {where}", model.SMALLEST_EXPONENT, model.LARGEST_EXPONENT)
    else:
        value = integer(value, f"the idle number of {where}", 0, 0)
    return model.Instruction(operation, tuple(arguments), value)


def _normal_form(entries: dict[str, Any]) -> model.NormalForm:
    temperature, tables = number(entries["temperature"], "temperature"), entries["payoffs"]
    if not temperature > 0 or type(tables) is not list or not 2 <= len(tables) <= 30:
        raise Refused("a game in normal form has a positive temperature and 2 to 30 payoff tables", "game")
    payoffs = tuple(tensor(table, len(tables), "a payoff table", MOST_PAYOFFS) for table in tables)
    if len({table.shape for table in payoffs}) != 1:
        raise Refused("the payoff tables of the players do not have one shape", "game")
    return model.NormalForm(temperature, payoffs)


def _sizes(plain: Any) -> tuple[int, ...]:
    sizes = tuple(
        integers(plain, "the players' numbers of coordinates", 1, MOST_COORDINATES, MOST_COORDINATES).tolist()
    )
    if not 0 < sum(sizes) <= MOST_COORDINATES:
        raise Refused(f"a game here has 1 to {MOST_COORDINATES} coordinates", "game")
    return sizes


def _bounds(plain: Any) -> model.Bounds:
    entries = keyed(plain, ("mu", "ell", "rows", "columns", "values", "proved"), "the bounds")
    mu = numbers(entries["mu"], "mu", most=MOST_PLAYERS)
    n = mu.size
    ell = numbers(entries["ell"], "ell", n)
    values = numbers(entries["values"], "the couplings")
    rows, columns = (integers(entries[k], k, 0, n - 1, MOST_COUPLINGS) for k in ("rows", "columns"))
    if n == 0 or not rows.size == columns.size == values.size:
        raise Refused("the couplings need one row, one column and one value each, and a player at least", "bounds")
    if not (np.all(rows != columns) and np.all(values >= 0) and np.all(mu <= ell)):
        raise Refused("the bounds have a negative or own coupling, or ell below mu", "bounds")
    if np.unique(rows * n + columns).size != rows.size:
        raise Refused("a coupling between two players is listed twice", "bounds")
    return model.Bounds(mu, ell, Couplings(rows, columns, values, n), _truth(entries["proved"], "proved"))


def _players(game: model.Game, bounds: model.Bounds | None) -> int | None:
    """The number of players that game and bounds agree on."""
    sizes = getattr(game, "sizes", None)
    if sizes is not None and bounds is not None and len(sizes) != bounds.players:
        raise Refused(f"the bounds have {bounds.players} players, the game {len(sizes)}", "bounds")
    return len(sizes) if sizes is not None else None if bounds is None else bounds.players


def _region(plain: Any, game: model.Game) -> model.Region:
    entries = keyed(plain, ("lower", "upper"), "the region")
    lower, upper = _sides(entries, "region", _dimension(game))
    return model.Region(lower, upper)


def _basin(plain: Any, game: model.Game) -> model.Basin:
    entries = keyed(plain, ("lower", "upper", "radius"), "the basin")
    lower, upper = _sides(entries, "basin", _dimension(game))
    radius = number(entries["radius"], "the basin's radius")
    if not radius > 0:
        raise Refused("the basin's radius is not positive", "basin")
    return model.Basin(lower, upper, radius)


def _sides(entries: dict[str, Any], where: str, dimension: int | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    lower = numbers(entries["lower"], f"the lower sides of the {where}", dimension)
    upper = numbers(entries["upper"], f"the upper sides of the {where}", lower.size)
    if lower.size == 0 or not np.all(lower < upper):
        raise Refused(f"the {where} is empty or flat", where)
    return tuple(lower.tolist()), tuple(upper.tolist())


def _dimension(game: model.Game) -> int | None:
    sizes = getattr(game, "sizes", None)
    return None if sizes is None else sum(sizes)


def _tree(plain: Any, game: model.Game, region: model.Region | None) -> tuple[int, ...]:
    if not isinstance(game, model.Formulas) or region is None:
        raise Refused("a tree of boxes needs a game of formulas and a region", "tree")
    codes = integers(plain, "the tree of boxes", -1, sum(game.sizes) - 1, MOST_NODES)
    still_open = 1 + np.cumsum(np.where(codes < 0, -1, 1))
    if codes.size == 0 or still_open[-1] > 0:
        raise Refused("the tree of boxes does not cover the region", "tree")
    if not np.all(still_open[:-1] > 0):
        raise Refused("the tree of boxes has entries left over", "tree")
    return tuple(codes.tolist())


def _witness(plain: Any, game: model.Game, players: int | None) -> model.Witness:
    at_point = type(plain) is dict and "point" in plain
    entries = keyed(plain, ("vector", "ceiling", "point") if at_point else ("vector", "ceiling"), "the witness")
    vector = numbers(entries["vector"], "the witness vector", players, MOST_PLAYERS)
    if not (np.all(vector >= 0) and np.any(vector > 0)):
        raise Refused("the witness must be non-negative and not zero", "witness")
    point = tuple(numbers(entries["point"], "the witness point", _dimension(game)).tolist()) if at_point else None
    return model.Witness(vector, number(entries["ceiling"], "the ceiling"), point)


def _band(plain: Any, players: int | None) -> tuple[float, float]:
    if players != 2 or type(plain) is not list or len(plain) != 2:
        raise Refused("a band has two ends, and only games of two players have one", "band")
    low = number(plain[0], "the lower end of the band")
    unbounded = type(plain[1]) is str and plain[1] == "inf"
    high = model.INFINITE if unbounded else number(plain[1], "the upper end of the band")
    if not 0 <= low < high:
        raise Refused("the band's ends are not 0 <= lower < upper", "band")
    return low, high


def _word(value: Any, allowed: Sequence[str], where: str) -> str:
    if type(value) is not str or value not in allowed:
        raise Refused(f"unknown {where} {value!r:.80}: it must be one of {', '.join(allowed)}", where)
    return value


def _truth(value: Any, where: str) -> bool:
    if type(value) is not bool:
        raise Refused(f"{where} is neither true nor false", where)
    return value


def _reason(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_REASON:
        raise Refused(f"the reason is not a text of at most {LONGEST_REASON:,} characters", "reason")
    return value
