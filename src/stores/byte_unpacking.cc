#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "stores/byte_source.h"

namespace coeval::stores {

namespace {

constexpr std::size_t kInputBytes = std::size_t{256} << 10;
constexpr std::size_t kMagicBytes = 4;
// 128 MiB, the most that every zstd unpacks unasked.
constexpr int kLargestWindowLog = 27;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // of zlib's window argument: no zlib, no raw deflate

// What one call of a decoder did.
struct Step {
  std::size_t taken = 0, made = 0;
  bool ended = false;  // a member or frame is whole
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual Status begin() = 0;
  /// Fails with what is wrong, without the place.
  virtual Result<Step> step(std::span<const char> in, std::span<char> out) = 0;
  virtual std::string_view name() const = 0;    ///< "gzip"
  virtual std::string_view member() const = 0;  ///< "gzip member"
  virtual bool begins(std::span<const char> in) const = 0;
};

bool starts_as_gzip(std::span<const char> in) {
  const std::string_view magic("\x1F\x8B", 2);
  const std::size_t size = std::min(in.size(), magic.size());
  return std::string_view(in.data(), size) == magic.substr(0, size);
}

// A frame, or one that is to be skipped: 0x184D2A5?.
bool starts_as_zstd(std::span<const char> in) {
  const std::string_view magic("\x28\xB5\x2F\xFD", 4), skippable("\x2A\x4D\x18", 3);
  const std::size_t size = std::min(in.size(), magic.size());
  const std::string_view start(in.data(), size);
  if (start == magic.substr(0, size)) return true;
  return size > 0 && (start[0] & 0xF0) == 0x50 && start.substr(1) == skippable.substr(0, size - 1);
}

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() = default;
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  ~GzipDecoder() override { inflateEnd(&stream_); }

  Status begin() override {
    const int outcome = began_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipOnly);
    began_ = true;
    if (outcome != Z_OK) return fail(Code::io, "no memory to unpack gzip");
    return {};
  }
  Result<Step> step(std::span<const char> in, std::span<char> out) override {
    constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::size_t in_size = std::min(in.size(), kMost), room = std::min(out.size(), kMost);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in_size);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(room);
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    const Step step = {in_size - stream_.avail_in, room - stream_.avail_out,
                       outcome == Z_STREAM_END};
    if (outcome == Z_OK || outcome == Z_STREAM_END || outcome == Z_BUF_ERROR) return step;
    if (outcome == Z_MEM_ERROR) return fail(Code::io, "no memory to unpack gzip");
    return fail(Code::bad_file, stream_.msg != nullptr ? stream_.msg : "no valid gzip");
  }
  std::string_view name() const override { return "gzip"; }
  std::string_view member() const override { return "gzip member"; }
  bool begins(std::span<const char> in) const override { return starts_as_gzip(in); }

 private:
  z_stream stream_ = {};
  bool began_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDCtx()) {}
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() override { ZSTD_freeDCtx(stream_); }

  Status begin() override {
    if (stream_ == nullptr) return fail(Code::io, "no memory to unpack zstd");
    ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kLargestWindowLog);
    return {};
  }
  Result<Step> step(std::span<const char> in, std::span<char> out) override {
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    const std::size_t outcome = ZSTD_decompressStream(stream_, &to, &from);
    if (ZSTD_isError(outcome) == 0) return Step{from.pos, to.pos, outcome == 0};
    if (ZSTD_getErrorCode(outcome) == ZSTD_error_frameParameter_windowTooLarge)
      return fail(Code::unsupported, "a zstd frame wants a window of more than 128 MiB",
                  "pack it without --long, or with --long=27 at most");
    if (ZSTD_getErrorCode(outcome) == ZSTD_error_memory_allocation)
      return fail(Code::io, "no memory to unpack zstd");
    return fail(Code::bad_file, ZSTD_getErrorName(outcome));
  }
  std::string_view name() const override { return "zstd"; }
  std::string_view member() const override { return "zstd frame"; }
  bool begins(std::span<const char> in) const override { return starts_as_zstd(in); }

 private:
  ZSTD_DCtx* stream_;
};

// What `source` hands out, behind the bytes that were looked at already.
class HandedOn final : public ByteSource {
 public:
  HandedOn(std::unique_ptr<ByteSource> source, std::vector<char> first)
      : source_(std::move(source)), first_(std::move(first)) {}

