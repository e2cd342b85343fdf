"""What each optional extra adds to the installation, in megabytes on this machine: `python docs/sizes.py`.

Reads the files that the installed packages list, for all that an extra asks for, directly or through others.
"""

from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

PROJECT = "geometry-workbench"


def closure(name: str, extras: frozenset[str] = frozenset(), seen: set[tuple] | None = None) -> set[str]:
    """Return the names of all installed packages that ``name`` with these extras needs, itself left out."""
    seen = set() if seen is None else seen
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    found: set[str] = set()
    try:
        listed = distribution(name).requires or ()
    except PackageNotFoundError:
        return found
    for text in listed:
        needed = Requirement(text)
        marker = needed.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras or {""})):
            canonical = needed.name.lower().replace("_", "-")
            found |= ({canonical} - {PROJECT}) | closure(canonical, frozenset(needed.extras), seen)
            found |= closure(canonical, frozenset(), seen)
    return found


def megabytes(name: str) -> float:
    """Return the size of an installed package's files; 0 for one that is not installed."""
    try:
        package: Distribution = distribution(name)
    except PackageNotFoundError:
        return 0.0
    paths = (package.locate_file(file) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> None:
    """Print a line for the base and one for each extra."""
    base = closure(PROJECT)
    print(f"base: {sum(map(megabytes, base)):.0f} MB in {len(base)} packages")
    for extra in distribution(PROJECT).metadata.get_all("Provides-Extra"):
        added = closure(PROJECT, frozenset({extra})) - base
        print(f"[{extra}]: + {sum(map(megabytes, added)):.0f} MB in {len(added)} packages")


if __name__ == "__main__":
    main()
