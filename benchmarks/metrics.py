"""Every family of the metrics room beside the tools a user would otherwise pick.

    python benchmarks/metrics.py [--quick] [--write]

Runs the scripts ``metrics_*.py`` of this folder one after the other; ``--write`` stores the tables of each in
``results/<script>.md``, ``--quick`` makes them small.
"""

from report import families

if __name__ == "__main__":
    families("metrics", __doc__)
