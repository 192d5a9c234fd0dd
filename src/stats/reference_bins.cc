#include "stats/reference_bins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "data/present_values.h"
#include "data/utf8.h"
#include "stats/reached_counts.h"

namespace coeval::stats {

namespace {

using data::Json;
using Counts = std::span<std::int64_t>;

enum Special : std::size_t { kNull, kNan, kMinusInfinity, kPlusInfinity };
constexpr std::size_t kBelow = ReferenceBins::kSpecials;
/// So many rows at a time; a block of them has room for data::copy_present.
constexpr std::size_t kRows = 1024, kBlock = kRows + 8;
template <class Value>
using Block = std::array<Value, kBlock>;
/// Integers of this size and less are compared as floats, which vectors do.
constexpr std::int64_t kMostReal = std::int64_t{1} << 53;

std::string_view known_part(std::string_view text) {
  return data::utf8_prefix(text, ReferenceBins::kMostTextBytes);
}

// How many of `edges` a value has reached; of the last it must be above, when `closed`.
std::size_t reached_by(std::int64_t value, std::span<const std::int64_t> edges, bool closed) {
  std::size_t reached = 0;
  for (std::size_t i = 0; i < edges.size(); ++i)
    reached += closed && i + 1 == edges.size() ? value > edges[i] : value >= edges[i];
  return reached;
}

// The bin of a value that has reached so many of the reference's values.
std::size_t value_bin(std::int64_t value, std::size_t reached,
                      std::span<const std::int64_t> values) {
  const std::size_t between = kBelow + values.size() + 2;
  if (values.empty()) return between;
  if (reached == 0) return kBelow;
  if (value == values[reached - 1]) return kBelow + reached;
  return reached == values.size() ? kBelow + values.size() + 1 : between;
}

void count_block(std::span<const std::int64_t> block, std::span<const std::int64_t> edges,
                 bool closed, Counts counts) {
  for (const std::int64_t value : block) {
    const std::size_t reached = reached_by(value, edges, closed);
    ++counts[closed ? kBelow + reached : value_bin(value, reached, edges)];
  }
}

/// Counts floats in the bins of edges or of values. No value is put into its bin: how many have
/// reached an edge, less how many have reached the next one, is what lies between the two.
class RealBins {
 public:
  RealBins(std::span<const double> edges, bool closed)
      : closed_(closed), edges_(edges.size()), thresholds_(thresholds(edges, closed)) {}

  /// At most kRows values.
  void count(std::span<const double> values, Counts counts) const {
    Reached reached = reached_of(values);
    if (reached[0] - reached[1] == std::ssize(values)) return add(reached, counts);
    Block<double> finite;
    add(reached_of({finite.data(), take_finite(values, finite, counts)}), counts);
  }

 private:
  using Reached = std::vector<std::int64_t>;

  // Two that tell whether all values are finite. Then each edge; behind the last, when its bin
  // holds it, and behind each value the float64 that comes next.
  static std::vector<double> thresholds(std::span<const double> edges, bool closed) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::vector<double> all = {-std::numeric_limits<double>::max(), kInfinity};
    for (std::size_t i = 0; i < edges.size(); ++i) {
      const bool last = i + 1 == edges.size();
      if (!closed || !last) all.push_back(edges[i]);
      if (!closed || last) all.push_back(std::nextafter(edges[i], kInfinity));
    }
    return all;
  }
  Reached reached_of(std::span<const double> values) const {
    Reached reached(thresholds_.size(), 0);
    thresholds_.add(values, reached);
    return reached;
  }
  void add(const Reached& reached, Counts counts) const {
    const std::int64_t size = reached[0] - reached[1];
    const auto at = [&](std::size_t i) { return reached[2 + i]; };
    const std::size_t between = kBelow + edges_ + 2;  // of values
    if (edges_ == 0) {
      counts[between] += size;
      return;
    }
    counts[kBelow] += size - at(0);
    if (closed_) {
      for (std::size_t i = 0; i < edges_; ++i)
        counts[kBelow + 1 + i] += at(i) - (i + 1 < edges_ ? at(i + 1) : 0);
      return;
    }
    for (std::size_t i = 0; i < edges_; ++i) {
      const std::int64_t above = at(2 * i + 1);
      counts[kBelow + 1 + i] += at(2 * i) - above;
      if (i + 1 < edges_)
        counts[between] += above - at(2 * i + 2);
      else
        counts[between - 1] += above;
    }
  }
  // Counts what is not finite and copies the rest; how many that are.
  static std::size_t take_finite(std::span<const double> values, Block<double>& finite,
                                 Counts counts) {
    std::size_t size = 0;
    for (const double value : values) {
      if (std::isfinite(value))
        finite[size++] = value;
      else
        ++counts[std::isnan(value) ? kNan : value > 0 ? kPlusInfinity : kMinusInfinity];
    }
    return size;
  }

