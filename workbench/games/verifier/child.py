"""The other end of :mod:`.apart`: run as a script, it limits itself, loads this package alone, and answers as JSON."""

import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path


def limit(seconds: float, memory: int) -> None:
    """Let the operating system end this process when it takes more; systems without such limits are left alone."""
    try:
        import resource
    except ImportError:
        return
    wanted = [("RLIMIT_CORE", 0), ("RLIMIT_AS", memory)]
    if seconds < 1e6:
        wanted.append(("RLIMIT_CPU", int(seconds) + 3))
    for name, value in wanted:
        try:
            _, hard = resource.getrlimit(getattr(resource, name))
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, ValueError, OSError):
            continue


def main() -> None:
    """Read a certificate from standard input and print both answers."""
    seconds, memory = float(sys.argv[1]), int(sys.argv[2])
    limit(seconds, memory)
    here = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        "verifier", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"the checker's package is not in {here}")
    package = importlib.util.module_from_spec(spec)
    sys.modules["verifier"] = package
    spec.loader.exec_module(package)
    found = package.examine(sys.stdin.buffer.read(), seconds=seconds)
    print(json.dumps({"report": asdict(found.report), "refusal": asdict(found.refusal), "claims": found.claims}))


if __name__ == "__main__":
    main()
