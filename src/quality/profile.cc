#include "quality/profile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "data/decimal.h"
#include "data/packed_list.h"
#include "data/present_values.h"
#include "exact/byte_codec.h"
#include "quality/number_loops.h"
#include "quality/number_profile.h"
#include "quality/text_profile.h"

namespace coeval::quality {

namespace {

using Reals = NumberProfile<double>;
using Integers = NumberProfile<std::int64_t>;
using Profiles = std::variant<Integers, Reals, TextProfile>;

constexpr std::size_t kBlock = Integers::kBlock;
using Block = std::array<std::int64_t, kBlock>;

Profiles profiles_of(data::Type type) {
  if (data::is_float(type)) return Reals();
  if (type == data::Type::string) return TextProfile();
  return Integers();  // of a list: its lengths
}

/// Rows of floats that are no numbers.
struct Specials {
  std::int64_t nans = 0, plus_infinities = 0, minus_infinities = 0;
};

constexpr std::uint64_t kSignless = ~std::uint64_t{0} >> 1;
constexpr std::uint64_t kInfinity = std::uint64_t{0x7FF} << 52;

// Takes the values that are not finite out of the block; how many are left.
std::size_t take_specials(Block& block, std::size_t size, Specials& specials) {
  std::size_t left = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto bits = static_cast<std::uint64_t>(block[i]);
    if ((bits & kSignless) < kInfinity)
      block[left++] = block[i];
    else if ((bits & kSignless) > kInfinity)
      ++specials.nans;
    else if (bits == kInfinity)
      ++specials.plus_infinities;
    else
      ++specials.minus_infinities;
  }
  return left;
}

// The keys of values; false when one of them is not finite.
template <class Raw>
bool make_keys(const Raw* values, std::size_t size, Block& keys) {
  if constexpr (std::is_same_v<Raw, double>) {
    return quickest_number_loops().make_keys(values, size, keys.data());
  } else if constexpr (std::is_same_v<Raw, float>) {
    std::array<double, kBlock> wide;
    for (std::size_t i = 0; i < size; ++i) wide[i] = static_cast<double>(values[i]);
    return make_keys(wide.data(), size, keys);
  } else {
    for (std::size_t i = 0; i < size; ++i) keys[i] = static_cast<std::int64_t>(values[i]);
    return true;
  }
}

/// Adds the column's values in blocks, as NumberProfile takes them, and counts the others.
template <class Raw, class Numbers>
std::int64_t add_blocks(const data::Column& column, Numbers& numbers, Specials& specials) {
  const auto values = column.values<Raw>();
  std::int64_t nulls = 0;
  Block block;
  std::array<Raw, kBlock + 8> present;  // with room for copy_present
  for (std::size_t start = 0; start < values.size(); start += kBlock) {
    const std::size_t rows = std::min(kBlock, values.size() - start);
    const Raw* from = values.data() + start;
    std::size_t size = rows;
    if (column.has_nulls()) {
      size = data::copy_present(from, column.validity_data() + start / 8, rows, present.data());
      nulls += static_cast<std::int64_t>(rows - size);
      from = present.data();
    }
    if (!make_keys(from, size, block)) [[unlikely]]
      size = take_specials(block, size, specials);
    numbers.add({block.data(), size});
  }
  return nulls;
}

std::int64_t add_booleans(const data::Column& column, Integers& numbers) {
  std::int64_t nulls = 0, trues = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const bool null = column.is_null(row);
    nulls += null ? 1 : 0;
    trues += !null && column.bit(row) ? 1 : 0;
  }
  if (trues > 0) numbers.add_times(1, trues);
  const std::int64_t falses = column.size() - nulls - trues;
  if (falses > 0) numbers.add_times(0, falses);
  return nulls;
}

