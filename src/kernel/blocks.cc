#include "kernel/blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernel/block_values.h"

namespace coeval::kernel {

namespace {

using data::Column;

// The evaluated parts of one layout.
struct BitColumns {
  const Column* where = nullptr;
  const Column* argument = nullptr;
  bool truth = false;

  bool operator()(std::int64_t row) const {
    if (where != nullptr && (where->is_null(row) || !where->bit(row)))
      return false;  // semantics: V4
    if (argument == nullptr) return true;
    return !argument->is_null(row) && (!truth || argument->bit(row));
  }
};

// Fills the records of rows [first, first + count); the block stays in the first-level cache
// meanwhile.
class RecordWriter {
 public:
  RecordWriter(const RecordLayout& layout, ExpressionCache& expressions) : layout_(layout) {
    for (const auto& bit : layout.bits) {
      BitColumns columns;
      if (bit.where) columns.where = &expressions.get(*bit.where);
      if (bit.argument) columns.argument = &expressions.get(*bit.argument);
      columns.truth = bit.truth;
      bits_.push_back(columns);
    }
    for (const auto* slots : {&layout.narrow, &layout.wide, &layout.real})
      for (const auto& slot : *slots) values_.push_back(&expressions.get(*slot.argument));
  }

  void write(std::byte* records, std::int64_t first, std::size_t count) const {
    for (std::size_t bit = 0; bit < bits_.size(); ++bit) write_bit(records, bit, first, count);
    std::size_t value = 0;
    for (std::size_t i = 0; i < layout_.narrow.size(); ++i)
      write_values<std::int32_t>(records, layout_.narrow_at + 4 * i, layout_.narrow[i],
                                 *values_[value++], first, count);
    for (std::size_t i = 0; i < layout_.wide.size(); ++i)
      write_values<std::int64_t>(records, layout_.wide_at + 8 * i, layout_.wide[i],
                                 *values_[value++], first, count);
    for (std::size_t i = 0; i < layout_.real.size(); ++i)
      write_values<double>(records, layout_.real_at + 8 * i, layout_.real[i], *values_[value++],
                           first, count);
    for (std::size_t i = 0; i < layout_.strings.size(); ++i)
      write_rows(records, layout_.strings_at + 8 * i, layout_.strings[i], first, count);
  }

 private:
  void write_bit(std::byte* records, std::size_t bit, std::int64_t first, std::size_t count) const {
    std::byte* word = records + kFlagsAt + 4 * (bit / 32);
    const BitColumns& columns = bits_[bit];
    const bool always = columns.where == nullptr && columns.argument == nullptr;
    for (std::size_t i = 0; i < count; ++i, word += layout_.stride) {
      const std::uint32_t set = always || columns(first + static_cast<std::int64_t>(i)) ? 1 : 0;
      store(word, load<std::uint32_t>(word) | set << bit % 32);
    }
  }

  template <class T>
  void write_values(std::byte* records, std::size_t at, const RecordLayout::Slot& slot,
                    const Column& column, std::int64_t first, std::size_t count) const {
    const std::byte* record = records;
    for (std::size_t i = 0; i < count; ++i, record += layout_.stride) {
      if (!bit_of(record, slot.part_bit)) continue;  // stays 0
      const std::int64_t row = first + static_cast<std::int64_t>(i);
      T value;
      if constexpr (std::is_same_v<T, double>)
        value = column.real(row);
      else
        value = static_cast<T>(column.integer(row));
      store(records + i * layout_.stride + at, value);
    }
  }

  void write_rows(std::byte* records, std::size_t at, const RecordLayout::Slot& slot,
                  std::int64_t first, std::size_t count) const {
    std::byte* record = records;
    for (std::size_t i = 0; i < count; ++i, record += layout_.stride)
      if (bit_of(record, slot.part_bit)) store(record + at, first + static_cast<std::int64_t>(i));
  }

  const RecordLayout& layout_;
  std::vector<BitColumns> bits_;
  std::vector<const Column*> values_;
};

}  // namespace

const Column& ExpressionCache::get(const define::Expr& expr) {
  const std::string text = define::canonical(expr);
  const auto known =
      std::ranges::find(columns_, text, [](const auto& entry) { return entry.first; });
  if (known != columns_.end()) return *known->second;
  columns_.emplace_back(text, std::make_unique<const Column>(evaluate(expr, rows_, {}, counts_)));
  return *columns_.back().second;
}

std::vector<data::Column> string_columns(const RecordLayout& layout, ExpressionCache& expressions) {
  std::vector<data::Column> columns;
  for (const auto& slot : layout.strings) columns.push_back(expressions.get(*slot.argument));
  return columns;
}

LargeVector<std::byte> make_records(const RecordLayout& layout,
                                    std::span<const std::int64_t> event_time_us,
                                    std::span<const std::int64_t> known_us,
                                    ExpressionCache& expressions, const RunParts& run) {
  LargeVector<std::byte> records(event_time_us.size() * layout.stride);
  const RecordWriter writer(layout, expressions);
  const RowRanges ranges(std::ssize(event_time_us));
  run(ranges.count(), [&](std::size_t range) {
    const auto end = static_cast<std::size_t>(ranges.begin(range + 1));
    constexpr auto kBlock = static_cast<std::size_t>(kBlockRows);
    for (auto first = static_cast<std::size_t>(ranges.begin(range)); first < end; first += kBlock) {
      const std::size_t count = std::min(kBlock, end - first);
      std::byte* block = records.data() + first * layout.stride;
      std::memset(block, 0, count * layout.stride);
      for (std::size_t i = 0; i < count; ++i) {
        store(block + i * layout.stride, event_time_us[first + i]);
        store(block + i * layout.stride + 8, known_us[first + i]);
      }
      writer.write(block, static_cast<std::int64_t>(first), count);
    }
  });
  return records;
}

}  // namespace coeval::kernel
