#!/usr/bin/env python3
"""Hides the foreign symbols that a shared library of the pyarrow wheel exports.

libparquet.so of the wheel exports a whole OpenSSL and a simdjson. In one process with Debian's own,
the dynamic linker binds calls across the two copies, and they crash. This tool sets the visibility of
those entries of .dynsym to STV_HIDDEN in our unpacked copy, so that they bind inside the library only.

    hide_symbols.py LIBRARY EXPECTED     hides, and fails unless exactly EXPECTED symbols were hidden
    hide_symbols.py --check LIBRARY...   fails if any is still visible

Layout: ELF-64 little endian, System V ABI. A symbol is 24 bytes: name, info, other (visibility in its
low two bits), section index, value, size.
"""

import re
import struct
import sys

SECTION_TYPE_DYNSYM = 11
SYMBOL = struct.Struct("<IBBHQQ")
STV_DEFAULT, STV_HIDDEN, VISIBILITY_MASK = 0, 2, 3

# Everything that is not C++ (no _Z prefix) is OpenSSL's or zlib's C; of the C++ names only simdjson's.
FOREIGN = re.compile(rb"^(?!_Z)|simdjson")


def sections(image):
    (offset,) = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    for index in range(count):
        at = offset + index * size
        _, kind, _, _, start, length, link, _, _, _ = struct.unpack_from("<IIQQQQIIQQ", image, at)
        yield kind, start, length, link


def visible_foreign(image):
    """Offsets of the entries of .dynsym that are defined, visible and foreign."""
    if image[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("not a 64-bit little-endian ELF file")
    table = list(sections(image))
    for kind, start, length, link in table:
        if kind != SECTION_TYPE_DYNSYM:
            continue
        strings = table[link][1]
        for at in range(start, start + length, SYMBOL.size):
            name_at, _, other, section, _, _ = SYMBOL.unpack_from(image, at)
            if section == 0 or other & VISIBILITY_MASK != STV_DEFAULT:
                continue
            begin = strings + name_at
            if FOREIGN.search(bytes(image[begin : image.index(b"\0", begin)])):
                yield at


def hide(path, expected):
    with open(path, "rb") as file:
        image = bytearray(file.read())
    found = list(visible_foreign(image))
    if len(found) != expected:
        raise SystemExit(
            f"{path}: {len(found)} symbols to hide, expected {expected}: this is not the library that "
            "tools/artefacts.txt pins, or it was changed before"
        )
    for at in found:
        image[at + 5] |= STV_HIDDEN
    with open(path, "wb") as file:
        file.write(image)


def check(paths):
    left = 0
    for path in paths:
        with open(path, "rb") as file:
            count = sum(1 for _ in visible_foreign(file.read()))
        if count:
            print(f"{path}: {count} foreign symbols are visible; run ./dev setup")
        left += count
    return 1 if left else 0


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "--check":
        return check(arguments[1:])
    if len(arguments) == 2:
        hide(arguments[0], int(arguments[1]))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