// A dictionary's texts once each, with the number of rows that have them.
std::int64_t add_codes(const data::Column& column, TextProfile& texts) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(column.dictionary().size()), 0);
  std::int64_t nulls = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row))
      ++nulls;
    else
      ++counts[static_cast<std::size_t>(column.code(row))];
  }
  for (std::size_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0)
      texts.add(column.dictionary().string(static_cast<std::int64_t>(code)), counts[code]);
  return nulls;
}

std::int64_t add_plain(const data::Column& column, TextProfile& texts) {
  std::int64_t nulls = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row))
      ++nulls;
    else
      texts.add(column.string(row));
  }
  return nulls;
}

std::int64_t add_texts(const data::Column& column, TextProfile& texts) {
  const std::int64_t nulls =
      column.is_coded() ? add_codes(column, texts) : add_plain(column, texts);
  texts.settle();
  return nulls;
}

std::uint64_t unit_of(data::Type type) {
  return static_cast<std::uint64_t>(data::power_of_ten(data::scale_of(type)));
}

// Booleans as such, integers that stand for dates or decimals as they are.
data::Value typed(const data::Value& value, data::Type type) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  if (type != data::Type::boolean || integer == nullptr) return value;
  return *integer != 0;
}

}  // namespace

struct ColumnProfile::Parts {
  explicit Parts(data::Type t) : type(t), profiles(profiles_of(t)) {
    if (data::is_list(t)) elements = std::make_unique<ColumnProfile>(data::element_of(t));
  }
  std::int64_t add_lists(const data::Column& column);

  data::Type type;
  std::int64_t rows = 0, nulls = 0;
  Specials specials;
  Profiles profiles;
  std::unique_ptr<ColumnProfile> elements;
};

std::int64_t ColumnProfile::Parts::add_lists(const data::Column& column) {
  auto& lengths = std::get<Integers>(profiles);
  const data::ListParts parts = data::list_parts(column);
  Block block;
  std::size_t size = 0;
  std::int64_t absent = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      ++absent;
      continue;
    }
    const auto at = static_cast<std::size_t>(row);
    block[size++] = parts.offsets[at + 1] - parts.offsets[at];
    if (size < kBlock) continue;
    lengths.add(block);
    size = 0;
  }
  lengths.add({block.data(), size});
  elements->add(parts.elements);
  return absent;
}

ColumnProfile::ColumnProfile(data::Type type) : parts_(std::make_unique<Parts>(type)) {}
ColumnProfile::ColumnProfile(ColumnProfile&&) noexcept = default;
ColumnProfile& ColumnProfile::operator=(ColumnProfile&&) noexcept = default;
ColumnProfile::~ColumnProfile() = default;

data::Type ColumnProfile::type() const { return parts_->type; }

void ColumnProfile::add(const data::Column& column) {
  Parts& parts = *parts_;
  parts.rows += column.size();
  if (data::is_list(parts.type)) {
    parts.nulls += parts.add_lists(column);
  } else if (parts.type == data::Type::boolean) {
    parts.nulls += add_booleans(column, std::get<Integers>(parts.profiles));
  } else if (parts.type == data::Type::string) {
    parts.nulls += add_texts(column, std::get<TextProfile>(parts.profiles));
  } else if (parts.type == data::Type::float32) {
    parts.nulls += add_blocks<float>(column, std::get<Reals>(parts.profiles), parts.specials);
  } else if (parts.type == data::Type::float64) {
    parts.nulls += add_blocks<double>(column, std::get<Reals>(parts.profiles), parts.specials);
  } else if (data::width(parts.type) == 4) {
    parts.nulls +=
        add_blocks<std::int32_t>(column, std::get<Integers>(parts.profiles), parts.specials);
  } else {
    parts.nulls +=
        add_blocks<std::int64_t>(column, std::get<Integers>(parts.profiles), parts.specials);
  }
}

