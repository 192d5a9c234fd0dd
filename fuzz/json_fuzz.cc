#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "data/json.h"
#include "data/json_fault.h"

// Any bytes as JSON. Two parsers, one truth: simdjson behind our rules, and the plain grammar that
// finds faults. And what was read prints to a text that reads back to the same text.

namespace {

using namespace coeval;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_printing(const data::Json& json, const data::JsonLimits& limits) {
  const std::string compact = json.dump();
  const auto again = data::parse_json(compact, limits);
  require(again.has_value() && again->dump() == compact);
  const auto pretty = data::parse_json(json.dump_pretty(), limits);
  require(pretty.has_value() && pretty->dump() == compact);
}

void check_cells(const data::Json& json) {
  using data::Type;
  for (const Type type :
       {Type::boolean, Type::int32, Type::int64, Type::float32, Type::float64, Type::string,
        Type::timestamp, Type::date, data::decimal_type(12, 2), data::decimal_type(18, 18)}) {
    const auto cell = data::from_json(json, type);
    if (!cell) continue;
    const auto text = data::to_json(*cell, type).dump();
    const auto again = data::from_json(*data::parse_json(text, {}, {.numbers = true}), type);
    require(again.has_value() && data::to_json(*again, type).dump() == text);
  }
}

// Numbers that keep their text have the value of that text, and a member kept as text the tree that
// was read from it.
void check_texts(const data::Json& plain, const data::Json& kept) {
  if (const auto* text = kept.number_text()) {
    require(std::strtod(text->c_str(), nullptr) == *plain.real());
  } else if (const auto* array = kept.array()) {
    for (std::size_t i = 0; i < array->size(); ++i) check_texts((*plain.array())[i], (*array)[i]);
  } else if (const auto* object = kept.object()) {
    for (std::size_t i = 0; i < object->size(); ++i) {
      const data::Json& before = (*plain.object())[i].second;
      const data::Json& after = (*object)[i].second;
      const bool held = after.string() != nullptr && before.string() == nullptr;
      if (held)
        require(data::parse_json(*after.string())->dump() == before.dump());
      else
        check_texts(before, after);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const data::JsonLimits limits{1u << 20, 8};
  const auto json = data::parse_json(text, limits);
  const std::string_view body = text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
  require(json.has_value() == !data::find_json_fault(body, limits).has_value());
  if (!json) {
    require(json.error().message.find(" at line ") != std::string::npos);
    return 0;
  }
  check_printing(*json, limits);
  check_cells(*json);
  static const std::vector<std::string> kHeld = {"a", "b", ""};
  const auto kept = data::parse_json(text, limits, {.numbers = true, .as_text = kHeld});
  require(kept.has_value());
  check_texts(*json, *kept);
  return 0;
}
