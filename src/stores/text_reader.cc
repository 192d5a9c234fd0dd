#include "stores/text_reader.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace coeval::stores {

namespace {

constexpr std::size_t kSmallestWindow = 16;
constexpr std::size_t kLargestWindow = std::size_t{1} << 30;
constexpr std::size_t kLineEndBytes = 2;

// A stretch of the text in memory, with the padding that decoders want behind it. A new buffer is
// taken only while someone still holds rows of the old one.
class Window {
 public:
  Window(std::unique_ptr<ByteSource> bytes, std::size_t capacity)
      : bytes_(std::move(bytes)), first_capacity_(capacity) {}

  std::string_view text() const { return {buffer_.get() + begin_, end_ - begin_}; }
  bool ended() const { return ended_; }
  /// Of text(), in the unpacked text.
  std::uint64_t offset() const { return offset_; }
  const ByteSource& bytes() const { return *bytes_; }
  /// Keeps the buffer for as long as the pointer to text() lives.
  std::shared_ptr<const char[]> shared_text() const { return {buffer_, buffer_.get() + begin_}; }
  void drop(std::size_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }

  /// Fills the window behind what is left of its text; doubles it when that fills it.
  Status fill(std::size_t most) {
    if (ended_) return {};
    make_room(most);
    while (end_ < capacity_) {
      COEVAL_ASSIGN(const std::size_t got,
                    bytes_->read(std::span(buffer_.get() + end_, capacity_ - end_)));
      ended_ = got == 0;
      if (ended_) break;
      end_ += got;
    }
    std::memset(buffer_.get() + end_, 0, data::kTextPadding);
    return {};
  }

 private:
  void make_room(std::size_t most) {
    const std::size_t left = end_ - begin_;
    std::size_t capacity = std::max(capacity_, first_capacity_);
    if (left == capacity) capacity = std::min(2 * capacity, std::max(most, capacity));
    if (capacity != capacity_ || buffer_.use_count() != 1) {
      std::shared_ptr<char[]> larger(new char[capacity + data::kTextPadding]);
      if (left > 0) std::memcpy(larger.get(), buffer_.get() + begin_, left);
      buffer_ = std::move(larger);
      capacity_ = capacity;
    } else if (std::atomic_thread_fence(std::memory_order_acquire); begin_ > 0 && left > 0) {
      // The fence: another thread may have let go of it just now.
      std::memmove(buffer_.get(), buffer_.get() + begin_, left);
    }
    begin_ = 0;
    end_ = left;
  }

  std::unique_ptr<ByteSource> bytes_;
  std::size_t first_capacity_, capacity_ = 0;
  std::shared_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

class TextReader final : public TableReader {
 public:
  TextReader(std::unique_ptr<ByteSource> bytes, std::unique_ptr<data::TextDecoder> decoder,
             const ReadOptions& options)
      : decoder_(std::move(decoder)),
        batch_rows_(std::max<std::int64_t>(options.batch_rows, 1)),
        most_(std::min(options.max_record_bytes, kLargestWindow) + kLineEndBytes),
        half_(std::clamp(options.window_bytes, kSmallestWindow, kLargestWindow) / 2),
        window_(std::move(bytes), 2 * half_) {}

  Status begin() {
    for (;;) {
      COEVAL_TRY(window_.fill(most_ + 1));
      std::size_t taken = 0;
      auto began = decoder_->begin(window_.text(), window_.ended(), taken);
      if (!began) return failed(std::move(began).error());
      window_.drop(taken);
      if (*began) return {};
      if (window_.text().size() > most_)
        return failed(
            fail(Code::bad_csv,
                 "the header is longer than " + std::to_string(most_ - kLineEndBytes) + " bytes",
                 "name the columns in the first line")
                .error());
    }
  }

  const data::Schema& schema() const override { return decoder_->schema(); }
  std::int64_t rows() const override { return -1; }
  const data::TextPlaces& places() const override { return places_; }
  std::uint64_t bytes_read() const override { return window_.bytes().bytes_read(); }
  std::uint64_t bytes_total() const override { return window_.bytes().bytes_total(); }

  Result<data::Batch> next() override {
    places_ = {};  // lets go of the window
    for (;;) {
      if (window_.text().size() < half_) COEVAL_TRY(window_.fill(most_ + 1));
      if (window_.text().empty() && window_.ended() && !decoder_->skipping()) return at_end();
      COEVAL_ASSIGN(data::TextRows rows, step());
      if (rows.batch.rows == 0 && rows.places.bad.empty()) continue;
      places_ = std::move(rows.places);
      return std::move(rows.batch);
    }
  }

 private:
  std::unexpected<Error> failed(Error error) const {
    return std::unexpected(
        std::move(error).within("while reading '" + window_.bytes().name() + "'"));
  }

  // Decodes what the window holds, or more of it; passes over a row that is too long.
  Result<data::TextRows> step() {
    const std::string_view text = window_.text();
    auto rows = decoder_->skipping() ? decoder_->skip(text, window_.ended())
                                     : decoder_->decode(text, window_.ended(), batch_rows_);
    if (rows && rows->taken == 0 && !decoder_->skipping()) {
      if (text.size() > most_) {
        rows = decoder_->skip(text, window_.ended());
      } else {
        COEVAL_TRY(window_.fill(most_ + 1));
        return rows;
      }
    }
    if (!rows) return failed(std::move(rows).error());
    rows->places.text = window_.shared_text();
    rows->places.text_offset = window_.offset();
    window_.drop(rows->taken);
    return rows;
  }

  data::Batch at_end() const {
    data::Batch none{schema(), {}, 0};
    for (const data::Field& field : none.schema.fields)
      none.columns.push_back(data::ColumnBuilder(field.type).finish());
    return none;
  }

  std::unique_ptr<data::TextDecoder> decoder_;
  std::int64_t batch_rows_;
  std::size_t most_;  // bytes of a record with its line end
  std::size_t half_;  // of the window
  Window window_;
  data::TextPlaces places_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> read_text(std::unique_ptr<ByteSource> bytes,
                                               std::unique_ptr<data::TextDecoder> decoder,
                                               const ReadOptions& options) {
  auto reader = std::make_unique<TextReader>(std::move(bytes), std::move(decoder), options);
  COEVAL_TRY(reader->begin());
  return reader;
}

}  // namespace coeval::stores
