#pragma once

#include <span>
#include <vector>

#include "define/project.h"
#include "kernel/evaluate.h"
#include "quality/checks.h"
#include "quality/scans.h"

namespace coeval::quality {

/// The named checks of a source's rows, over rows that hold some of its columns.
class RowConditions {
 public:
  /// Adds their rules to `rules`; a check that reads a column that is not there is left out.
  /// `source` is only read now.
  RowConditions(const define::Source& source, std::span<const int> columns,
                std::vector<Rule>& rules);

  bool asks_for_keys() const { return !references_.empty(); }
  /// Rows for which a condition is false.
  void scan_expressions(const data::Batch& batch, Findings& findings) const;
  /// Rows whose key was not known by the row's time in `times`; no time, no verdict.
  Status scan_references(const data::Batch& batch, const data::Column& times,
                         const KnownKeys& known_keys, Findings& findings) const;
  /// Rows that go down. Those of `bad`, one byte a row, are judged, but nothing after them is
  /// judged by them.
  void scan_increasing(const data::Batch& batch, LastValues& last_values,
                       std::span<const std::uint8_t> bad, Findings& findings) const;
  /// Rows that stay, whatever their order: the next ones follow them.
  void follow(const data::Batch& batch, LastValues& last_values) const;
  bool asks_for_order() const { return !orders_.empty(); }

 private:
  struct Expression {
    define::ExprPtr expr;  // over the rows
    int rule = -1;
  };
  struct Reference {
    define::Check check;
    int column = -1;  // of the rows
    int rule = -1;
  };
  struct Order {
    std::string name;
    int column = -1;
    std::vector<int> keys;
    bool strictly = false;
    bool keeps_out = false;  // of severity error
    int rule = -1;
  };

  std::vector<Expression> expressions_;
  std::vector<Reference> references_;
  std::vector<Order> orders_;
};

}  // namespace coeval::quality
