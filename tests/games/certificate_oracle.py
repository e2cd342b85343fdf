"""A second engine that says which claims of a certificate are false; it shares no line with the checker.

Eigenvalues in mpmath (30 digits) for what is about numbers, finite differences at points of the region for formulas.
It looks for *false* claims only: what it cannot decide it does not report, so a document without a finding may still be
unproved. A document that has no meaning at all raises ``Meaningless``.
"""

import itertools

import mpmath
import numpy as np
from formula_oracle import (
    ROUGH,
    Meaningless,
    blocks_at,
    clear_blocks,
    field_at,
    number,
    sides,
    sizes_of,
    vector,
)

mpmath.mp.dps = 30
CLEAR = mpmath.mpf("1e-8")  # relative: nearer than this a claim is not called false


def false_proof(document):
    """Return the first claim of a CERTIFIED certificate that is false, or None."""
    try:
        with np.errstate(all="ignore"):
            return next(_proof_findings(document), None)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, OverflowError, ZeroDivisionError) as error:
        raise Meaningless(str(error)) from None


def false_refusal(document):
    """Return the first claim of a REFUSED certificate that is false, or None."""
    try:
        with np.errstate(all="ignore"):
            return next(_refusal_findings(document), None)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, OverflowError, ZeroDivisionError) as error:
        raise Meaningless(str(error)) from None


def _proof_findings(d):
    if not _readable(d) or d["status"] != "CERTIFIED":
        yield "it is not a certificate of this version that claims a proof"
    margin = number(d["margin"])
    if margin <= 0 or (d["target"] is not None and margin < number(d["target"])):
        yield "margin below the target"
    if d["kind"] == "leafwise":
        yield from _leafwise(d, margin)
    elif d["kind"] == "perron":
        yield from _perron(d, margin)
    else:
        raise Meaningless("unknown kind")
    if d["basin"] is not None:
        yield from _basin(d)


NEW = ("rate_h0", "rate_players", "scale")


def _readable(d):
    """Version 1 lacks three entries, version 2 has them; there is no other."""
    version = d["version"]
    held = [name in d for name in NEW]
    return (
        type(version) is int
        and d["format"] == "workbench-games-certificate"
        and ((version == 1 and not any(held)) or (version == 2 and all(held)))
    )


def _scale(d, largest):
    """The scale is a power of two near the largest number in play."""
    if d.get("scale") is None:
        return
    scale = number(d["scale"])
    yield from _power_of_two(d)
    if not (2 + CLEAR) * largest >= scale or not largest <= (2 + CLEAR) * scale:
        yield "the scale is not that of the game"


def _power_of_two(d):
    if d.get("scale") is not None and (d["scale"] <= 0 or mpmath.frexp(number(d["scale"]))[0] != 0.5):
        yield "a scale that is no power of two"


def _largest(mu, ell, couplings):
    n = len(mu)
    return max(*map(abs, mu), *map(abs, ell), *(couplings[i, j] for i in range(n) for j in range(n)))


def bounds_of(d):
    """mu, ell as lists and L as a matrix of mpmath numbers."""
    stored = d["bounds"]
    n = len(stored["mu"])
    mu, ell = vector(stored["mu"], n), vector(stored["ell"], n)
    couplings = mpmath.zeros(n)
    seen = set()
    for i, j, value in zip(stored["rows"], stored["columns"], stored["values"], strict=True):
        if not (type(i) is type(j) is int and 0 <= i < n and 0 <= j < n and i != j and (i, j) not in seen):
            raise Meaningless("a coupling between nobody, or twice")
        seen.add((i, j))
        couplings[i, j] = number(value)
        if couplings[i, j] < 0:
            raise Meaningless("a negative norm")
    if n == 0 or any(a > b for a, b in zip(mu, ell, strict=True)):
        raise Meaningless("no players, or ell below mu")
    return mu, ell, couplings


