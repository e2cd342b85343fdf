"""Count the code: sizes, documentation, annotations, tests. ``make count``; ``--bare`` names what lacks either.

A *public* name is a function, class or method without a leading underscore, in a module whose path has none. It is
annotated if every parameter (``self`` and ``cls`` aside) and the return value are; a class, if its methods are. Numbers
are a smell detector, not a goal.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef
NO_RETURN = ("__init__", "__init_subclass__")


def sources(folder: str) -> list[Path]:
    """Return the Python files below a folder of the repository."""
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield every function, class and method at module or class level, with its dotted name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from definitions(node, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.If, ast.Try)):
            yield from definitions(node, prefix)


def is_public(name: str) -> bool:
    """Tell whether no part of a dotted name begins with an underscore."""
    return not any(part.startswith("_") for part in name.split("."))


def is_overload(node: Function) -> bool:
    """Tell whether this is a signature for type checkers, or a setter, which its getter documents."""
    return any(ast.unparse(d).split(".")[-1] in ("overload", "setter") for d in node.decorator_list)


def annotated(node: Function) -> bool:
    """Tell whether all parameters and the return value have types."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    given += [extra for extra in (node.args.vararg, node.args.kwarg) if extra is not None]
    typed = all(argument.annotation is not None for argument in given if argument.arg not in ("self", "cls"))
    return typed and (node.returns is not None or node.name in NO_RETURN)


def body_length(node: Function) -> int:
    """Return the number of lines of a function without its signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def comment_lines(text: str) -> int:
    """Return the number of comments, those behind code included; directives to tools are none."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return sum(not comment.lstrip("# ").startswith(("noqa", "fmt:", "type:", "pragma")) for comment in comments)


def docstring_lines(tree: ast.AST) -> int:
    """Return the number of lines of all docstrings in a module."""
    return sum(text.count("\n") + 1 for text in docstrings(tree) if text)


def families() -> dict[str, bool]:
    """Return the families of the library, each with whether one of its docstrings shows an example that runs.

    A family is a folder below ``workbench``, figures and pages aside, or a module of the ground.
    """
    found: dict[str, bool] = {}
    for file in sources("workbench"):
        parts = file.relative_to(ROOT / "workbench").parts
        name = "/".join(parts[:-1]) or parts[0].removesuffix(".py")
        if parts[0] not in ("figures", "ui", "__init__.py") and file.name != "__main__.py":
            shows = any(">>>" in text for text in docstrings(ast.parse(file.read_text())))
            found[name] = found.get(name, False) or shows
    return found


def docstrings(tree: ast.AST) -> Iterator[str]:
    """Yield the docstrings of a module: its own, and those of its classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node, clean=False) or ""


def main(arguments: list[str]) -> None:
    """Print the table; with ``--bare``, the names that are not documented or not annotated."""
    files, lengths, functions = sources("workbench"), [], []
    lines = documentation = comments = documented = typed = public = examples = 0
    bare = []
    for file in files:
        text = file.read_text()
        tree = ast.parse(text)
        lines += text.count("\n")
        documentation += docstring_lines(tree)
        comments += comment_lines(text)
        examples += sum(">>>" in (ast.get_docstring(node) or "") for _, node in definitions(tree))
        examples += ">>>" in (ast.get_docstring(tree) or "")
        if file.name != "__init__.py":
            lengths.append((text.count("\n"), str(file.relative_to(ROOT))))
        for name, node in definitions(tree):
            function = not isinstance(node, ast.ClassDef)
            if function:
                functions.append((body_length(node), f"{file.relative_to(ROOT)}:{name}"))
            if not is_public(name) or (function and is_overload(node)):
                continue
            public += 1
            has_words = ast.get_docstring(node) is not None
            has_types = not function or annotated(node)
            documented, typed = documented + has_words, typed + has_types
            if not (has_words and has_types):
                lacks = " and ".join(n for n, has in (("docstring", has_words), ("types", has_types)) if not has)
                bare.append(f"{file.relative_to(ROOT)}:{node.lineno} {name} lacks {lacks}")
    shown = families()
    bare += [f"workbench/{name} shows no example" for name, has in shown.items() if not has]
    tests = sum(file.read_text().count("\n") for file in sources("tests"))
    longest = {"file": max(lengths), "function": max(functions)}
    median = {"file": statistics.median(n for n, _ in lengths), "function": statistics.median(n for n, _ in functions)}
    rows = {
        "files": len(files),
        "lines": f"{lines:,}",
        "median / longest file": f"{median['file']:.0f} / {longest['file'][0]} ({longest['file'][1]})",
        "files below 50 lines": sum(n < 50 for n, _ in lengths),
        "median / longest function": f"{median['function']:.0f} / {longest['function'][0]} ({longest['function'][1]})",
        "public names": public,
        "public documented, %": f"{100 * documented / public:.1f}",
        "public annotated, %": f"{100 * typed / public:.1f}",
        "docstring / comment, % of lines": f"{100 * documentation / lines:.0f} / {100 * comments / lines:.1f}",
        "docstrings with examples": examples,
        "families with an example": f"{sum(shown.values())} of {len(shown)}",
        "test lines per line": f"{tests / lines:.2f}",
    }
    print("| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    if "--bare" in arguments:
        print("\n".join(["", *bare]))


if __name__ == "__main__":
    main(sys.argv[1:])
