#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"
#include "stats/distances.h"

namespace coeval::stats {

/// The bins in which later rows of a column are compared with a reference, frozen with the
/// reference's own counts. Counts of windows, shards and replicas add up exactly.
/// Definition: docs/statistics.md, "Drift".
///
/// Bins, in this order: null, NaN, −∞, +∞ (kSpecials of them, of every kind), then
/// - quantiles: below; [e0, e1), [e1, e2), … up to the last, which holds its upper edge too; above.
///   e0 is the least value and the last edge the greatest; at most ten bins, equal edges merged.
/// - values (at most 20 distinct): below; each value; above; and last what lies between two of
/// them.
/// - texts: the 30 most frequent, by count and then text; other, that the reference had too;
/// unseen.
///
/// Numbers of every kind, booleans (0 and 1), dates, timestamps and decimals (times 10^scale) have
/// the first two kinds; integers are compared as integers. −0 counts as 0.
/// Threading: const, safe from any thread.
class ReferenceBins {
 public:
  enum class Kind : std::uint8_t { quantiles, values, texts };
  static constexpr std::size_t kSpecials = 4;
  static constexpr std::size_t kQuantileBins = 10, kMostValues = 20, kMostTexts = 30;
  /// A reference of texts knows at most so many.
  static constexpr std::size_t kMostKnownTexts = 4096;
  /// Texts are told apart by so many of their first bytes.
  static constexpr std::size_t kMostTextBytes = 128;

  ReferenceBins() = default;
  /// Of a whole column, exact: edges are its order statistics of rank ⌊i·n/10⌋ from 0.
  /// Errors: unsupported for lists and for more than kMostKnownTexts distinct texts.
  /// Complexity: a sort.
  static Result<ReferenceBins> of(const data::Column& column);

  /// Numbers by their edges, ascending and distinct, at least one. `counts` has a number for each
  /// bin. The first for float types, the second for the others.
  static ReferenceBins of_edges(data::Type type, std::vector<double> edges,
                                std::vector<std::int64_t> counts);
  static ReferenceBins of_edges(data::Type type, std::vector<std::int64_t> edges,
                                std::vector<std::int64_t> counts);
  /// Numbers by their values, ascending and distinct, at most kMostValues; none: all were null.
  static ReferenceBins of_values(data::Type type, std::vector<double> values,
                                 std::vector<std::int64_t> counts);
  static ReferenceBins of_values(data::Type type, std::vector<std::int64_t> values,
                                 std::vector<std::int64_t> counts);
  /// All texts of a reference, each once, and how many nulls.
  static ReferenceBins of_texts(std::vector<Category> texts, std::int64_t nulls);

  Kind kind() const { return kind_; }
  data::Type type() const { return type_; }
  /// Number of bins.
  std::size_t size() const { return counts_.size(); }
  /// The reference's rows in each.
  std::span<const std::int64_t> counts() const { return counts_; }
  std::int64_t rows() const;
  /// "null", "below 12", "12 to 15", "above 20", "'ABC'", "other", "unseen"; of values "12",
  /// "another".
  std::string label(std::size_t bin) const;
  /// The bins whose order is that of the values, from below to above: what kolmogorov_smirnov
  /// takes. Empty of texts. (Of values: what lies between two of them is left out.)
  std::span<const std::int64_t> ordered(std::span<const std::int64_t> counts) const;
  /// All the reference's texts, by count descending, then text; empty of numbers.
  std::span<const Category> texts() const { return texts_; }

  /// Adds each row of a column of this type to its bin; `counts` has size() numbers.
  /// Complexity: about 3 ns a number; a look-up a text, or one an entry of a dictionary.
  void count(const data::Column& column, std::span<std::int64_t> counts) const;

  /// A text form from which the same bins are read back.
  data::Json to_json() const;
  /// Errors: bad_json.
  static Result<ReferenceBins> from_json(const data::Json& json);

 private:
  ReferenceBins(Kind kind, data::Type type, std::vector<std::int64_t> counts)
      : kind_(kind), type_(type), counts_(std::move(counts)) {}
  void index_texts();
  void count_texts(const data::Column& column, std::span<std::int64_t> counts) const;
  struct TextIndex;

  Kind kind_ = Kind::values;
  data::Type type_ = data::Type::null;
  std::vector<double> reals_;           // edges or values of floats
  std::vector<std::int64_t> integers_;  // of the others
  std::vector<Category> texts_;
  std::vector<std::int64_t> counts_;
  std::shared_ptr<const TextIndex> index_;
};

}  // namespace coeval::stats
