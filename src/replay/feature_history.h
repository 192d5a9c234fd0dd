#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/arithmetic.h"
#include "replay/past.h"
#include "replay/window_bounds.h"

namespace coeval::replay {

/// Which events a question saw: known before T and, of the log, before the position.
struct Visibility {
  std::int64_t at_us = 0;
  std::uint64_t position = ~std::uint64_t{0};  ///< log rows at or after it are not seen
};

/// Why an event of the key is not among those that a feature counts. An event has the first reason
/// that holds: those of T7 go after not_yet_known.
enum class Exclusion : std::uint8_t {
  not_before_end,  ///< its event time is at T or after; with an offset, at the window's end (T4)
  not_yet_known,   ///< known at T or after, or behind the position (T3)
  dropped_late,    ///< became known beyond the view's retention (T6)
  before_begin,
  where_not_true,  ///< false or null (V4)
  argument_null,   ///< the aggregate skips nulls (A7)
  duplicate,       ///< its name was used shortly before (T7)
  deletion,        ///< the row itself is one: it counts as no event
  replaced,        ///< by a row that was seen, or deleted by one
};
inline constexpr std::size_t kExclusions = 9;
/// In words: "event time is before the window's begin".
std::string_view describe(Exclusion reason);

/// The rows of a source's history that have a key, told apart by whether a feature counts them.
struct FeatureHistory {
  define::ViewFeature feature;
  std::string name;  ///< "origin.late_3h"
  std::string key;   ///< "origin=ORD"
  Visibility seen;
  WindowBounds bounds;
  std::vector<std::int64_t> inside;  ///< rows, in order of (event time, position)
  /// Rows by Exclusion, likewise in order.
  std::vector<std::vector<std::int64_t>> excluded =
      std::vector<std::vector<std::int64_t>>(kExclusions);
  WindowValues values;  ///< of `inside`
};

/// Finds the events of a feature's window by a plain scan of everything that happened: the slow,
/// obvious way, independent of the kernel's state. `question` has one row with the view's key
/// columns by name. Errors: missing_value for an absent key column.
Result<FeatureHistory> feature_history(const define::Project& project, const Past& past,
                                       define::ViewFeature feature, const data::Batch& question,
                                       Visibility seen);

/// What the kernel answers to the same question after the same events: one value, null or not.
Result<data::Value> ask_kernel(std::shared_ptr<const define::Project> project, const Past& past,
                               define::ViewFeature feature, const data::Batch& question,
                               Visibility seen);

/// What datasets and models read in place of an aggregate's value: `default` where it is null, and
/// null or the default where its newest event is older than `max_age`. (semantics: V3 D5) `why` is
/// empty where the value is read as it is.
struct Reading {
  data::Value value;
  std::string why;
};
Result<Reading> read_as(const define::Project& project, const Past& past,
                        define::ViewFeature feature, const data::Batch& question, Visibility seen,
                        const data::Value& value);

/// Whether two values of a type have the same bits.
bool same_bits(const data::Value& a, const data::Value& b);

/// What became of an event by its name: "replaced by log position 7, known at …", "deleted by …",
/// "duplicate of …"; empty where nothing did. `seen` as of feature_history.
std::string fate_text(const SourceHistory& history, std::int64_t row, Visibility seen);

/// The argument's value of one row, as text; empty for count() and the like.
std::string argument_text(const define::Project& project, const Past& past,
                          define::ViewFeature feature, std::int64_t row);

const define::View& view_of(const define::Project& project, define::ViewFeature feature);
const define::Aggregate& aggregate_of(const define::Project& project, define::ViewFeature feature);

/// The feature of a view called "origin.late_3h". Errors: unknown_name with the near ones.
Result<define::ViewFeature> find_feature(const define::Project& project, const std::string& name);

/// A question of one row from key values as text: in the order of the view's keys, or each as
/// "column=value". Errors: usage, and those of reading a value.
Result<data::Batch> key_question(const define::Project& project, const define::View& view,
                                 const std::vector<std::string>& values);

/// "data/flights.parquet row 12" or "log position 7".
std::string place_of(const SourceHistory& history, std::int64_t row);

}  // namespace coeval::replay
