#include "kernel/key_table.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>

#include "data/hash.h"
#include "kernel/key_bytes.h"

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

// The same of one key column whose values are numbers: each distinct one is looked up once in each
// range of rows.
template <class Number>
bool number_plain(std::span<const data::Column* const> columns, std::vector<std::int32_t>& numbers,
                  const RunParts& run, Number number) {
  if (columns.size() != 1 || columns[0]->is_coded() || data::has_bytes(columns[0]->type()) ||
      data::is_float(columns[0]->type()) || columns[0]->type() == data::Type::boolean)
    return false;
  const data::Column& column = *columns[0];
  struct Seen {
    boost::unordered_flat_map<std::int64_t, std::int32_t> places;  // among the next
    std::vector<std::int64_t> rows;                                // where each is first
    std::vector<std::int32_t> numbers;
  };
  const RowRanges ranges(column.size());
  std::vector<Seen> seen(ranges.count());
  const bool narrow = column.type() == data::Type::int32 || column.type() == data::Type::date;
  const auto place = [&](Seen& mine, std::int64_t row, std::int64_t value) {
    const auto next = static_cast<std::int32_t>(mine.rows.size());
    const auto [known, is_new] = mine.places.try_emplace(value, next);
    if (is_new) mine.rows.push_back(row);
    numbers[static_cast<std::size_t>(row)] = known->second;
  };
  run(ranges.count(), [&](std::size_t range) {
    for (std::int64_t row = ranges.begin(range); row < ranges.begin(range + 1); ++row) {
      const auto i = static_cast<std::size_t>(row);
      if (column.is_null(row))
        numbers[i] = KeyTable::kNull;
      else
        place(seen[range], row,
              narrow ? column.values<std::int32_t>()[i] : column.values<std::int64_t>()[i]);
    }
    seen[range].places = {};
  });
  for (Seen& mine : seen)
    for (const std::int64_t row : mine.rows) mine.numbers.push_back(number(row));
  run(ranges.count(), [&](std::size_t range) {
    for (std::int64_t row = ranges.begin(range); row < ranges.begin(range + 1); ++row) {
      std::int32_t& mine = numbers[static_cast<std::size_t>(row)];
      if (mine != KeyTable::kNull) mine = seen[range].numbers[static_cast<std::size_t>(mine)];
    }
  });
  return true;
}

template <class Number>
std::vector<std::int32_t> number_rows(std::span<const data::Column* const> columns,
                                      std::int64_t rows, const RunParts& run, Number number) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(rows));
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
