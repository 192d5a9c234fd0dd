#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "define/expr.h"

namespace coeval::define {

/// What becomes of a row or batch that breaks a rule: with `error` the row goes to quarantine, the
/// batch is held; with `warn` it stays and is counted.
enum class Severity : std::uint8_t { warn, error };

/// Where rows come from: `train` is files (history, `coeval ingest`), `serve` is what a server is
/// sent, events and questions.
enum class Environment : std::uint8_t { train, serve };

/// What a check asks, and the key of its table that says so.
enum class CheckKind : std::uint8_t {
  // A row alone, or with what came before it.
  row,         ///< `expr` is not false
  increasing,  ///< columns[0] does not go down among rows of equal `keys`, in the batch's order
  refers,      ///< columns[0] is a value of the other column, known before the row is
  // All rows of a batch.
  unique,              ///< no two rows have equal `columns`; nulls equal nothing
  rows,                ///< number of rows
  volume,              ///< rows an hour, against those of the same hour of the week in `span_us`
  null_share,          ///< nulls of columns[0] / rows
  distinct,            ///< distinct values of columns[0], nulls apart
  mean,                ///< of columns[0], nulls apart
  quantile,            ///< `p` of columns[0]
  sum,                 ///< of columns[0], equal to that of the other column up to `tolerance`
  freshness,           ///< age of the newest row at most `span_us`, by the times of `freshness_of`
  late_share,          ///< rows known more than `span_us` after they happened / rows
  out_of_order_share,  ///< rows whose event time is below one before them / rows
  gap,  ///< number of times that more than `span_us` lies between rows of equal `keys`
  // The values of columns[0] in a batch against those of a frozen reference.
  psi,
  ks,
  linf,
  js,
  chi2,
  new_values,       ///< number of values that the reference has not
  vanished_values,  ///< number of values that only the reference has
};
std::string_view name(CheckKind kind);
/// Row checks decide of rows, the others of batches.
constexpr bool is_row_check(CheckKind kind) { return kind <= CheckKind::refers; }
constexpr bool is_distribution_check(CheckKind kind) { return kind >= CheckKind::psi; }

/// Which times of `freshness` must be young enough.
enum class FreshnessOf : std::uint8_t { event_time, arrival, both };

/// A named check of the table [source.NAME.checks]. Columns are indexes into the columns of its
/// source. What a kind does not use has its default.
struct Check {
  std::string name;  ///< "route"; in reports "checks.route"
  CheckKind kind = CheckKind::row;
  Severity severity = Severity::error;
  std::vector<int> columns;  ///< of unique one or more, each once; of row those that `expr` reads;
                             ///< none of rows, volume and those over times; else one
  std::vector<int> keys;     ///< `by` of increasing and gap; empty = all rows are of one key
  ExprPtr expr;              ///< of row: boolean over the row; null passes (SQL CHECK)
  std::string text;          ///< of row: the expression as written
  bool strictly = false;     ///< of increasing: equal values break it
  int other_source = -1;     ///< of refers and sum: index into Project::sources
  int other_column = -1;     ///< of refers and sum: of that source
  std::optional<double> min, max;  ///< inclusive; of volume the max is `max_ratio`
  double p = 0;                    ///< of quantile: 0 to 1
  double tolerance = 0;            ///< of sum: absolute, 0 or more
  std::int64_t span_us = 0;        ///< positive for the kinds that have one
  FreshnessOf freshness_of = FreshnessOf::event_time;
  std::string reference;  ///< of distribution checks: path of a profile, as written
  /// Of row checks: a batch with fewer bad rows than `warn_if` says nothing of them; one with
  /// `error_if` or more is held.
  std::optional<std::int64_t> warn_if, error_if;
  SourcePosition position;  ///< of its name in the definition

  std::string rule_name() const { return "checks." + name; }
};

}  // namespace coeval::define
