#include "quality/batch_fold.h"

#include <bit>

#include "base/check.h"
#include "data/row_codec.h"
#include "data/utf8.h"
#include "exact/ratio.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kShownTextBytes = 60;

std::string text_of(std::string_view text) {
  const std::string_view shown = data::utf8_prefix(text, kShownTextBytes);
  return "'" + std::string(shown) + (shown.size() < text.size() ? "…'" : "'");
}

// Reads what kernel::make_key wrote of one value.
std::string next_value(data::ByteReader& reader, data::Type type) {
  if (type == data::Type::boolean) {
    std::uint8_t truth = 0;
    COEVAL_CHECK(reader.u8(truth));
    return truth != 0 ? "true" : "false";
  }
  if (type == data::Type::string) {
    std::string_view text;
    COEVAL_CHECK(reader.text(text));
    return text_of(text);
  }
  std::uint64_t bits = 0;
  COEVAL_CHECK(reader.u64(bits));
  if (data::is_float(type)) return data::to_text(std::bit_cast<double>(bits), type);
  return data::to_text(static_cast<std::int64_t>(bits), type);
}

}  // namespace

bool is_within(const define::Check& check, double number) {
  return (!check.min || number >= *check.min) && (!check.max || number <= *check.max) &&
         number == number;
}

std::string short_number(double number) { return data::to_text(number, data::Type::float64); }

double share_of(std::int64_t part, std::int64_t whole) {
  return *exact::ratio(exact::Int128{part}, exact::Int128{whole});
}

std::string share_text(std::int64_t part, std::int64_t whole) {
  const double share = whole == 0 ? 0 : share_of(part, whole);
  return short_number(share) + " (" + std::to_string(part) + " of " +
         counted(whole, "row", "rows") + ")";
}

std::string counted(std::int64_t count, const std::string& singular, const std::string& plural) {
  return std::to_string(count) + " " + (count == 1 ? singular : plural);
}

std::string key_text(const define::Source& source, std::span<const int> columns,
                     std::string_view key) {
  data::ByteReader reader(key);
  std::string text;
  for (const int column : columns) {
    const define::SourceColumn& declared = source.columns[static_cast<std::size_t>(column)];
    const std::string value = next_value(reader, declared.type);
    text += (text.empty() ? "" : ", ") + declared.name + " " + (declared.pii ? "hidden" : value);
  }
  return text;
}

}  // namespace coeval::quality