  Result<std::size_t> read(std::span<char> into) override {
    if (at_ == first_.size()) return source_->read(into);
    const std::size_t count = std::min(into.size(), first_.size() - at_);
    std::memcpy(into.data(), first_.data() + at_, count);
    at_ += count;
    return count;
  }
  const std::string& name() const override { return source_->name(); }
  std::uint64_t bytes_read() const override { return source_->bytes_read(); }
  std::uint64_t bytes_total() const override { return source_->bytes_total(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<char> first_;
  std::size_t at_ = 0;
};

class Unpacked final : public ByteSource {
 public:
  Unpacked(std::unique_ptr<ByteSource> source, std::unique_ptr<Decoder> decoder,
           const std::vector<char>& first)
      : source_(std::move(source)), decoder_(std::move(decoder)), input_(kInputBytes) {
    std::copy(first.begin(), first.end(), input_.begin());
    end_ = first.size();
  }

  Result<std::size_t> read(std::span<char> into) override {
    while (!over_) {
      if (begin_ == end_) COEVAL_TRY(refill());
      // Inside a member the decoder may still hold output of the input that it took.
      if (begin_ == end_ && !inside_) break;
      if (!inside_) COEVAL_TRY(enter());
      COEVAL_ASSIGN(const Step step, take_step(into));
      if (step.made > 0) return step.made;
      if (begin_ == end_ && source_ended_ && inside_) return cut_short();
    }
    over_ = true;
    return 0;
  }
  const std::string& name() const override { return source_->name(); }
  std::uint64_t bytes_read() const override { return source_->bytes_read(); }
  std::uint64_t bytes_total() const override { return source_->bytes_total(); }

 private:
  Status refill() {
    if (source_ended_) return {};
    COEVAL_ASSIGN(end_, source_->read(input_));
    begin_ = 0;
    source_ended_ = end_ == 0;
    return {};
  }

  std::span<const char> input() const {
    return std::span<const char>(input_).subspan(begin_, end_ - begin_);
  }

  // Enough of the next member for its magic: it may lie across two reads.
  Status enter() {
    while (end_ - begin_ < kMagicBytes && !source_ended_) {
      std::copy(input_.begin() + static_cast<std::ptrdiff_t>(begin_),
                input_.begin() + static_cast<std::ptrdiff_t>(end_), input_.begin());
      end_ -= begin_;
      begin_ = 0;
      COEVAL_ASSIGN(const std::size_t more, source_->read(std::span(input_).subspan(end_)));
      end_ += more;
      source_ended_ = more == 0;
    }
    if (!decoder_->begins(input()))
      return fail(Code::bad_file,
                  "'" + name() + "' has other bytes behind its last " +
                      std::string(decoder_->member()) + ", at byte " + std::to_string(taken_),
                  "cut them off, or pack the file again");
    inside_ = true;
    return decoder_->begin();
  }

  Result<Step> take_step(std::span<char> into) {
    auto step = decoder_->step(input(), into);
    if (!step) {
      Error error = std::move(step).error();
      error.message = "'" + name() + "' cannot be unpacked at byte " + std::to_string(taken_) +
                      ": " + error.message;
      if (error.code == Code::bad_file) error.advice = "the file is damaged: fetch it again";
      over_ = true;
      return std::unexpected(std::move(error));
    }
    begin_ += step->taken;
    taken_ += step->taken;
    if (step->ended) inside_ = false;
    return *step;
  }

  std::unexpected<Error> cut_short() {
    over_ = true;
    return fail(Code::bad_file,
                "'" + name() + "' is cut short: it ends at byte " + std::to_string(taken_) +
                    ", inside a " + std::string(decoder_->member()),
                "fetch it again");
  }

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> input_;
  std::size_t begin_ = 0, end_ = 0;  // what is left in input_
  std::uint64_t taken_ = 0;          // packed bytes that were unpacked
  bool inside_ = false;              // a member or frame
  bool source_ended_ = false;
  bool over_ = false;
};

Result<std::vector<char>> first_bytes(ByteSource& source) {
  std::vector<char> first(kMagicBytes);
  std::size_t size = 0;
  while (size < first.size()) {
    COEVAL_ASSIGN(const std::size_t got, source.read(std::span(first).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  first.resize(size);
  return first;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> unpacked(std::unique_ptr<ByteSource> packed) {
  COEVAL_ASSIGN(std::vector<char> first, first_bytes(*packed));
  std::unique_ptr<Decoder> decoder;
  if (first.size() >= 2 && starts_as_gzip(first)) decoder = std::make_unique<GzipDecoder>();
  if (first.size() == kMagicBytes && starts_as_zstd(first))
    decoder = std::make_unique<ZstdDecoder>();
  const std::string& name = packed->name();
  const std::string_view promised = name.ends_with(".gz")    ? "gzip"
                                    : name.ends_with(".zst") ? "zstd"
                                                             : "";
  if (!promised.empty() && (decoder == nullptr || decoder->name() != promised))
    return fail(Code::bad_file,
                "'" + name + "' does not begin as " + std::string(promised) + " does",
                "fetch it again, or give it the ending of what it is");
  if (decoder == nullptr) return std::make_unique<HandedOn>(std::move(packed), std::move(first));
  return std::make_unique<Unpacked>(std::move(packed), std::move(decoder), first);
}

}  // namespace coeval::stores
