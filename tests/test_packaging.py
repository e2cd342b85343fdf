"""What a newcomer installs is what was tested: pyproject, constraints and the conda environment agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def names(requirements):
    found = {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in requirements}
    return found - {PROJECT["name"]}


def test_conda_environment_equals_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert environment["name"] == PROJECT["name"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == ["-c constraints.txt", "-e .[all]"]


def test_all_means_all():
    (everything,) = EXTRAS["all"]
    listed = set(re.search(r"\[(.*)\]", everything)[1].split(","))
    assert listed == set(EXTRAS) - {"all"}


def test_every_direct_dependency_is_pinned_but_torch():
    direct = names(PROJECT["dependencies"]).union(*(names(extra) for extra in EXTRAS.values())) - {"torch"}
    pinned = {
        line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    assert direct <= pinned
    assert "torch>=2.6,<2.14" in PROJECT["dependencies"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "environment.yml", ".ci/run", "Makefile"])
def test_no_package_index_is_named(name):
    text = (ROOT / name).read_text()
    assert "index-url" not in text
    assert "+cpu" not in text


def test_versions_agree():
    import workbench

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert workbench.__version__ == PROJECT["version"] == citation["version"]


def test_every_paper_is_cited():
    from workbench.papers import PAPERS

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {one["url"].rsplit("/", 1)[1] for one in citation["references"]} == set(PAPERS)
    assert all(one["title"] and one["authors"] for one in citation["references"])
