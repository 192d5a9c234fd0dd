#include "kernel/key_table.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include "data/hash.h"
#include "kernel/key_bytes.h"

namespace coeval::kernel {

namespace {

struct KeyHash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view key) const { return data::xxh3_64(key); }
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

template <class Number>
std::vector<std::int32_t> number_rows(std::span<const data::Column* const> columns,
                                      std::int64_t rows, Number number) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(rows));
  if (rows > 16 && number_coded(columns, numbers, number)) return numbers;
  for (std::int64_t row = 0; row < rows; ++row)
    numbers[static_cast<std::size_t>(row)] = number(row);
  return numbers;
}

}  // namespace

// The keys themselves stand in keys_, which never moves them.
struct KeyTable::Index {
  boost::unordered_flat_map<std::string_view, std::int32_t, KeyHash> numbers;
};

KeyTable::KeyTable() : index_(std::make_unique<Index>()) {}
KeyTable::~KeyTable() = default;
KeyTable::KeyTable(KeyTable&&) noexcept = default;
KeyTable& KeyTable::operator=(KeyTable&&) noexcept = default;

std::int32_t KeyTable::intern(std::string_view key) {
  if (const auto known = index_->numbers.find(key); known != index_->numbers.end())
    return known->second;
  const std::int32_t number = size();
  index_->numbers.emplace(keys_.emplace_back(key), number);
  return number;
}

std::int32_t KeyTable::find(std::string_view key) const {
  const auto known = index_->numbers.find(key);
  return known == index_->numbers.end() ? kNull : known->second;
}

std::vector<std::int32_t> KeyTable::intern_rows(std::span<const data::Column* const> columns,
                                                std::int64_t rows) {
  std::string key;
  return number_rows(columns, rows, [&](std::int64_t row) {
    return make_key(key, columns, row) ? intern(key) : kNull;
  });
}

std::vector<std::int32_t> KeyTable::find_rows(std::span<const data::Column* const> columns,
                                              std::int64_t rows,
                                              std::vector<std::string>& unknown) const {
  std::string key;
  return number_rows(columns, rows, [&](std::int64_t row) {
    if (!make_key(key, columns, row)) return kNull;
    const std::int32_t number = find(key);
    if (number != kNull) return number;
    unknown.push_back(key);
    return unknown_number(unknown.size() - 1);
  });
}

}  // namespace coeval::kernel
