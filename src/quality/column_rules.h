#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"
#include "quality/checks.h"
#include "quality/scans.h"
#include "quality/text_automaton.h"

namespace coeval::quality {

/// Decides of single strings.
class StringRules {
 public:
  /// Errors: bad_toml_value for a pattern that RE2 refuses.
  Status set_pattern(const std::string& pattern, const std::string& what);

  std::set<std::string, std::less<>> allowed;
  std::optional<std::int64_t> min_length, max_length;  ///< code points
  /// Numbers of the rules, in the order of the bits: the one against what is no UTF-8, then those
  /// there are of pattern, enum, min_length, max_length.
  std::vector<int> rules;

  /// Which rules the text breaks. Of what is no UTF-8 nothing else is asked.
  std::uint8_t broken_by(std::string_view text) const;
  /// The same of a text that is UTF-8.
  std::uint8_t broken_by_utf8(std::string_view text) const;
  /// Whether to match takes longer than to look whether the text was seen lately.
  bool is_dear() const { return pattern_ != nullptr || allowed.size() > kCheapChoices; }

 private:
  static constexpr std::size_t kCheapChoices = 8;
  struct Regex;
  std::shared_ptr<const Regex> pattern_;  ///< what no automaton is compiled for
  std::optional<TextAutomaton> automaton_;
};

/// The compiled rules of one column; numbers of rules are -1 where there is no such rule.
struct ColumnRules {
  data::Type type = data::Type::null;
  int null_rule = -1;
  IntegerRange integers;
  FloatRange floats;
  int ahead_rule = -1;
  std::int64_t max_ahead_us = 0;
  StringRules strings;
  int length_rule = -1, elements_rule = -1;  ///< of lists
  bool has_range() const { return integers.min_rule >= 0 || integers.max_rule >= 0; }
};

/// The rules of the source's column `column`, which is the rows' column `place`; they are added to
/// `rules`. Errors: those of RowChecks::compile.
Result<ColumnRules> compile_column_rules(const define::Source& source, int column, int place,
                                         define::Environment environment, std::vector<Rule>& rules);

/// Adds what the column's values break. `times` are those that `max_ahead` looks at; null: it is
/// not asked.
void scan_column(const data::Column& column, const ColumnRules& rules, const data::Column* times,
                 Findings& findings);

/// A value for a message: shortened, strings in quotes.
std::string value_text(const data::Value& value, data::Type type);

}  // namespace coeval::quality
