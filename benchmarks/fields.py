"""Every family of the fields room beside the tools a user would otherwise pick.

    python benchmarks/fields.py [--quick] [--write]

Runs the scripts ``fields_*.py`` of this folder one after the other; ``--write`` stores the tables of each in
``results/<script>.md``, ``--quick`` makes them small.
"""

from report import families

if __name__ == "__main__":
    families("fields", __doc__)
