"""Run the whole test suite in an order that uses every core without letting the parts disturb each other.

First everything that needs no browser, and the examples in the docstrings, spread over the cores; then the notebooks,
one process each; then the browser tests, each worker with a server and a browser of its own. ``--slow`` runs what needs
minutes by nature, and only that, one after the other: it measures memory and processor time. Other arguments go to
pytest.

A browser test that fails runs once more, since a busy machine loses a click now and then; so do up to three others,
since one unlucky moment of two threads should not hide what the other thousands say. Nothing does so in silence: what
needed a second run is named at the end, and is a fault to be found.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOME_FAILED, NO_TESTS = 1, 5
WORKERS = str(min(os.cpu_count() or 1, 8))
BROWSERS = str(min(os.cpu_count() or 1, 4))
FAST = {
    "library": ["tests", "workbench", "--ignore=tests/apps", "--doctest-modules", "-m", "not ui and not slow"],
    "notebooks": ["notebooks", "--nbval-lax"],
    "browser": ["tests/apps", "-m", "ui and not slow"],
}
MOST_AGAIN = {"library": 3, "browser": 100, "slow browser": 100}  # failures after which a part runs no second time
SLOW = {
    "slow": ["tests", "--ignore=tests/apps", "-m", "slow and not ui"],
    "slow browser": ["tests/apps", "-m", "slow and ui"],
}
SPREAD = {
    "library": ["-n", WORKERS, "--dist", "worksteal"],
    "notebooks": ["-n", WORKERS, "--dist", "loadscope"],
    "browser": ["-n", BROWSERS, "--dist", "worksteal"],
}


def main(arguments: list[str]) -> int:
    """Run the parts; return the first failure's exit code, after all parts have run."""
    parts = SLOW if "--slow" in arguments else FAST
    rest = [argument for argument in arguments if argument != "--slow"]
    codes, second_runs = [], []
    for name, part in parts.items():
        print(f"\n=== {name} ===", flush=True)
        cache = ROOT / ".pytest_cache" / name.replace(" ", "-")
        failures = cache / "v" / "cache" / "lastfailed"
        failures.unlink(missing_ok=True)
        code = _pytest([*part, *SPREAD.get(name, []), "-o", f"cache_dir={cache}", *rest])
        failed = _read(failures)
        if code == SOME_FAILED and 0 < len(failed) <= MOST_AGAIN.get(name, 0):
            print(f"\n=== {name}, once more what failed ===", flush=True)
            code = _pytest([*part, "-o", f"cache_dir={cache}", "--last-failed", *rest])
            second_runs += [test for test in failed if test not in _read(failures)]
        codes.append(code)
    if second_runs:
        print(f"\nneeded a second run: {', '.join(sorted(second_runs))}", flush=True)
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


def _pytest(arguments: list[str]) -> int:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--durations", "8", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT).returncode


def _read(failures: Path) -> list[str]:
    """Return the names of the tests that pytest remembers as failed."""
    return list(json.loads(failures.read_text())) if failures.is_file() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
