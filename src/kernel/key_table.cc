#include "kernel/key_table.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>

#include "base/large_allocator.h"
#include "data/hash.h"
#include "kernel/key_bytes.h"
#include "kernel/value_numbers.h"

namespace coeval::kernel {

namespace {

// The bytes of all keys by number.
class KeyBytes {
 public:
  std::string_view key(std::size_t number) const {
    if (ends_.empty()) return {bytes_.data() + number * width_, width_};
    const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
    return {bytes_.data() + begin, ends_[number] - begin};
  }
  void append(std::string_view key) {
    if (count_ == 0) width_ = key.size();
    if (ends_.empty() && key.size() != width_)
      for (std::size_t i = 1; i <= count_; ++i) ends_.push_back(i * width_);
    bytes_.insert(bytes_.end(), key.begin(), key.end());
    if (!ends_.empty()) ends_.push_back(bytes_.size());
    ++count_;
  }
  void pop() {
    bytes_.resize(bytes_.size() - key(count_ - 1).size());
    if (!ends_.empty()) ends_.pop_back();
    --count_;
  }
  std::size_t size_bytes() const { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
  std::size_t count_ = 0, width_ = 0;
  std::vector<std::uint64_t> ends_;  // of each key; empty while all have one width
};

// Keys stand in the index by their numbers.
struct KeyHash {
  using is_avalanching = void;
  using is_transparent = void;
  const KeyBytes* keys;
  std::size_t operator()(std::string_view key) const { return data::xxh3_64(key); }
  std::size_t operator()(std::int32_t number) const {
    return (*this)(keys->key(static_cast<std::size_t>(number)));
  }
};
struct KeyEqual {
  using is_transparent = void;
  const KeyBytes* keys;
  std::string_view text(std::string_view key) const { return key; }
  std::string_view text(std::int32_t number) const {
    return keys->key(static_cast<std::size_t>(number));
  }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return text(a) == text(b);
  }
};

constexpr std::int32_t kNotSeen = INT32_MIN;

// Numbers of rows whose key columns are all dictionary-coded, by way of a table over the codes, so
// that each combination is looked up once. False when the table would be larger than the work it
// saves.
template <class Number>
bool number_coded(std::span<const data::Column* const> columns, std::vector<std::int32_t>& numbers,
                  Number number) {
  std::uint64_t size = 1;
  for (const data::Column* column : columns) {
    if (!column->is_coded()) return false;
    size *= static_cast<std::uint64_t>(column->dictionary().size()) + 1;
    if (size > 4 * numbers.size() + 4096) return false;
  }
  std::vector<std::int32_t> by_codes(size, kNotSeen);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    std::size_t place = 0;
    for (const data::Column* column : columns) {
      const auto code = column->is_null(row) ? column->dictionary().size() : column->code(row);
      place = place * (static_cast<std::size_t>(column->dictionary().size()) + 1) +
              static_cast<std::size_t>(code);
    }
    if (by_codes[place] == kNotSeen) by_codes[place] = number(row);
    numbers[i] = by_codes[place];
  }
  return true;
}

// The same by the values themselves. Most of them are there once the first range of rows has been
// looked at; the other ranges are looked at side by side, and what is new in them is numbered
// behind that, in the order of rows.
template <class Value, class Number>
void number_values(const data::Column& column, std::vector<std::int32_t>& numbers,
                   const RunParts& run, Number number) {
  constexpr std::int64_t kAhead = 16;
  const auto values = column.values<Value>();
  ValueNumbers known;
  const auto look_up = [&](std::int64_t begin, std::int64_t end, auto when_missing) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto i = static_cast<std::size_t>(row);
      if (row + kAhead < end) known.fetch(values[i + kAhead]);
      numbers[i] = column.is_null(row) ? KeyTable::kNull : known.find(values[i]);
      if (numbers[i] == ValueNumbers::kNone) when_missing(row);
    }
  };
  const auto add = [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    numbers[i] = known.find(values[i]);
    if (numbers[i] != ValueNumbers::kNone) return;
    numbers[i] = number(row);
    known.insert(values[i], numbers[i]);
  };
  const RowRanges ranges(column.size());
  look_up(0, ranges.begin(1), add);
  std::vector<std::vector<std::int64_t>> missing(ranges.count());  // by range
  run(ranges.count() - 1, [&](std::size_t before) {
    const std::size_t range = before + 1;
    look_up(ranges.begin(range), ranges.begin(range + 1),
            [&](std::int64_t row) { missing[range].push_back(row); });
  });
  for (const auto& rows : missing) std::ranges::for_each(rows, add);
}