  bool closed_;
  std::size_t edges_;
  ReachedCounts thresholds_;
};

/// The values that are not null, in blocks.
template <class Raw, class Value, class Take>
void each_block(const data::Column& column, Counts counts, Take take) {
  const auto values = column.values<Raw>();
  Block<Raw> present;
  Block<Value> converted;
  for (std::size_t start = 0; start < values.size(); start += kRows) {
    const std::size_t rows = std::min(kRows, values.size() - start);
    const Raw* from = values.data() + start;
    std::size_t size = rows;
    if (column.has_nulls()) {
      size = data::copy_present(from, column.validity_data() + start / 8, rows, present.data());
      counts[kNull] += static_cast<std::int64_t>(rows - size);
      from = present.data();
    }
    if constexpr (std::is_same_v<Raw, Value>) {
      take(std::span<const Value>(from, size));
    } else {
      for (std::size_t i = 0; i < size; ++i) converted[i] = static_cast<Value>(from[i]);
      take(std::span<const Value>(converted.data(), size));
    }
  }
}

template <class Raw>
void count_reals(const data::Column& column, std::span<const double> edges, bool closed,
                 Counts counts) {
  const RealBins bins(edges, closed);
  each_block<Raw, double>(column, counts,
                          [&](std::span<const double> values) { bins.count(values, counts); });
}

template <class Raw>
void count_integers(const data::Column& column, std::span<const std::int64_t> edges, bool closed,
                    Counts counts) {
  std::vector<double> reals;
  bool small = true;
  for (const std::int64_t edge : edges) {
    small &= edge >= -kMostReal && edge <= kMostReal;
    reals.push_back(static_cast<double>(edge));
  }
  const RealBins bins(reals, closed);
  each_block<Raw, std::int64_t>(column, counts, [&](std::span<const std::int64_t> values) {
    std::uint64_t large = small ? 0 : 1;
    for (const std::int64_t value : values)
      large |= static_cast<std::uint64_t>(static_cast<std::uint64_t>(value) + kMostReal >
                                          2 * static_cast<std::uint64_t>(kMostReal));
    if (large != 0) return count_block(values, edges, closed, counts);
    Block<double> converted;
    for (std::size_t i = 0; i < values.size(); ++i) converted[i] = static_cast<double>(values[i]);
    bins.count({converted.data(), values.size()}, counts);
  });
}

void count_booleans(const data::Column& column, std::span<const std::int64_t> edges, bool closed,
                    Counts counts) {
  std::array<std::int64_t, 2> of{};
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row))
      ++counts[kNull];
    else
      ++of[column.bit(row) ? 1 : 0];
  }
  for (std::int64_t value = 0; value < 2; ++value) {
    std::vector<std::int64_t> one(counts.size(), 0);
    count_block({&value, 1}, edges, closed, one);
    for (std::size_t bin = 0; bin < one.size(); ++bin)
      counts[bin] += one[bin] * of[static_cast<std::size_t>(value)];
  }
}

// Edges and counts of all values in order. Float columns hold no NaN here.
template <class Value>
struct Sorted {
  std::vector<Value> values;
  std::vector<Value> distinct(std::size_t most) const {
    std::vector<Value> found;
    for (const Value value : values) {
      if (!found.empty() && found.back() == value) continue;
      found.push_back(value);
      if (found.size() > most) break;
    }
    return found;
  }
  std::vector<Value> edges(std::size_t bins) const {
    std::vector<Value> found{values.front()};
    for (std::size_t i = 1; i <= bins; ++i) {
      const Value edge = i == bins ? values.back() : values[i * values.size() / bins];
      if (found.back() < edge) found.push_back(edge);
    }
    return found;
  }
};