def _perron(d, margin):
    mu, ell, couplings = bounds_of(d)
    n = len(mu)
    if d["bounds"]["proved"] is not True:
        yield "bounds from samples"
    if d.get("rate_h0") is not None or d.get("rate_players") is not None:
        yield "rates of steps beside the margin"
    yield from _scale(d, _largest(mu, ell, couplings))
    w, z, v = (vector(d[k], n) for k in ("weights", "z", "v"))
    u, rates = vector(d["sharp_vector"], n), vector(d["player_steps"], n)
    if min(*w, *z, *v, *u, *rates, *vector(d["beta_vector"], n)) <= 0:
        yield "a vector that is not positive"
        return
    ratio = [v[i] / z[i] * z[0] / v[0] for i in range(n)]
    if any(abs(w[i] / ratio[i] - 1) > CLEAR for i in range(n)):
        yield "weights are not v/z"
    beta, paper, first = (number(d[k]) for k in ("beta", "step_paper", "step_h0"))
    if beta <= 0:
        yield "beta is not positive"
        return
    if not 1 - CLEAR < paper * beta**2 / (2 * margin) <= 1 + CLEAR:
        yield "the paper's step is not 2 margin / beta^2"
    widest = max(a + b for a, b in zip(mu, ell, strict=True))
    if not 1 - CLEAR < first * widest / 2 <= 1 + CLEAR:
        yield "h0 is not min 2/(mu + ell)"
    if abs(number(d["step_rk4"]) / max(paper, first) - 1) > CLEAR:
        yield "the RK4 step is not the larger of the two"
    if any(r * (a + b) > 2 * (1 + CLEAR) for r, a, b in zip(rates, mu, ell, strict=True)):
        yield "a rate above 2/(mu + ell)"
    yield from _band(d, mu, couplings)
    a = mpmath.diag(mu) - couplings
    for x, matrix, name in ((z, a, "z"), (v, a.T, "v")):
        image = matrix * mpmath.matrix(x)
        if any(image[i] < margin * x[i] - CLEAR * (abs(mu[i]) * x[i] + abs(image[i])) for i in range(n)):
            yield f"the margin is not what {name} proves"
    h = number(d["step_sharp"])
    own = [max(abs(1 - h * mu[i]), abs(1 - h * ell[i])) for i in range(n)]
    moved = (mpmath.diag(own) + h * couplings) * mpmath.matrix(u)
    if h <= 0 or any(moved[i] > u[i] * (1 + CLEAR) for i in range(n)):
        yield "the sharp step expands"
    yield from _against_game(d, mu, ell, couplings)
    if _margin(a, w) < margin * (1 - CLEAR) - CLEAR * max(map(abs, mu)):
        yield "the margin is above that of the weights"
    size = mpmath.diag([max(abs(x), abs(y)) for x, y in zip(mu, ell, strict=True)])
    if _norm(_scaled(size + couplings, w)) > beta * (1 + CLEAR):
        yield "beta is below the Lipschitz constant"
    yield from _tau(d, a, margin)


def _tau(d, a, margin):
    if d["tau"] is None:
        if d["attained"]:
            yield "tau is attained, and not told"
        return
    tau, true = number(d["tau"]), _smallest_real(a)
    scale = max(abs(true), *(abs(a[i, i]) for i in range(a.rows)))
    if abs(tau - true) > CLEAR * scale:
        yield "tau is not the smallest eigenvalue"
    if d["attained"] and (margin is None or margin < tau - CLEAR * scale):
        yield "tau is not attained"


def _band(d, mu, couplings):
    band = d["band"]
    if band is None:
        return
    if len(mu) != 2 or len(band) != 2:
        raise Meaningless("a band of other than two players")
    target = number(d["target"]) if d["target"] is not None else mpmath.mpf(0)
    low = number(band[0])
    high = mpmath.inf if band[1] == "inf" else number(band[1])
    if not 0 <= low < high:
        yield "the band's ends are out of order"
        return
    own = [m - target for m in mu]
    for r in (
        low * (1 + CLEAR) if low > 0 else high * mpmath.mpf("1e-12") if high < mpmath.inf else mpmath.mpf("1e-9"),
        high * (1 - CLEAR) if high < mpmath.inf else max(low, 1) * mpmath.mpf("1e12"),
    ):
        if min(own) <= 0 or 4 * r * own[0] * own[1] < (couplings[0, 1] + r * couplings[1, 0]) ** 2 * (1 - CLEAR):
            yield "a ratio of the band misses the target"
    if high == mpmath.inf and couplings[1, 0] > 0:
        yield "the band has an end"


