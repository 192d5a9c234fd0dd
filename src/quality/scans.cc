#include "quality/scans.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "data/hash.h"
#include "data/packed_list.h"
#include "data/utf8.h"

namespace coeval::quality {

namespace {

// Small enough that a bad block is cheap to look through, large enough that the loop inside
// dominates.
constexpr std::size_t kBlockRows = 1024;

// What the rules of a column say of each row of a block: bit 0 and 1 are its two bounds, bit 2 that
// the value is not finite.
constexpr std::uint8_t kBelow = 1, kAbove = 2, kNotFinite = 4;
using Masks = std::array<std::uint8_t, kBlockRows>;

// A block is first asked as a whole whether any of its values is suspicious, since most are clean;
// only then are the masks of its rows written. Neither `suspicious(value)` nor `mask_of(value)` has
// branches, so that both loops take many values at once.
template <class T, class Suspicious, class MaskOf, class Row>
void scan_blocks(std::span<const T> values, Suspicious suspicious, MaskOf mask_of, Row row) {
  Masks masks;
  for (std::size_t start = 0; start < values.size(); start += kBlockRows) {
    const auto block = values.subspan(start, std::min(kBlockRows, values.size() - start));
    unsigned any = 0;
    for (const T value : block) any |= suspicious(value);
    if (any == 0) continue;
    for (std::size_t i = 0; i < block.size(); ++i)
      masks[i] = static_cast<std::uint8_t>(mask_of(block[i]));
    for (std::size_t i = 0; i < block.size(); ++i)
      if (masks[i] != 0) row(static_cast<std::int64_t>(start + i), masks[i]);
  }
}

// The bounds are narrowed to T first, so that the loop stays in T. A bound outside T's values
// excludes none of them or all of them; `none` says that all are excluded.
template <class T>
struct NarrowRange {
  explicit NarrowRange(const IntegerRange& range) {
    constexpr std::int64_t kLeast = std::numeric_limits<T>::min(),
                           kMost = std::numeric_limits<T>::max();
    none = range.min > kMost || range.max < kLeast;
    min = static_cast<T>(std::clamp(range.min, kLeast, kMost));
    max = static_cast<T>(std::clamp(range.max, kLeast, kMost));
  }
  T min, max;
  bool none;
};

template <class T>
void scan_integers_of(const data::Column& column, const IntegerRange& range, Findings& findings) {
  const NarrowRange<T> narrow(range);
  const unsigned all = narrow.none ? kBelow : 0;
  const auto mask_of = [&narrow, all](T value) {
    return static_cast<unsigned>(value < narrow.min) * kBelow |
           static_cast<unsigned>(value > narrow.max) * kAbove | all;
  };
  scan_blocks(column.values<T>(), mask_of, mask_of, [&](std::int64_t row, std::uint8_t) {
    if (column.is_null(row)) return;
    const std::int64_t value = column.integer(row);
    if (range.min_rule >= 0 && value < range.min) findings.push_back({row, range.min_rule});
    if (range.max_rule >= 0 && value > range.max) findings.push_back({row, range.max_rule});
  });
}

template <class T>
void scan_floats_of(const data::Column& column, const FloatRange& range, Findings& findings) {
  constexpr double kMost = std::numeric_limits<double>::max();
  const unsigned not_finite = range.finite_rule >= 0 ? kNotFinite : 0;
  const double min = range.min, max = range.max;
  const auto mask_of = [=](T narrow) {
    const auto value = static_cast<double>(narrow);
    const auto finite =
        static_cast<unsigned>(value >= -kMost) & static_cast<unsigned>(value <= kMost);
    return static_cast<unsigned>(value < min) * kBelow |
           static_cast<unsigned>(value > max) * kAbove | (finite ^ 1U) * not_finite;
  };
  const auto row = [&](std::int64_t at, std::uint8_t mask) {
    if (column.is_null(at)) return;
    if ((mask & kNotFinite) != 0) findings.push_back({at, range.finite_rule});
    if ((mask & kBelow) != 0) findings.push_back({at, range.min_rule});
    if ((mask & kAbove) != 0) findings.push_back({at, range.max_rule});
  };
  if (not_finite == 0) return scan_blocks(column.values<T>(), mask_of, mask_of, row);
  // Clamped to finite bounds, one comparison a side finds NaN and infinities as well.
  const double least = std::max(min, -kMost), most = std::min(max, kMost);
  const auto suspicious = [=](T narrow) {
    const auto value = static_cast<double>(narrow);
    return (static_cast<unsigned>(value >= least) & static_cast<unsigned>(value <= most)) ^ 1U;
  };
  scan_blocks(column.values<T>(), suspicious, mask_of, row);
}

void add_broken(std::int64_t row, std::uint8_t broken, const std::vector<int>& rules,
                Findings& findings) {
  for (std::size_t i = 0; i < rules.size(); ++i)
    if ((broken >> i & 1) != 0) findings.push_back({row, rules[i]});
}

void scan_codes(const data::Column& column, const StringVerdict& verdict,
                const std::vector<int>& rules, Findings& findings) {
  const data::Column& dictionary = column.dictionary();
  std::vector<std::uint8_t> broken(static_cast<std::size_t>(dictionary.size()));
  for (std::size_t code = 0; code < broken.size(); ++code)
    broken[code] = verdict.broken(dictionary.string(static_cast<std::int64_t>(code)));
  if (std::all_of(broken.begin(), broken.end(), [](std::uint8_t b) { return b == 0; })) return;
  for (std::int64_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row))
      add_broken(row, broken[static_cast<std::size_t>(column.code(row))], rules, findings);
}

// Verdicts on values seen lately, so that a column of few distinct values costs few pattern
// matches.
class VerdictCache {
 public:
  VerdictCache(const StringVerdict& verdict, std::int64_t rows)
      : verdict_(verdict),
        slots_(static_cast<std::size_t>(std::clamp<std::int64_t>(rows, 1, kSlots))) {}
  std::uint8_t operator()(std::string_view text) {
    Slot& slot = slots_[data::xxh3_64(text) % slots_.size()];
    if (!slot.used || slot.text != text) slot = {text, verdict_.broken(text), true};
    return slot.broken;
  }

