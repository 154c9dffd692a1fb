"""`python -m tests.bench [NAME...]`: every module of this package that has `rows()`, as one table."""

import importlib
import logging
import pkgutil
import sys

import structlog

from tests import bench
from tests.bench.rows import Row

VERDICTS = {True: "ok", False: "MISSED", None: ""}


def measured(names: list[str]) -> list[tuple[str, Row]]:
    """The rows of the modules named, or of all."""
    found = []
    for module in sorted(info.name for info in pkgutil.iter_modules(bench.__path__)):
        if module in {"__main__", "rows"} or (names and module not in names):
            continue
        rows = getattr(importlib.import_module(f"tests.bench.{module}"), "rows", None)
        if rows:
            found += [(module, row) for row in rows()]
    return found


def main() -> None:
    """Print the table; exit with 1 when an aim was missed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    table = measured(sys.argv[1:])
    head = ("", "bench", "what", "measured", "aim")
    lines = [
        head,
        *((VERDICTS[row.ok], name, row.what, row.measured, row.aim) for name, row in table),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    sys.exit(any(row.ok is False for _, row in table))


if __name__ == "__main__":
    main()