def _scaled(a, w):
    n = len(w)
    root = [mpmath.sqrt(x) for x in w]
    return mpmath.matrix([[root[i] * a[i, j] / root[j] for j in range(n)] for i in range(n)])


def _margin(a, w):
    s = _scaled(a, w)
    return min(mpmath.eigsy((s + s.T) / 2, eigvals_only=True))


def _norm(b):
    return mpmath.sqrt(max(0, max(mpmath.eigsy(b.T * b, eigvals_only=True))))


def _smallest_real(a):
    values = mpmath.eig(a, left=False, right=False)
    values = values[0] if isinstance(values, tuple) else values
    return min(mpmath.re(x) for x in values)


def _against_game(d, mu, ell, couplings):
    game, n = d["game"], len(mu)
    if game["type"] == "bounds":
        return
    if game["type"] == "quadratic":
        yield from _enclosed(mu, ell, couplings, matrix_blocks(game), float(CLEAR))
    elif game["type"] == "normal-form":
        temperature = number(game["temperature"])
        if temperature <= 0 or min(ell) < temperature or max(mu) > temperature:
            yield "own curvature is the temperature"
        tables = payoffs_of(game, n)
        for i, j in itertools.permutations(range(n), 2):
            if normal_form_coupling(tables, i, j) > float(couplings[i, j]) * (1 + 1e-8) + 1e-300:
                yield "a coupling of payoffs is larger"
    elif game["type"] == "smooth":
        lower, upper = sides(d["region"], sum(game["sizes"]))
        _tree(d["tree"], len(lower))
        for blocks in clear_blocks(game, lower, upper):
            yield from _enclosed(mu, ell, couplings, blocks, ROUGH)
    else:
        raise Meaningless("a game of which nothing can be said")


def _enclosed(mu, ell, couplings, blocks, tolerance):
    if len(blocks) != len(mu):
        raise Meaningless("bounds of another number of players")
    scale = max(np.abs(np.block(blocks)).max(), 1e-300)
    for i, row in enumerate(blocks):
        for j, block in enumerate(row):
            if i != j:
                if np.linalg.norm(block, 2) > float(couplings[i, j]) + tolerance * scale:
                    yield f"the coupling {i}, {j} of the game is larger"
                continue
            values = np.linalg.eigvalsh((block + block.T) / 2)
            if values[0] < float(mu[i]) - tolerance * scale or values[-1] > float(ell[i]) + tolerance * scale:
                yield f"the own curvature of player {i} is not within mu and ell"


def matrix_blocks(game):
    """The blocks of a quadratic game's matrix."""
    sizes = sizes_of(game)
    matrix = np.array([[float(number(x)) for x in row] for row in game["matrix"]])
    if matrix.shape != (sum(sizes),) * 2:
        raise Meaningless("a matrix of another shape")
    edges = np.cumsum([0, *sizes])
    blocks = [[matrix[a:b, c:e] for c, e in itertools.pairwise(edges)] for a, b in itertools.pairwise(edges)]
    if any(not np.array_equal(blocks[i][i], blocks[i][i].T) for i in range(len(sizes))):
        raise Meaningless("an own block that is no Hessian")
    return blocks


def payoffs_of(game, n):
    """The payoff tables as arrays of one shape."""
    tables = [np.array(table, dtype=float) for table in game["payoffs"]]
    if len(tables) != n or len({t.shape for t in tables}) != 1 or tables[0].ndim != n:
        raise Meaningless("payoff tables that do not fit")
    if not all(np.all(np.isfinite(t)) for t in tables):
        raise Meaningless("a payoff that is no number")
    return tables


def normal_form_coupling(tables, i, j):
    """max over pure profiles of ||P A P|| / 2."""
    moved = np.moveaxis(tables[i], (i, j), (-2, -1))
    middle = moved - moved.mean(axis=-1, keepdims=True)
    middle = middle - middle.mean(axis=-2, keepdims=True)
    return 0.5 * float(np.max(np.linalg.norm(middle.reshape(-1, *middle.shape[-2:]), 2, axis=(1, 2))))


