#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exact/decay.h"
#include "exact/distinct_count.h"
#include "exact/frequent_values.h"
#include "exact/quantile_sketch.h"
#include "kernel/record_layout.h"
#include "kernel/string_table.h"

namespace coeval::kernel {

/// A value of an event, or null. A string is held.
struct DatedValue {
  std::int64_t time_us = 0;
  bool valid = false;
  std::uint64_t bits = 0;  ///< of a string: 0
  StringRef string;
};

/// The newest values of a set of events, newest first by (event time, position). (semantics: T5)
struct NewestValues {
  std::vector<DatedValue> values;
};

/// How often each string occurs. Over a window of bounded length always exact, since its events
/// hold the strings anyway; over all time only up to the cap of distinct ones, above which nothing
/// is held but that there were more. (semantics: A4)
struct StringCounts {
  struct ByText {
    using is_transparent = void;
    bool operator()(const StringRef& a, const StringRef& b) const { return a.text() < b.text(); }
  };
  std::map<StringRef, std::int64_t, ByText> counts;
  bool all_time = true;
  bool over_cap = false;

  void add(StringRef string, std::int64_t times);
  void give_up();  ///< for there are more than the cap
  bool is_approximate() const { return over_cap; }
};

/// Smallest and largest string by bytes, and those of the oldest and newest event.
struct StringExtremes {
  std::int64_t count = 0;
  std::int64_t first_time = 0, last_time = 0;
  StringRef least, greatest, first, last;
};

/// What an aggregate that cannot leave events out again gathers from a set of events, one by one: a
/// function of the multiset and of T5's order. (semantics: A1 A3 A4 A5)
///
/// Of two events of equal event time the one of the earlier position must be added first.
class Collection {
 public:
  /// The plan must outlive it.
  explicit Collection(const CollectionPlan& plan);
  /// Empties it, for events of all time or of a window of bounded length.
  void clear(bool all_time = true);

  /// Adds one event, if it counts; `at_us` is the question's time, which only decayed sums read.
  void add(const RecordLayout& layout, const std::byte* record, std::int64_t at_us);
  /// For newest values: adds an event older than all that were added; false when no older one can
  /// be among the newest.
  bool add_older(const RecordLayout& layout, const std::byte* record);
  /// The same of an event that counts, by its parts: its time, and its value unless that is null.
  /// Not of strings.
  void add_value(std::int64_t time_us, bool valid, std::uint64_t bits, std::int64_t at_us);
  bool add_older_value(std::int64_t time_us, bool valid, std::uint64_t bits);
  /// Adds the events of another collection of the same plan, which have the earlier positions where
  /// event times are equal. A decayed sum takes nothing.
  void merge(const Collection& earlier);
  /// The same of events with the later positions; not for newest values.
  void merge_later(const Collection& later);
  /// Makes what was gathered for a window of bounded length one of all time, and adds what was
  /// folded, which may be null.
  void extend_to_all_time(const Collection* folded);

  const CollectionPlan& plan() const { return *plan_; }
  /// About how much memory the state takes.
  std::size_t state_bytes() const;
  /// Whether the answer is that of a sketch. (semantics: A4)
  bool is_approximate() const;
  template <class State>
  const State& get() const {
    return std::get<State>(state_);
  }

  /// Canonical bytes; read_bytes takes them off the front, into a collection of the same plan, and
  /// says whether `count` events that count can have such. A decayed sum has none: what it reads is
  /// held as events.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes, std::int64_t count, StringTable& strings);

 private:
  const CollectionPlan* plan_;
  std::variant<exact::DistinctCount<std::int64_t>, exact::DistinctCount<exact::Key128>,
               exact::QuantileSketch<double>, exact::QuantileSketch<std::int64_t>,
               exact::FrequentValues<std::int64_t>, StringCounts, NewestValues, StringExtremes,
               exact::DecayedSum>
      state_;
};

}  // namespace coeval::kernel