void ColumnProfile::merge(const ColumnProfile& other) {
  COEVAL_CHECK(&other != this);
  Parts& parts = *parts_;
  parts.rows += other.parts_->rows;
  parts.nulls += other.parts_->nulls;
  parts.specials.nans += other.parts_->specials.nans;
  parts.specials.plus_infinities += other.parts_->specials.plus_infinities;
  parts.specials.minus_infinities += other.parts_->specials.minus_infinities;
  std::visit(
      [&](auto& ours) {
        ours.merge(std::get<std::remove_reference_t<decltype(ours)>>(other.parts_->profiles));
      },
      parts.profiles);
  if (parts.elements) parts.elements->merge(*other.parts_->elements);
}

ColumnSummary ColumnProfile::summary() const {
  const Parts& parts = *parts_;
  ColumnSummary summary;
  summary.type = parts.type;
  summary.rows = parts.rows;
  summary.nulls = parts.nulls;
  summary.nans = parts.specials.nans;
  summary.plus_infinities = parts.specials.plus_infinities;
  summary.minus_infinities = parts.specials.minus_infinities;
  if (const auto* texts = std::get_if<TextProfile>(&parts.profiles))
    texts->summarise(summary);
  else if (const auto* reals = std::get_if<Reals>(&parts.profiles))
    reals->summarise(summary, 1);
  else
    std::get<Integers>(parts.profiles).summarise(summary, unit_of(parts.type));
  if (parts.elements) {  // the lists' lengths are no values of theirs
    summary.distinct = 0;
    summary.distinct_exact = true;
    summary.top_values.clear();
    summary.elements.push_back(parts.elements->summary());
  }
  summary.min = typed(summary.min, parts.type);
  summary.max = typed(summary.max, parts.type);
  for (ProfileValue& top : summary.top_values) top.value = typed(top.value, parts.type);
  return summary;
}

std::optional<std::vector<ProfileValue>> ColumnProfile::values() const {
  const Parts& parts = *parts_;
  if (parts.elements) return std::nullopt;
  if (const auto* texts = std::get_if<TextProfile>(&parts.profiles)) return texts->values();
  std::vector<ProfileValue> all;
  const auto of = [&](const auto& numbers) {
    const auto values = numbers.values();
    if (!values) return false;
    for (const auto& [value, count] : *values) all.push_back({typed(value, parts.type), count});
    return true;
  };
  const auto* reals = std::get_if<Reals>(&parts.profiles);
  const bool held = reals != nullptr ? of(*reals) : of(std::get<Integers>(parts.profiles));
  if (!held) return std::nullopt;
  return all;
}

namespace {

template <class Value>
stats::ReferenceBins reference_of(data::Type type, const NumberProfile<Value>& numbers,
                                  std::vector<std::int64_t> specials) {
  std::vector<std::int64_t> counts = std::move(specials);
  counts.push_back(0);  // below
  const auto held = numbers.values();
  if (held && held->size() <= stats::ReferenceBins::kMostValues) {
    std::vector<Value> values;
    for (const auto& [value, count] : *held) {
      values.push_back(value);
      counts.push_back(count);
    }
    counts.insert(counts.end(), {0, 0});  // above, between
    return stats::ReferenceBins::of_values(type, std::move(values), std::move(counts));
  }
  BinEdges<Value> bins = numbers.even_edges(stats::ReferenceBins::kQuantileBins);
  counts.insert(counts.end(), bins.counts.begin(), bins.counts.end());
  counts.push_back(0);  // above
  return stats::ReferenceBins::of_edges(type, std::move(bins.edges), std::move(counts));
}

}  // namespace

Result<stats::ReferenceBins> ColumnProfile::reference() const {
  const Parts& parts = *parts_;
  if (parts.elements)
    return fail(Code::unsupported, "a column of lists has no bins to compare",
                "compare one of its elements as a column of its own");
  if (const auto* texts = std::get_if<TextProfile>(&parts.profiles)) {
    const auto held = texts->values();
    if (!held)
      return fail(Code::unsupported,
                  "the reference has more than " + std::to_string(kMostCounted) +
                      " distinct texts, which its profile does not hold",
                  "compare a column of fewer texts, such as a prefix, or their null share");
    std::vector<stats::Category> categories;
    for (const auto& [value, count] : *held)
      categories.push_back({std::get<std::string>(value), count});
    return stats::ReferenceBins::of_texts(std::move(categories), parts.nulls);
  }
  std::vector<std::int64_t> specials{parts.nulls, parts.specials.nans,
                                     parts.specials.minus_infinities,
                                     parts.specials.plus_infinities};
  if (const auto* reals = std::get_if<Reals>(&parts.profiles))
    return reference_of(parts.type, *reals, std::move(specials));
  return reference_of(parts.type, std::get<Integers>(parts.profiles), std::move(specials));
}