 private:
  struct Slot {
    std::string_view text;
    std::uint8_t broken = 0;
    bool used = false;
  };
  static constexpr std::int64_t kSlots = 1024;
  const StringVerdict& verdict_;
  std::vector<Slot> slots_;
};

// Whether all texts of a column that is not coded are UTF-8: all its bytes are, and none begins
// within a character. A column that it denies may still have only such texts, beside its nulls.
bool is_utf8(const data::Column& column) {
  if (column.is_coded() || column.size() == 0) return false;
  const std::int32_t* const offsets = column.offsets_data();
  const char* const bytes = column.bytes_data();
  const std::int32_t end = offsets[column.size()];
  if (!data::is_utf8({bytes + offsets[0], static_cast<std::size_t>(end - offsets[0])}))
    return false;
  const auto is_within = [&](std::int32_t at) {
    return at < end && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80;
  };
  return std::none_of(offsets, offsets + column.size(), is_within);
}

void scan_plain_strings(const data::Column& column, const StringVerdict& verdict,
                        const std::vector<int>& rules, Findings& findings) {
  if (!verdict.dear || column.size() == 1) {
    const auto& broken = is_utf8(column) ? verdict.broken_by_utf8 : verdict.broken;
    for (std::int64_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row))
        if (const std::uint8_t found = broken(column.string(row)); found != 0)
          add_broken(row, found, rules, findings);
    return;
  }
  VerdictCache cached(verdict, column.size());
  for (std::int64_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) add_broken(row, cached(column.string(row)), rules, findings);
}

}  // namespace

void scan_integers(const data::Column& column, const IntegerRange& range, Findings& findings) {
  if (data::width(column.type()) == 4)
    scan_integers_of<std::int32_t>(column, range, findings);
  else
    scan_integers_of<std::int64_t>(column, range, findings);
}

void scan_floats(const data::Column& column, const FloatRange& range, Findings& findings) {
  if (column.type() == data::Type::float32)
    scan_floats_of<float>(column, range, findings);
  else
    scan_floats_of<double>(column, range, findings);
}

void scan_lists(const data::Column& column, int length_rule, int elements_rule,
                Findings& findings) {
  const std::uint32_t length = data::list_length(column.type());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    const data::ListView list(column.string(row), column.type());
    const std::size_t size = list.size();
    if (size != length) findings.push_back({row, length_rule});
    bool finite = true;
    for (std::size_t i = 0; i < size; ++i) finite = finite && std::isfinite(list.real(i));
    if (!finite) findings.push_back({row, elements_rule});
  }
}

void scan_nulls(const data::Column& column, int rule, Findings& findings) {
  if (!column.has_nulls()) return;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if ((row & 7) == 0 && row + 8 <= column.size() && column.validity_data()[row >> 3] == 0xFF)
      row += 7;  // eight present values
    else if (column.is_null(row))
      findings.push_back({row, rule});
  }
}

void scan_ahead(const data::Column& column, std::int64_t most_us, const data::Column& times,
                int rule, Findings& findings) {
  const auto values = column.values<std::int64_t>();
  const auto of_row = times.values<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t ahead = 0;
    // Beyond 64 bits, only a value above the row's time is ahead of it.
    const bool beyond = __builtin_sub_overflow(values[i], of_row[i], &ahead);
    if (beyond ? values[i] < 0 : ahead <= most_us) continue;
    const auto row = static_cast<std::int64_t>(i);
    if (!column.is_null(row) && !times.is_null(row)) findings.push_back({row, rule});
  }
}

void scan_strings(const data::Column& column, const StringVerdict& verdict,
                  const std::vector<int>& rules, Findings& findings) {
  // A few rows may share a dictionary that was made for many.
  if (column.is_coded() && column.dictionary().size() <= column.size())
    scan_codes(column, verdict, rules, findings);
  else
    scan_plain_strings(column, verdict, rules, findings);
}

}  // namespace coeval::quality
