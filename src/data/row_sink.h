#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/text_columns.h"
#include "data/text_decoder.h"

namespace coeval::data {

/// Rows of one piece on their way into a batch, with their places.
class RowSink {
 public:
  RowSink(const Schema& schema, bool code_strings) : schema_(schema) {
    for (const Field& field : schema.fields) columns_.emplace_back(field.type, code_strings);
  }

  /// Begins a batch of at most `rows` rows, good and bad.
  void begin(std::int64_t rows) {
    most_ = static_cast<std::size_t>(rows);
    make_room(std::min(most_, first_room_));
  }
  bool is_full() const { return row_ + places_.bad.size() >= most_; }
  std::size_t row() const { return row_; }
  std::vector<TextColumn>& columns() { return columns_; }

  /// The row that was put is whole.
  void keep(std::int64_t line, std::size_t begin, std::size_t end) {
    places_.lines.push_back(line);
    places_.begins.push_back(static_cast<std::uint32_t>(begin));
    places_.ends.push_back(static_cast<std::uint32_t>(end));
    if (++row_ == room_) make_room(std::min(most_, 2 * room_));
  }
  /// How many more rows fit into the batch.
  std::size_t rows_left() const { return most_ - std::min(most_, row_ + places_.bad.size()); }
  /// Room for so many rows, of those that fit.
  void make_room_for(std::size_t rows) {
    if (row_ + rows >= room_) make_room(std::min(most_, std::max(2 * room_, row_ + rows)));
  }
  /// The rows that were put are whole: they begin at `begin` and `begins` + 1, one on each line,
  /// and end at those of every `stride`th of `ends`, less `tail` bytes.
  void keep_lines(std::int64_t line, std::size_t begin, std::size_t base, const std::uint32_t* ends,
                  std::size_t stride, std::size_t rows, std::uint32_t tail) {
    const auto from = static_cast<std::uint32_t>(base);
    auto next = static_cast<std::uint32_t>(begin);
    const std::size_t kept = places_.lines.size();
    places_.lines.resize(kept + rows);
    places_.begins.resize(kept + rows);
    places_.ends.resize(kept + rows);
    std::iota(places_.lines.begin() + static_cast<std::ptrdiff_t>(kept), places_.lines.end(), line);
    std::uint32_t* const row_begins = places_.begins.data() + kept;
    std::uint32_t* const row_ends = places_.ends.data() + kept;
    for (std::size_t i = 0; i < rows; ++i, ends += stride) {
      const std::uint32_t end = from + *ends;
      row_begins[i] = next;
      row_ends[i] = end - tail;
      next = end + 1;
    }
    row_ += rows;
  }
  void add_bad(BadTextRow bad) { places_.bad.push_back(std::move(bad)); }
  bool is_empty() const { return row_ == 0 && places_.bad.empty(); }

  /// Ends the batch.
  TextRows finish(std::size_t taken) {
    TextRows out{{schema_, {}, static_cast<std::int64_t>(row_)}, std::move(places_), taken};
    for (TextColumn& column : columns_) out.batch.columns.push_back(column.finish(row_));
    first_room_ = row_ + row_ / 8 + 1024;  // the next piece is much like this one
    places_ = {};
    row_ = room_ = 0;
    return out;
  }

 private:
  void make_room(std::size_t rows) {
    room_ = rows + 1;  // the row behind the last may be begun
    for (TextColumn& column : columns_) column.reserve(room_ + 1);
    places_.lines.reserve(room_);
    places_.begins.reserve(room_);
    places_.ends.reserve(room_);
  }

  const Schema& schema_;
  std::vector<TextColumn> columns_;
  TextPlaces places_;
  std::size_t row_ = 0, room_ = 0, most_ = 0, first_room_ = 4096;
};

/// A row that is too long to be a row: its beginning, and how long it is.
class LongRow {
 public:
  LongRow(std::string_view beginning, std::int64_t line, std::uint64_t offset)
      : bad_{line, std::string(beginning.substr(0, kBeginningBytes)), {}, offset} {}
  /// The row's next bytes, its line end among them.
  void pass(std::string_view text) {
    size_ += text.size();
    last_ = (last_ + std::string(text.substr(text.size() - std::min<std::size_t>(text.size(), 2))));
    if (last_.size() > 2) last_.erase(0, last_.size() - 2);
  }
  BadTextRow end(std::size_t limit) {
    if (last_.ends_with('\n')) --size_, last_.pop_back();
    if (last_.ends_with('\r')) --size_;
    bad_.reason = "the row has " + std::to_string(size_) + " bytes, the limit is " +
                  std::to_string(limit) + " (byte " + std::to_string(bad_.offset) + ")";
    return std::move(bad_);
  }

 private:
  static constexpr std::size_t kBeginningBytes = 1024;
  BadTextRow bad_;
  std::uint64_t size_ = 0;
  std::string last_;  // two bytes
};

}  // namespace coeval::data
