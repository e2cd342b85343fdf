"""Every family of the shapes room beside the tools a user would otherwise pick.

    python benchmarks/shapes.py [--quick] [--write]

Runs the scripts ``shapes_*.py`` of this folder one after the other; ``--write`` stores the tables of each in
``results/<script>.md``, ``--quick`` makes them small.
"""

from report import families

if __name__ == "__main__":
    families("shapes", __doc__)
