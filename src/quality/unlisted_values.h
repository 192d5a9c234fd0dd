#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/column.h"
#include "define/project.h"
#include "quality/checks.h"

namespace coeval::quality {

/// Values that an `enum` does not list, each once with the number of its rows: most are new, and
/// the definition does not know of them yet. Of personal columns values are not told.
///
/// Memory: at most kMostValues of each column, those seen first; the others are counted together.
/// Determinism: a function of the rows in their order.
class UnlistedValues {
 public:
  static constexpr std::size_t kMostValues = 64;
  /// `source` and `checks` outlive it.
  UnlistedValues(const define::Source& source, const RowChecks& checks);

  void add(std::span<const QuarantinedRow> rows);
  /// Rows that stay, and which of them break rules that warn.
  void add(const data::Batch& rows, std::span<const RowVerdict> warned);
  /// A sentence for each column that has such values, the most frequent ones named.
  std::vector<std::string> texts() const;

 private:
  struct Column {
    std::string rule;
    bool is_personal = false, keeps_out = false;
    std::map<std::string, std::int64_t> rows_of;
    std::int64_t other_rows = 0, rows = 0;
  };
  void add(Column& column, const data::Json& value);

  const RowChecks& checks_;
  std::map<std::string, std::size_t> index_;  // by rule
  std::vector<Column> columns_;               // in the order of the definition
  std::vector<std::int64_t> of_rule_;         // by rule of the checks: the column, or -1
};

}  // namespace coeval::quality
