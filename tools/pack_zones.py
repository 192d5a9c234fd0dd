#!/usr/bin/env python3
"""Packs the IANA tables into the one file that becomes part of the program.

    pack_zones.py TZDATA OUT     TZDATA is third_party/tzdata, as tools/setup.sh unpacks it

The format is told in src/base/zone_tables.cc. The same tables make the same bytes.
"""

import os
import pathlib
import re
import struct
import sys

MAGIC = b"coevalTZ"


def version_of(tzdata):
    """The release, as the first line of tzdata.zi has it: `# version 2025b`."""
    line = (tzdata / "zoneinfo/tzdata.zi").read_text(encoding="utf-8").splitlines()[0]
    return re.fullmatch(r"# version (\d{4}[a-z]+)", line)[1]


def zones_of(tzdata):
    """{name: TZif file}, aliases included, in the order of the names' bytes."""
    names = (tzdata / "zones").read_text(encoding="ascii").split()
    files = {name: (tzdata / "zoneinfo" / name).read_bytes() for name in sorted(names)}
    for name, file in files.items():
        if not file.startswith(b"TZif") or not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name):
            raise SystemExit(f"pack_zones: {tzdata}: '{name}' is not a time zone")
    return files


def pack(version, zones):
    directory_size = len(MAGIC) + 8 + 4 + 16 * len(zones)
    contents = bytearray()
    placed = {}

    def range_of(data):
        """Where `data` lies, counted from the first byte of all: each content is stored once."""
        if data not in placed:
            placed[data] = directory_size + len(contents)
            contents.extend(data)
        return struct.pack("<II", placed[data], len(data))

    directory = MAGIC + range_of(version.encode()) + struct.pack("<I", len(zones))
    for name, file in zones.items():
        directory += range_of(name.encode()) + range_of(file)
    assert len(directory) == directory_size
    return directory + bytes(contents)


def main(arguments):
    tzdata, out = (pathlib.Path(argument) for argument in arguments)
    part = out.with_suffix(".part")
    part.write_bytes(pack(version_of(tzdata), zones_of(tzdata)))
    os.replace(part, out)


if __name__ == "__main__":
    main(sys.argv[1:])
