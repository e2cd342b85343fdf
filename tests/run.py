"""Run the whole test suite in an order that uses every core without letting the parts disturb each other.

First everything that needs no browser, spread over the cores; then the notebooks, one process each; then the browser
tests, one after the other, since they share one server and one screen (what fails there runs once more). ``--slow``
adds the long studies. Other arguments go to pytest.
"""

import os
import subprocess
import sys

SOME_FAILED, NO_TESTS = 1, 5


def main(arguments: list[str]) -> int:
    """Run the three parts; return the first failure's exit code, after all parts have run."""
    slow = "--slow" in arguments
    rest = [argument for argument in arguments if argument != "--slow"]
    plain = "not ui" if slow else "not ui and not slow"
    screen = "ui" if slow else "ui and not slow"
    workers = str(min(os.cpu_count() or 1, 8))
    parts = {
        "library": ["tests", "-m", plain, "-n", workers, "--dist", "loadfile"],
        "notebooks": ["notebooks", "--nbval-lax", "-n", workers, "--dist", "loadscope", "-p", "no:cacheprovider"],
        "browser": ["tests/apps", "-m", screen],
    }
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    codes = []
    for name, part in parts.items():
        print(f"\n=== {name} ===", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "--durations", "8", *part, *rest]
        code = subprocess.run(command, env=environment).returncode
        if name == "browser" and code == SOME_FAILED:
            print("\n=== browser, once more what failed: a busy machine loses a click now and then ===", flush=True)
            code = subprocess.run([*command, "--last-failed"], env=environment).returncode
        codes.append(code)
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