// Of rows with one key column whose values are integers.
template <class Number>
bool number_plain(std::span<const data::Column* const> columns, std::vector<std::int32_t>& numbers,
                  const RunParts& run, Number number) {
  if (columns.size() != 1 || columns[0]->is_coded() || data::has_bytes(columns[0]->type()) ||
      data::is_float(columns[0]->type()) || columns[0]->type() == data::Type::boolean)
    return false;
  const data::Column& column = *columns[0];
  if (column.type() == data::Type::int32 || column.type() == data::Type::date)
    number_values<std::int32_t>(column, numbers, run, number);
  else
    number_values<std::int64_t>(column, numbers, run, number);
  return true;
}

template <class Number>
std::vector<std::int32_t> number_rows(std::span<const data::Column* const> columns,
                                      std::int64_t rows, const RunParts& run, Number number) {
  auto numbers = make_reserved<std::int32_t>(static_cast<std::size_t>(rows));
  numbers.resize(static_cast<std::size_t>(rows));
  if (rows > 16 &&
      (number_coded(columns, numbers, number) || number_plain(columns, numbers, run, number)))
    return numbers;
  for (std::int64_t row = 0; row < rows; ++row)
    numbers[static_cast<std::size_t>(row)] = number(row);
  return numbers;
}

}  // namespace

struct KeyTable::Index {
  KeyBytes keys;
  boost::unordered_flat_set<std::int32_t, KeyHash, KeyEqual> numbers{0, KeyHash{&keys},
                                                                     KeyEqual{&keys}};
};

KeyTable::KeyTable() : index_(std::make_unique<Index>()) {}
KeyTable::~KeyTable() = default;
KeyTable::KeyTable(KeyTable&&) noexcept = default;
KeyTable& KeyTable::operator=(KeyTable&&) noexcept = default;

std::int32_t KeyTable::intern(std::string_view key) {
  const std::int32_t known = find(key);
  if (known != kNull) return known;
  index_->keys.append(key);
  index_->numbers.insert(size_);
  return size_++;
}

std::int32_t KeyTable::find(std::string_view key) const {
  const auto known = index_->numbers.find(key);
  return known == index_->numbers.end() ? kNull : *known;
}

std::string_view KeyTable::key(std::int32_t entity) const {
  return index_->keys.key(static_cast<std::size_t>(entity));
}

std::size_t KeyTable::key_bytes() const { return index_->keys.size_bytes(); }

void KeyTable::forget_last() {
  --size_;
  index_->numbers.erase(size_);
  index_->keys.pop();
}

std::vector<std::int32_t> KeyTable::intern_rows(std::span<const data::Column* const> columns,
                                                std::int64_t rows, const RunParts& run) {
  std::string key;
  return number_rows(columns, rows, run, [&](std::int64_t row) {
    return make_key(key, columns, row) ? intern(key) : kNull;
  });
}

std::vector<std::int32_t> KeyTable::find_rows(std::span<const data::Column* const> columns,
                                              std::int64_t rows, std::vector<std::string>& unknown,
                                              const RunParts& run) const {
  std::string key;
  return number_rows(columns, rows, run, [&](std::int64_t row) {
    if (!make_key(key, columns, row)) return kNull;
    const std::int32_t number = find(key);
    if (number != kNull) return number;
    unknown.push_back(key);
    return unknown_number(unknown.size() - 1);
  });
}

}  // namespace coeval::kernel
