// The file that tools/pack_zones.py made, as bytes of this program. COEVAL_ZONE_TABLES is its path.
#include "base/zone_tables.h"

asm(".pushsection .rodata\n"
    ".hidden coeval_zone_tables\n"
    ".globl coeval_zone_tables\n"
    ".hidden coeval_zone_tables_size\n"
    ".globl coeval_zone_tables_size\n"
    ".balign 8\n"
    "coeval_zone_tables_size:\n"
    ".quad coeval_zone_tables_end - coeval_zone_tables\n"
    "coeval_zone_tables:\n"
    ".incbin \"" COEVAL_ZONE_TABLES
    "\"\n"
    "coeval_zone_tables_end:\n"
    ".popsection\n");

extern "C" {
extern const std::uint64_t coeval_zone_tables_size;
extern const std::uint8_t coeval_zone_tables[];
}

namespace coeval {

std::span<const std::uint8_t> embedded_zone_tables() {
  return {coeval_zone_tables, coeval_zone_tables_size};
}

}  // namespace coeval