template <class Value>
std::vector<Value> finite_values(const data::Column& column) {
  std::vector<Value> values;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if constexpr (std::is_same_v<Value, double>) {
      if (std::isfinite(column.real(row))) values.push_back(column.real(row) + 0.0);
    } else {
      values.push_back(column.type() == data::Type::boolean ? column.bit(row)
                                                            : column.integer(row));
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

template <class Value>
ReferenceBins bins_of(const data::Column& column) {
  const Sorted<Value> sorted{finite_values<Value>(column)};
  std::vector<Value> distinct = sorted.distinct(ReferenceBins::kMostValues);
  const auto counted = [&](const ReferenceBins& bins) {
    std::vector<std::int64_t> counts(bins.size(), 0);
    bins.count(column, counts);
    return counts;
  };
  if (distinct.size() <= ReferenceBins::kMostValues) {
    std::vector<std::int64_t> none(ReferenceBins::kSpecials + distinct.size() + 3, 0);
    const auto bins = ReferenceBins::of_values(column.type(), distinct, std::move(none));
    return ReferenceBins::of_values(column.type(), std::move(distinct), counted(bins));
  }
  std::vector<Value> edges = sorted.edges(ReferenceBins::kQuantileBins);
  std::vector<std::int64_t> none(ReferenceBins::kSpecials + edges.size() + 1, 0);
  const auto bins = ReferenceBins::of_edges(column.type(), edges, std::move(none));
  return ReferenceBins::of_edges(column.type(), std::move(edges), counted(bins));
}

Result<ReferenceBins> bins_of_texts(const data::Column& column) {
  std::map<std::string, std::int64_t, std::less<>> counts;
  std::int64_t nulls = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      ++nulls;
      continue;
    }
    const std::string_view text = known_part(column.string(row));
    auto found = counts.find(text);
    if (found == counts.end()) found = counts.emplace(std::string(text), 0).first;
    ++found->second;
    if (counts.size() > ReferenceBins::kMostKnownTexts)
      return fail(Code::unsupported,
                  "the reference has more than " + std::to_string(ReferenceBins::kMostKnownTexts) +
                      " distinct texts",
                  "compare a column of fewer texts, such as a prefix");
  }
  std::vector<Category> texts;
  for (auto& [text, count] : counts) texts.push_back({text, count});
  return ReferenceBins::of_texts(std::move(texts), nulls);
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

/// The bin of each text that the reference has.
struct ReferenceBins::TextIndex {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> bins;
};

Result<ReferenceBins> ReferenceBins::of(const data::Column& column) {
  if (data::is_list(column.type()))
    return fail(Code::unsupported, "a column of lists has no bins to compare",
                "compare one of its elements as a column of its own");
  if (column.type() == data::Type::string) return bins_of_texts(column);
  return data::is_float(column.type()) ? bins_of<double>(column) : bins_of<std::int64_t>(column);
}

ReferenceBins ReferenceBins::of_edges(data::Type type, std::vector<double> edges,
                                      std::vector<std::int64_t> counts) {
  COEVAL_CHECK(!edges.empty() && counts.size() == kSpecials + edges.size() + 1);
  ReferenceBins bins(Kind::quantiles, type, std::move(counts));
  bins.reals_ = std::move(edges);
  return bins;
}

ReferenceBins ReferenceBins::of_edges(data::Type type, std::vector<std::int64_t> edges,
                                      std::vector<std::int64_t> counts) {
  COEVAL_CHECK(!edges.empty() && counts.size() == kSpecials + edges.size() + 1);
  ReferenceBins bins(Kind::quantiles, type, std::move(counts));
  bins.integers_ = std::move(edges);
  return bins;
}

ReferenceBins ReferenceBins::of_values(data::Type type, std::vector<double> values,
                                       std::vector<std::int64_t> counts) {
  COEVAL_CHECK(counts.size() == kSpecials + values.size() + 3);
  ReferenceBins bins(Kind::values, type, std::move(counts));
  bins.reals_ = std::move(values);
  return bins;
}

ReferenceBins ReferenceBins::of_values(data::Type type, std::vector<std::int64_t> values,
                                       std::vector<std::int64_t> counts) {
  COEVAL_CHECK(counts.size() == kSpecials + values.size() + 3);
  ReferenceBins bins(Kind::values, type, std::move(counts));
  bins.integers_ = std::move(values);
  return bins;
}

ReferenceBins ReferenceBins::of_texts(std::vector<Category> texts, std::int64_t nulls) {
  std::map<std::string, std::int64_t, std::less<>> known;
  for (const Category& text : texts) known[std::string(known_part(text.text))] += text.count;
  ReferenceBins bins;
  bins.kind_ = Kind::texts;
  bins.type_ = data::Type::string;
  for (auto& [text, count] : known) bins.texts_.push_back({text, count});
  std::stable_sort(bins.texts_.begin(), bins.texts_.end(),
                   [](const Category& a, const Category& b) { return a.count > b.count; });
  bins.counts_.assign(kSpecials, 0);
  bins.counts_[kNull] = nulls;
  std::int64_t others = 0;
  for (std::size_t i = 0; i < bins.texts_.size(); ++i) {
    if (i < kMostTexts)
      bins.counts_.push_back(bins.texts_[i].count);
    else
      others += bins.texts_[i].count;
  }
  bins.counts_.insert(bins.counts_.end(), {others, 0});
  bins.index_texts();
  return bins;
}

void ReferenceBins::index_texts() {
  auto index = std::make_shared<TextIndex>();
  const std::size_t other = size() - 2;
  for (std::size_t i = 0; i < texts_.size(); ++i)
    index->bins.emplace(texts_[i].text, i < kMostTexts ? kSpecials + i : other);
  index_ = std::move(index);
}

std::int64_t ReferenceBins::rows() const {
  std::int64_t rows = 0;
  for (const std::int64_t count : counts_) rows += count;
  return rows;
}

std::string ReferenceBins::label(std::size_t bin) const {
  constexpr std::string_view kNames[] = {"null", "NaN", "-infinity", "+infinity"};
  if (bin < kSpecials) return std::string(kNames[bin]);
  if (kind_ == Kind::texts) {
    if (bin + 1 == size()) return "unseen";
    return bin + 2 == size() ? "other" : quoted(texts_[bin - kSpecials].text);
  }
  const std::size_t edges = reals_.empty() ? integers_.size() : reals_.size();
  const auto edge = [&](std::size_t i) {
    if (!reals_.empty()) return data::to_text(reals_[i], data::Type::float64);
    if (type_ == data::Type::boolean) return data::to_text(integers_[i] != 0, type_);
    return data::to_text(integers_[i], type_);
  };
  if (edges == 0) return bin + 1 == size() ? "any value" : bin == kBelow ? "below" : "above";
  if (bin == kBelow) return "below " + edge(0);
  const std::size_t above = kBelow + edges + (kind_ == Kind::values ? 1 : 0);
  if (bin == above) return "above " + edge(edges - 1);
  if (bin > above) return "another";
  if (kind_ == Kind::values) return edge(bin - kBelow - 1);
  return edge(bin - kBelow - 1) + " to " + edge(bin - kBelow);
}

std::span<const std::int64_t> ReferenceBins::ordered(std::span<const std::int64_t> counts) const {
  if (kind_ == Kind::texts) return {};
  return counts.subspan(kSpecials, size() - kSpecials - (kind_ == Kind::values ? 1 : 0));
}

void ReferenceBins::count(const data::Column& column, std::span<std::int64_t> counts) const {
  COEVAL_CHECK(column.type() == type_ && counts.size() == size());
  const bool closed = kind_ == Kind::quantiles;
  if (kind_ == Kind::texts) return count_texts(column, counts);
  if (type_ == data::Type::boolean) return count_booleans(column, integers_, closed, counts);
  if (type_ == data::Type::float32) return count_reals<float>(column, reals_, closed, counts);
  if (type_ == data::Type::float64) return count_reals<double>(column, reals_, closed, counts);
  if (data::width(type_) == 4)
    return count_integers<std::int32_t>(column, integers_, closed, counts);
  count_integers<std::int64_t>(column, integers_, closed, counts);
}

void ReferenceBins::count_texts(const data::Column& column, std::span<std::int64_t> counts) const {
  const auto bin_of = [&](std::string_view text) {
    const auto found = index_->bins.find(known_part(text));
    return found == index_->bins.end() ? size() - 1 : found->second;
  };
  std::vector<std::size_t> bins;  // of the dictionary's entries
  if (column.is_coded())
    for (std::int64_t i = 0; i < column.dictionary().size(); ++i)
      bins.push_back(bin_of(column.dictionary().string(i)));
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row))
      ++counts[kNull];
    else if (column.is_coded())
      ++counts[bins[static_cast<std::size_t>(column.code(row))]];
    else
      ++counts[bin_of(column.string(row))];
  }
}

