#include "stores/record_names.h"

#include <cstdio>

#include "data/hash.h"

namespace coeval::stores {
namespace {

std::uint32_t low_bits(std::string_view text) {
  return static_cast<std::uint32_t>(data::xxh3_64(text) & 0xffffffffu);
}

}  // namespace

std::uint32_t source_tag(std::string_view source_name) { return low_bits(source_name); }

std::uint32_t schema_tag(const data::Schema& schema) { return low_bits(schema_text(schema)); }

std::string tag_text(std::uint32_t tag) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", tag);
  return text;
}

std::string schema_text(const data::Schema& schema) {
  std::string text;
  for (const data::Field& field : schema.fields) {
    text += field.name;
    text += '\t';
    text += data::name(field.type);
    if (field.nullable) text += '?';
    text += '\n';
  }
  return text;
}

}  // namespace coeval::stores
