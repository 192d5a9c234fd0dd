#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "define/diagnostics.h"

namespace coeval::define {

struct TomlEntry;

/// A value of a definition file with its place.
struct TomlValue {
  enum class Kind : std::uint8_t { string, integer, real, boolean, moment, other, array, table };
  Kind kind = Kind::other;
  std::string text;          ///< string; for `other`, what it is ("a time of day")
  std::int64_t integer = 0;  ///< integer; moment: µs since the epoch, UTC unless an offset is given
  double real = 0;
  bool boolean = false;
  bool whole_day = false;          ///< moment: a date without a time of day
  std::vector<TomlValue> items;    ///< array
  std::vector<TomlEntry> entries;  ///< table, by key, so that order in the file has no meaning (D1)
  SourcePosition position;
  /// string: whether the file holds the text as it is (no escapes), from `position` + quote on.
  std::optional<SourcePosition> text_position;

  const TomlEntry* find(std::string_view key) const;
};

struct TomlEntry {
  std::string key;
  SourcePosition position;  ///< of the key
  TomlValue value;
};

/// "a string", "an integer", … for messages.
std::string_view describe(TomlValue::Kind kind);

inline constexpr std::size_t kMaxDefinitionBytes = std::size_t{4} << 20;

/// Parses TOML 1.0. Nothing (and one error in `errors`) when the text is not TOML, larger than
/// kMaxDefinitionBytes or nests too deep. Errors: syntax, too_deep, bad_toml_value for a time finer
/// than a microsecond.
std::optional<TomlValue> parse_document(const std::string& text, const std::string& file,
                                        Diagnostics& errors);

}  // namespace coeval::define