// Rows, nulls, NaN, +∞, −∞; the values; a list's elements.
void ColumnProfile::append_bytes(std::string& out) const {
  const Parts& parts = *parts_;
  for (const std::int64_t count : {parts.rows, parts.nulls, parts.specials.nans,
                                   parts.specials.plus_infinities, parts.specials.minus_infinities})
    exact::append_count(out, count);
  std::visit([&](const auto& profile) { profile.append_bytes(out); }, parts.profiles);
  if (parts.elements) parts.elements->append_bytes(out);
}

bool ColumnProfile::read_bytes(std::string_view& bytes) {
  Parts read(parts_->type);
  for (std::int64_t* count : {&read.rows, &read.nulls, &read.specials.nans,
                              &read.specials.plus_infinities, &read.specials.minus_infinities})
    if (!exact::read_count(bytes, *count)) return false;
  if (!std::visit([&](auto& profile) { return profile.read_bytes(bytes); }, read.profiles))
    return false;
  if (read.elements && !read.elements->read_bytes(bytes)) return false;
  const std::int64_t counted =
      std::visit([](const auto& profile) { return profile.count(); }, read.profiles);
  if (counted + read.nulls + read.specials.nans + read.specials.plus_infinities +
          read.specials.minus_infinities !=
      read.rows)
    return false;
  *parts_ = std::move(read);
  return true;
}

Profile::Profile(data::Schema schema) : schema_(std::move(schema)) {
  for (const data::Field& field : schema_.fields) columns_.emplace_back(field.type);
}

const ColumnProfile* Profile::find(std::string_view column) const {
  const int index = schema_.index_of(column);
  return index < 0 ? nullptr : &columns_[static_cast<std::size_t>(index)];
}

namespace {

// `what` came, and should have been as `wanted`.
Status same_columns(const std::string& what, const data::Schema& came, const data::Schema& wanted) {
  if (came.fields.size() != wanted.fields.size())
    return fail(Code::type_mismatch, what + std::to_string(came.fields.size()) + " columns, not " +
                                         std::to_string(wanted.fields.size()));
  for (std::size_t i = 0; i < came.fields.size(); ++i)
    if (came.fields[i].name != wanted.fields[i].name ||
        came.fields[i].type != wanted.fields[i].type)
      return fail(Code::type_mismatch, what + "'" + came.fields[i].name + "' (" +
                                           data::name(came.fields[i].type) + ") where '" +
                                           wanted.fields[i].name + "' (" +
                                           data::name(wanted.fields[i].type) + ") should be");
  return {};
}

}  // namespace

Status Profile::add(const data::Batch& batch, WorkerPool* pool) {
  COEVAL_TRY(same_columns("the rows have ", batch.schema, schema_));
  rows_ += batch.rows;
  run_parts(pool, columns_.size(), [&](std::size_t i) { columns_[i].add(batch.columns[i]); });
  return {};
}

Status Profile::merge(const Profile& other) {
  COEVAL_TRY(same_columns("the profile has ", other.schema_, schema_));
  rows_ += other.rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].merge(other.columns_[i]);
  return {};
}

ProfileSummary Profile::summary() const {
  ProfileSummary summary;
  summary.rows = rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    summary.columns.push_back(columns_[i].summary());
    summary.columns.back().name = schema_.fields[i].name;
  }
  return summary;
}

}  // namespace coeval::quality
