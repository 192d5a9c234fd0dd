#include "define/table_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "define/lexer.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string of_key(const TomlEntry& entry, const std::string& what) {
  return in_quotes(entry.key) + " of " + what;
}

}  // namespace

TableReader::TableReader(const TomlValue& table, SourcePosition where, std::string what,
                         Diagnostics& errors)
    : table_(table), where_(std::move(where)), what_(std::move(what)), errors_(errors) {}

const TomlEntry* TableReader::take(std::string_view key) {
  known_.emplace_back(key);
  return table_.find(key);
}

const TomlEntry* TableReader::require(std::string_view key, const std::string& advice) {
  const TomlEntry* entry = take(key);
  if (!entry)
    errors_.report(Code::missing_toml_key, where_, what_ + " has no " + in_quotes(key), advice);
  return entry;
}

std::optional<std::string> TableReader::string(std::string_view key) {
  const TomlEntry* entry = take(key);
  if (!entry || !expect_kind(*entry, Kind::string, what_, "write it in quotes", errors_))
    return std::nullopt;
  return entry->value.text;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const TomlEntry* entry = take(key);
  if (!entry || !expect_kind(*entry, Kind::boolean, what_, "without quotes", errors_))
    return std::nullopt;
  return entry->value.boolean;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  const TomlEntry* entry = take(key);
  if (!entry || !expect_kind(*entry, Kind::integer, what_, "without quotes or fraction", errors_))
    return std::nullopt;
  const std::int64_t value = entry->value.integer;
  if (value >= least && value <= most) return value;
  errors_.report(Code::bad_toml_value, entry->value.position,
                 of_key(*entry, what_) + " is out of range: " + std::to_string(value),
                 "it goes from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key, double least, double most) {
  const TomlEntry* entry = take(key);
  if (!entry) return std::nullopt;
  const bool whole = entry->value.kind == Kind::integer;
  if (!whole && !expect_kind(*entry, Kind::real, what_, "without quotes", errors_))
    return std::nullopt;
  const double value = whole ? static_cast<double>(entry->value.integer) : entry->value.real;
  if (value >= least && value <= most) return value;
  errors_.report(Code::bad_toml_value, entry->value.position,
                 of_key(*entry, what_) + " is out of range: " + short_number(value),
                 "it goes from " + short_number(least) + " to " + short_number(most));
  return std::nullopt;
}

void TableReader::later(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    later_.emplace_back(key);
    if (const TomlEntry* entry = table_.find(key))
      errors_.report(Code::unsupported, entry->position,
                     of_key(*entry, what_) + " is not in this version", "leave the key out");
  }
}

bool TableReader::was_taken(std::string_view key) const {
  return std::ranges::count(known_, key) + std::ranges::count(later_, key) > 0;
}

void TableReader::finish() {
  for (const auto& entry : table_.entries) {
    if (was_taken(entry.key)) continue;
    const std::string advice = did_you_mean(entry.key, known_);
    errors_.report(Code::unknown_toml_key, entry.position,
                   "unknown key " + in_quotes(entry.key) + " in " + what_,
                   advice.empty() ? "the keys here are " + listed(known_) : advice);
  }
}

bool expect_kind(const TomlEntry& entry, Kind kind, const std::string& what,
                 const std::string& advice, Diagnostics& errors) {
  if (entry.value.kind == kind) return true;
  errors.report(Code::bad_toml_value, entry.value.position,
                of_key(entry, what) + " must be " + std::string(describe(kind)) + ", not " +
                    std::string(describe(entry.value.kind)),
                advice);
  return false;
}

std::vector<const TomlValue*> strings_of(const TomlEntry& entry, const std::string& what,
                                         const std::string& advice, Diagnostics& errors) {
  std::vector<const TomlValue*> strings;
  if (!expect_kind(entry, Kind::array, what, advice, errors)) return strings;
  for (const auto& item : entry.value.items) {
    if (item.kind == Kind::string) {
      strings.push_back(&item);
    } else {
      errors.report(Code::bad_toml_value, item.position,
                    "an element of " + of_key(entry, what) + " must be a string, not " +
                        std::string(describe(item.kind)),
                    advice);
    }
  }
  return strings;
}

bool expect_name(const TomlEntry& entry, const std::string& what, Diagnostics& errors) {
  constexpr std::size_t kLongestName = 64;
  if (is_plain_name(entry.key) && entry.key.size() <= kLongestName) return true;
  errors.report(
      Code::bad_toml_value, entry.position, "bad name for " + what + ": " + in_quotes(entry.key),
      "use letters, digits and _, no digit first, at most 64, none of the words and, or, not, "
      "is, null, between, in, true, false, case, like, where, at");
  return false;
}

}  // namespace coeval::define