def _tree(tree, d):
    count = 1
    for k, code in enumerate(tree):
        if type(code) is not int or not -1 <= code < d or count <= 0:
            raise Meaningless(f"entry {k} of the tree")
        count += -1 if code < 0 else 1
    if count != 0:
        raise Meaningless("a tree that does not cover the region")


def comparison(blocks):
    """(mu, ell, L) of blocks, in floats."""
    n = len(blocks)
    own = [np.linalg.eigvalsh((blocks[i][i] + blocks[i][i].T) / 2) for i in range(n)]
    couplings = np.array([[0.0 if i == j else np.linalg.norm(blocks[i][j], 2) for j in range(n)] for i in range(n)])
    return np.array([v[0] for v in own]), np.array([v[-1] for v in own]), couplings


def _leafwise(d, margin):
    game = d["game"]
    if any(d[k] is not None for k in ("v", "tau", "band", "bounds")):
        yield "claims that a leaf-by-leaf certificate cannot make"
    n = len(sizes_of(game))
    w = np.array([float(x) for x in vector(d["weights"], n)])
    h, beta, paper = (float(number(d[k])) for k in ("step_sharp", "beta", "step_paper"))
    if min(w) <= 0 or min(h, beta, paper) <= 0:
        yield "something that must be positive"
        return
    best = float(min(2 * margin / number(d["beta"]) ** 2, h))
    if not best * (1 - 1e-8) < paper <= best * (1 + 1e-8):
        yield "the paper's step is not 2 margin / beta^2"
    first, rate, z, rates, player_rate = (d.get(k) for k in ("step_h0", "rate_h0", "z", "player_steps", "rate_players"))
    if (first is None) != (rate is None) or len({z is None, rates is None, player_rate is None}) > 1:
        yield "half a claim about steps"
        return
    if first is not None:
        first, rate = float(number(first)), float(number(rate))
    if z is not None:
        z, rates = (np.array([float(x) for x in vector(values, n)]) for values in (z, rates))
        player_rate = float(number(player_rate))
    if min(x for x in (1, first, rate, player_rate) if x is not None) <= 0 or (z is not None and min(*z, *rates) <= 0):
        yield "a step that must be positive"
        return
    if d["step_rk4"] is not None and number(d["step_rk4"]) > h * (1 + 1e-8):
        yield "an RK4 step of which nothing is known"
    lower, upper = sides(d["region"], sum(game["sizes"]))
    _tree(d["tree"], len(lower))
    root, largest = np.sqrt(w), 0.0
    for blocks in clear_blocks(game, lower, upper):
        mu, ell, couplings = comparison(blocks)
        scale = max(np.abs(mu).max(), couplings.max())
        a = root[:, None] * (np.diag(mu) - couplings) / root
        if np.linalg.eigvalsh((a + a.T) / 2)[0] < float(margin) - ROUGH * scale:
            yield "the margin at a point is smaller"
        own = np.maximum(np.abs(1 - h * mu), np.abs(1 - h * ell))
        if np.linalg.norm(root[:, None] * (np.diag(own) + h * couplings) / root, 2) > 1 + ROUGH * (1 + h * scale):
            yield "the sharp step expands at a point"
        if first is not None:
            own = np.maximum(np.abs(1 - first * mu), np.abs(1 - first * ell))
            norm = np.linalg.norm(root[:, None] * (np.diag(own) + first * couplings) / root, 2)
            if norm > 1 - first * rate + ROUGH * (1 + first * scale):
                yield "h0 does not shrink at its rate at a point"
        if z is not None:
            row = np.maximum(np.abs(1 - rates * mu), np.abs(1 - rates * ell)) + rates * (couplings @ z / z)
            if np.any(row > 1 - rates * player_rate + ROUGH * rates * scale * np.max(z) / np.min(z)):
                yield "a player's step does not shrink at its rate at a point"
        largest = max(largest, np.abs(mu).max(), np.abs(ell).max(), couplings.max())
        size = np.diag(np.maximum(np.abs(mu), np.abs(ell)))
        if np.linalg.norm(root[:, None] * (size + couplings) / root, 2) > beta + ROUGH * scale:
            yield "beta is below the Lipschitz constant at a point"
    # The checker's bounds of a leaf are wider than the entries at points, by how much is not known here.
    if d.get("scale") is not None and not float(number(d["scale"])) >= largest * 0.49:
        yield "the scale is below the numbers in play"
    yield from _power_of_two(d)


