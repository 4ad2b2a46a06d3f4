# The extra `bench` brings flamapy.
# pyright: reportMissingImports=false
"""One UVL model through flamapy, in a process of its own: it can take minutes, and logs as it goes.

    python benchmarks/scale_flamapy.py MODEL.uvl

Prints a JSON object: milliseconds for reading (tree, then clauses) and for its backbone operation, and the counts that this finds.
"""

import json
import logging
import sys
import time

from flamapy.metamodels.fm_metamodel.transformations import UVLReader
from flamapy.metamodels.pysat_metamodel.operations import PySATBackbone
from flamapy.metamodels.pysat_metamodel.transformations import FmToPysat


def main() -> None:
    """Measure once; reading is what takes long, and is not repeated in practice either."""
    logging.disable(logging.WARNING)
    start = time.perf_counter()
    model = FmToPysat(UVLReader(sys.argv[1]).transform()).transform()
    read_ms = (time.perf_counter() - start) * 1e3
    start = time.perf_counter()
    found = PySATBackbone().execute(model).get_result()
    backbone_ms = (time.perf_counter() - start) * 1e3
    print(json.dumps({"read_ms": read_ms, "backbone_ms": backbone_ms, "core": len(found["core"]), "dead": len(found["dead"])}))


if __name__ == "__main__":
    main()