data::Json ReferenceBins::to_json() const {
  constexpr std::string_view kKinds[] = {"quantiles", "values", "texts"};
  Json json, numbers = Json::Array(), counts = Json::Array();
  json.set("kind", kKinds[static_cast<std::size_t>(kind_)]).set("type", data::name(type_));
  if (kind_ == Kind::texts) {
    Json texts = Json::Array();
    for (const Category& text : texts_) {
      Json one = Json::Array();
      one.push(text.text).push(text.count);
      texts.push(std::move(one));
    }
    json.set("texts", std::move(texts)).set("nulls", counts_[kNull]);
    return json;
  }
  for (const double real : reals_) numbers.push(real);
  for (const std::int64_t integer : integers_) numbers.push(integer);
  for (const std::int64_t count : counts_) counts.push(count);
  json.set(kind_ == Kind::values ? "values" : "edges", std::move(numbers))
      .set("counts", std::move(counts));
  return json;
}

namespace {

std::unexpected<Error> bad(const std::string& what) {
  return fail(Code::bad_json, "these are no reference bins: " + what);
}

// Ascending numbers of one type.
template <class Value>
bool read_numbers(const Json& array, std::vector<Value>& out) {
  if (array.array() == nullptr) return false;
  for (const Json& item : *array.array()) {
    if constexpr (std::is_same_v<Value, double>) {
      if (item.real() == nullptr || !std::isfinite(*item.real())) return false;
      out.push_back(*item.real());
    } else {
      if (item.integer() == nullptr) return false;
      out.push_back(*item.integer());
    }
  }
  return true;
}

template <class Value>
bool ascends(const std::vector<Value>& values) {
  return std::adjacent_find(values.begin(), values.end(),
                            [](Value a, Value b) { return !(a < b); }) == values.end();
}

bool are_counts(const std::vector<std::int64_t>& counts) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  return std::all_of(counts.begin(), counts.end(),
                     [](std::int64_t count) { return count >= 0 && count <= kMost; });
}

