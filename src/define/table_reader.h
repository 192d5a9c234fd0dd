#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "define/document.h"
#include "define/expression_text.h"

namespace coeval::define {

/// Takes the keys of one table by name and type. What was never asked for is unknown, and `finish`
/// says so with the nearest key that was.
class TableReader {
 public:
  /// `what` is "source 'flights'"; `where` is the place of the table's name.
  TableReader(const TomlValue& table, SourcePosition where, std::string what, Diagnostics& errors);

  /// The entry, or null. Marks the key as known.
  const TomlEntry* take(std::string_view key);
  /// As take, and an error when absent. Errors: missing_toml_key.
  const TomlEntry* require(std::string_view key, const std::string& advice);

  /// Typed: nothing when absent or of another type, which is an error. Errors: bad_toml_value.
  std::optional<std::string> string(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);

  /// Keys of the wider language: an error that says so instead of "unknown". Errors: unsupported.
  void later(std::initializer_list<std::string_view> keys);
  /// Errors: unknown_toml_key for each key that was not taken.
  void finish();

  const std::string& what() const { return what_; }
  const SourcePosition& where() const { return where_; }
  /// Keys taken so far, for suggestions.
  const std::vector<std::string>& known_keys() const { return known_; }
  bool was_taken(std::string_view key) const;

 private:
  const TomlValue& table_;
  SourcePosition where_;
  std::string what_;
  Diagnostics& errors_;
  std::vector<std::string> known_;
  std::vector<std::string> later_;
};

/// Whether the value has the kind, reporting when not: "`by` of view 'origin' must be an array".
bool expect_kind(const TomlEntry& entry, TomlValue::Kind kind, const std::string& what,
                 const std::string& advice, Diagnostics& errors);
/// The strings of an array, each with its place; an error for every other element.
std::vector<const TomlValue*> strings_of(const TomlEntry& entry, const std::string& what,
                                         const std::string& advice, Diagnostics& errors);
/// Whether a name may be used for a view, source, model, feature or aggregate: it must stand bare
/// in an expression. Errors: bad_toml_value.
bool expect_name(const TomlEntry& entry, const std::string& what, Diagnostics& errors);

}  // namespace coeval::define
