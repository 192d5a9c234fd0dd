#include "data/row_block.h"

#include <cstring>

#include "base/check.h"

namespace coeval::data {

namespace {

std::size_t bitmap_bytes(const Batch& batch) { return (batch.columns.size() + 7) / 8; }

// Of a value that is present, without the bytes of a text or list.
std::size_t fixed_bytes(Type type) {
  if (type == Type::boolean) return 1;
  return has_bytes(type) ? sizeof(std::uint32_t) : width(type);
}

// Rows that lie one behind the other and grow by one column after another.
class RowWriter {
 public:
  /// The bitmaps are there then, without a null.
  RowWriter(char* to, std::size_t bitmap_bytes, std::span<const std::size_t> sizes) {
    begins_.reserve(sizes.size());
    for (const std::size_t size : sizes) {
      std::memset(to, 0, bitmap_bytes);
      begins_.push_back(to);
      to += size;
    }
    end_ = to;
    next_ = begins_;
    for (char*& next : next_) next += bitmap_bytes;
  }

  void write(const Column& column, std::int64_t begin, std::size_t field) {
    if (has_bytes(column.type()))
      put_each(column, begin, field, [&](char* at, std::int64_t row) {
        const std::string_view text = column.string(row);
        COEVAL_CHECK(text.size() <= UINT32_MAX);
        const auto size = static_cast<std::uint32_t>(text.size());
        std::memcpy(at, &size, sizeof size);
        std::memcpy(at + sizeof size, text.data(), size);
        return sizeof size + size;
      });
    else if (column.type() == Type::boolean)
      put_each(column, begin, field, [&](char* at, std::int64_t row) {
        *at = column.bit(row) ? 1 : 0;
        return std::size_t{1};
      });
    else if (width(column.type()) == 4)
      put_fixed<std::uint32_t>(column, begin, field);
    else
      put_fixed<std::uint64_t>(column, begin, field);
  }

  /// Every row is as long as was said.
  void check_ends() const {
    for (std::size_t i = 0; i < next_.size(); ++i)
      COEVAL_CHECK(next_[i] == (i + 1 < begins_.size() ? begins_[i + 1] : end_));
  }

 private:
  template <class Bits>
  void put_fixed(const Column& column, std::int64_t begin, std::size_t field) {
    COEVAL_CHECK(width(column.type()) == sizeof(Bits));
    const auto* values = static_cast<const char*>(column.values_data());
    put_each(column, begin, field, [&](char* at, std::int64_t row) {
      std::memcpy(at, values + static_cast<std::size_t>(row) * sizeof(Bits), sizeof(Bits));
      return sizeof(Bits);
    });
  }

  // `put` writes the value of a row and says how many bytes it has.
  template <class Put>
  void put_each(const Column& column, std::int64_t begin, std::size_t field, const Put& put) {
    for (std::size_t i = 0; i < next_.size(); ++i) {
      const std::int64_t row = begin + static_cast<std::int64_t>(i);
      if (!column.is_null(row)) {
        next_[i] += put(next_[i], row);
        continue;
      }
      char& byte = begins_[i][field >> 3];
      byte = static_cast<char>(static_cast<unsigned char>(byte) | 1u << (field & 7));
    }
  }

  char* end_ = nullptr;
  std::vector<char*> begins_, next_;
};

}  // namespace

void measure_rows(const Batch& batch, std::int64_t begin, std::int64_t end,
                  std::vector<std::size_t>& sizes) {
  // Nothing is null: what is null, and the bytes of texts, are corrections.
  std::size_t fixed = bitmap_bytes(batch);
  for (const Column& column : batch.columns) fixed += fixed_bytes(column.type());
  sizes.assign(static_cast<std::size_t>(end - begin), fixed);
  for (const Column& column : batch.columns) {
    if (!column.has_nulls() && !has_bytes(column.type())) continue;
    for (std::int64_t row = begin; row < end; ++row) {
      std::size_t& size = sizes[static_cast<std::size_t>(row - begin)];
      if (column.is_null(row))
        size -= fixed_bytes(column.type());
      else if (has_bytes(column.type()))
        size += column.string(row).size();
    }
  }
}

void write_rows(char* to, const Batch& batch, std::int64_t begin,
                std::span<const std::size_t> sizes) {
  RowWriter writer(to, bitmap_bytes(batch), sizes);
  for (std::size_t i = 0; i < batch.columns.size(); ++i) writer.write(batch.columns[i], begin, i);
  writer.check_ends();
}

}  // namespace coeval::data
