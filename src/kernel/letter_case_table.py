"""Writes letter_case_table.h beside this file: Unicode's simple case mappings, from Python's own tables.

    python3 src/kernel/letter_case_table.py

The language depends on the release of Unicode (semantics: D1), so the file is written once and kept; a Python with
other tables refuses.
"""

import pathlib
import unicodedata

UNICODE = "14.0.0"


def upper(character):
    """The simple mapping. Python knows the full one; where that has several characters, such as "SS" for the sharp s,
    the simple one is the title case, or nothing."""
    for mapped in (character.upper(), character.title()):
        if len(mapped) == 1:
            return mapped
    return character


def lower(character):
    """Only the dotted capital I has a full mapping of its own."""
    return "i" if character == "\u0130" else character.lower()


def ranges(mapping):
    """(first, last, step, delta): every step-th character of a range moves by delta."""
    found = []
    for code in range(0x80, 0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        delta = ord(mapping(chr(code))) - code
        if delta == 0:
            continue
        if found:
            first, last, step, known = found[-1]
            gap = code - last
            if known == delta and (gap == step or (first == last and gap <= 2)):
                found[-1] = (first, code, gap, delta)
                continue
        found.append((code, code, 1, delta))
    return found


def table(name, mapping):
    rows = [f"    {{0x{first:X}, 0x{last:X}, {step}, {delta}}}," for first, last, step, delta in ranges(mapping)]
    return f"inline constexpr auto {name} = std::to_array<CaseRange>({{\n" + "\n".join(rows) + "\n});\n"


def main():
    assert unicodedata.unidata_version == UNICODE, unicodedata.unidata_version
    text = f"""#pragma once

// Written by letter_case_table.py from Unicode {UNICODE}; not to be edited.

#include <array>
#include <cstdint>

namespace coeval::kernel {{

/// Code points first, first + step … last, of which each moves by delta.
struct CaseRange {{
  std::uint32_t first, last;
  std::uint32_t step;
  std::int32_t delta;
}};

// clang-format off
{table("kLowerRanges", lower)}
{table("kUpperRanges", upper)}// clang-format on

}}  // namespace coeval::kernel
"""
    pathlib.Path(__file__).with_name("letter_case_table.h").write_text(text)


if __name__ == "__main__":
    main()