def _basin(d):
    game, basin = d["game"], d["basin"]
    dimension = sum(game["sizes"])
    lower, upper = sides(d["region"], dimension)
    low, high = sides(basin, dimension)
    radius = float(number(basin["radius"]))
    w = np.repeat(np.array(d["weights"], dtype=float), game["sizes"])
    gap = np.minimum(low - lower, upper - high)
    if radius <= 0 or gap.min() <= 0 or np.any(radius > np.sqrt(w) * gap * (1 + 1e-8)):
        yield "the ball leaves the region"
    middle = 0.5 * (low + high)
    step = np.linalg.solve(np.block(blocks_at(game, middle)), field_at(game, middle))
    if np.any(np.abs(step) > 3 * (high - low) + 1e-7 * (1 + np.abs(middle))):
        yield "the equilibrium is elsewhere"


REFUSED_WITHOUT = ("margin", "weights", "z", "v", "band", "beta", "step_paper", "step_h0", "step_sharp", "step_rk4")


def _refusal_findings(d):
    if not _readable(d) or d["status"] != "REFUSED":
        yield "it does not claim a refusal"
    for name in (*REFUSED_WITHOUT, "rate_h0", "rate_players"):
        if d.get(name) is not None:
            yield f"a refusal that claims {name}"
    target = float(number(d["target"])) if d["target"] is not None else 0.0
    witness, game = d["witness"], d["game"]
    ceiling = float(number(witness["ceiling"]))
    x = np.array([float(number(v)) for v in witness["vector"]])
    if ceiling > target or x.min() < 0 or x.max() <= 0:
        yield "a witness that rules out nothing"
    if game["type"] == "smooth":
        lower, upper = sides(d["region"], sum(sizes_of(game)))
        point = np.array([float(v) for v in vector(witness["point"], len(lower))])
        if np.any(point < lower) or np.any(point > upper):
            yield "the point is not in the region"
        mu, _, couplings = comparison(blocks_at(game, point))
        tolerance = ROUGH
    elif game["type"] == "bounds":
        own, _, matrix = bounds_of(d)
        mu, couplings = np.array([float(v) for v in own]), np.array(matrix.tolist(), dtype=float)
        tolerance = 1e-9
    elif game["type"] == "quadratic":
        mu, _, couplings = comparison(matrix_blocks(game))
        own, ell, matrix = bounds_of(d)
        yield from _enclosed(own, ell, matrix, matrix_blocks(game), 1e-8)
        tolerance = 1e-8
    elif game["type"] == "normal-form":
        tables = payoffs_of(game, len(game["payoffs"]))
        n = len(tables)
        mu = np.full(n, float(number(game["temperature"])))
        couplings = np.array(
            [[0 if i == j else normal_form_coupling(tables, i, j) for j in range(n)] for i in range(n)]
        )
        tolerance = 1e-8
    else:
        raise Meaningless("a game of which nothing can be said")
    if len(x) != len(mu):
        raise Meaningless("a witness of other players")
    image = (mu - ceiling) * x - couplings @ x
    scale = max(np.abs(mu).max(), couplings.max(initial=0))
    if np.any(image > tolerance * scale * np.maximum(x, tolerance * x.max())):
        yield "the witness inequality is false"
    if np.linalg.eigvals(np.diag(mu) - couplings).real.min() > target + tolerance * scale:
        yield "some weights reach the target"
    if d.get("scale") is not None and game["type"] == "smooth":
        yield "a scale at a point"
    elif d.get("scale") is not None:
        yield from _scale(d, _largest(*bounds_of(d)))
    if d["attained"]:
        yield "a refusal says that its weights attain something"
    if d["tau"] is not None and game["type"] == "smooth":
        tau = np.linalg.eigvals(np.diag(mu) - couplings).real.min()
        if abs(float(number(d["tau"])) - tau) > 1e-3 * max(abs(tau), np.abs(mu).max()):
            yield "tau is not the smallest eigenvalue"
    elif d["tau"] is not None:
        own, _, matrix = bounds_of(d)
        yield from _tau(d, mpmath.diag(own) - matrix, None)