Result<ReferenceBins> texts_from(const Json& json) {
  const Json* texts = json.find("texts");
  const Json* nulls = json.find("nulls");
  if (texts == nullptr || texts->array() == nullptr || nulls == nullptr ||
      nulls->integer() == nullptr || *nulls->integer() < 0)
    return bad("'texts' and 'nulls' must be there");
  if (texts->array()->size() > ReferenceBins::kMostKnownTexts) return bad("too many texts");
  std::vector<Category> categories;
  for (const Json& item : *texts->array()) {
    const Json::Array* pair = item.array();
    if (pair == nullptr || pair->size() != 2 || (*pair)[0].string() == nullptr ||
        (*pair)[1].integer() == nullptr || *(*pair)[1].integer() < 0)
      return bad("each text is a pair of the text and its count");
    categories.push_back({*(*pair)[0].string(), *(*pair)[1].integer()});
  }
  return ReferenceBins::of_texts(std::move(categories), *nulls->integer());
}

template <class Value>
Result<ReferenceBins> numbers_from(const Json& json, data::Type type, bool values) {
  const Json* numbers = json.find(values ? "values" : "edges");
  const Json* counted = json.find("counts");
  std::vector<Value> at;
  std::vector<std::int64_t> counts;
  if (numbers == nullptr || counted == nullptr || !read_numbers(*numbers, at) ||
      !read_numbers(*counted, counts) || !ascends(at) || !are_counts(counts))
    return bad("'" + std::string(values ? "values" : "edges") +
               "' must be ascending numbers of the type, 'counts' whole numbers");
  const std::size_t most = values ? ReferenceBins::kMostValues : 1000;
  const std::size_t expected = ReferenceBins::kSpecials + at.size() + (values ? 3 : 1);
  if (at.size() > most || (!values && at.empty()) || counts.size() != expected)
    return bad("there are " + std::to_string(counts.size()) + " counts for " +
               std::to_string(at.size()) + " numbers");
  return values ? ReferenceBins::of_values(type, std::move(at), std::move(counts))
                : ReferenceBins::of_edges(type, std::move(at), std::move(counts));
}

}  // namespace

Result<ReferenceBins> ReferenceBins::from_json(const data::Json& json) {
  const Json* kind = json.find("kind");
  const Json* type_name = json.find("type");
  if (kind == nullptr || kind->string() == nullptr || type_name == nullptr ||
      type_name->string() == nullptr)
    return bad("'kind' and 'type' must be there");
  COEVAL_ASSIGN(const data::Type type, data::parse_type(*type_name->string()));
  const bool values = *kind->string() == "values";
  const bool edges = *kind->string() == "quantiles";
  const bool is_text = type == data::Type::string;
  if (data::is_list(type) || is_text != (*kind->string() == "texts") ||
      (!is_text && !values && !edges))
    return bad("kind '" + *kind->string() + "' of type " + *type_name->string());
  if (is_text) return texts_from(json);
  return data::is_float(type) ? numbers_from<double>(json, type, values)
                              : numbers_from<std::int64_t>(json, type, values);
}

}  // namespace coeval::stats
