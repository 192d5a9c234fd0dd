// A file of a snapshot: a base, which has all units of a state, or a delta, which has those that
// changed since the file that it builds on.
//
// All integers are little-endian. A sum is u64, u64: an XXH3-128, low half first. A file is, in
// this order:
//
//   8 bytes   "COEVSNAP"
//   u32       version of the format, 2
//   u64       bytes of the head that follow
//   head      u64 position: the first log record that is not in the state
//             u8 whether it is a delta; and of a delta u64 number and sum of the file it builds on
//             the basis (a text); u32 count of parts, and each one's name and summary (texts);
//             u64 check of the log there (state_origin.h), left out where it is not known, as
//             in older files
//   sum       of all bytes before
//   frames    u32 part, u32 how the units are stored (0 as they are, 1 as one zstd frame), u64
//             their bytes, u64 bytes stored, these, and the sum of the frame up to here
//   u32       0xFFFFFFFF, where another frame would begin
//   u64       count of frames
//   sum       of all sums before, each taken in with those before it
//
// The sums are checked before anything else is believed. They guard against rot, not against
// forgery: who can write here can write the log.

#include "stores/snapshot_file.h"

#include <zstd.h>

#include <algorithm>

#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::string_view kMagic = "COEVSNAP";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kStoredPlain = 0, kStoredZstd = 1, kNoFrame = 0xFFFFFFFF;
constexpr int kZstdLevel = 1;
constexpr std::uint64_t kSumBytes = 16, kFrameHeadBytes = 24, kFileHeadBytes = 20;
constexpr std::uint32_t kMaxParts = 1u << 20;

void put_sum(std::string& out, const data::Hash128& sum) {
  data::put_u64(out, sum.low);
  data::put_u64(out, sum.high);
}

bool read_sum(data::ByteReader& reader, data::Hash128& sum) {
  return reader.u64(sum.low) && reader.u64(sum.high);
}

data::Hash128 sum_of_sums(const data::Hash128& before, const data::Hash128& next) {
  std::string both;
  put_sum(both, before);
  put_sum(both, next);
  return data::xxh3_128(both);
}

std::string encode_head(const SnapshotHead& head) {
  std::string out;
  data::put_u64(out, head.position.value);
  data::put_u8(out, head.builds_on ? 1 : 0);
  if (head.builds_on) {
    data::put_u64(out, head.builds_on->number);
    put_sum(out, head.builds_on->sum);
  }
  data::put_text(out, head.basis);
  data::put_u32(out, static_cast<std::uint32_t>(head.parts.size()));
  for (const SnapshotPart& part : head.parts) {
    data::put_text(out, part.name);
    data::put_text(out, part.summary);
  }
  if (head.log_check != 0) data::put_u64(out, head.log_check);
  return out;
}

bool decode_head(std::string_view bytes, SnapshotHead& head) {
  data::ByteReader reader(bytes);
  std::uint8_t is_delta = 0;
  if (!reader.u64(head.position.value) || !reader.u8(is_delta) || is_delta > 1) return false;
  if (is_delta == 1) {
    head.builds_on.emplace();
    if (!reader.u64(head.builds_on->number) || !read_sum(reader, head.builds_on->sum)) return false;
  }
  std::string_view text, summary;
  std::uint32_t parts = 0;
  if (!reader.text(text) || !reader.u32(parts) || parts > kMaxParts) return false;
  head.basis = text;
  for (std::uint32_t i = 0; i < parts; ++i) {
    if (!reader.text(text) || !reader.text(summary)) return false;
    head.parts.push_back({std::string(text), std::string(summary)});
  }
  if (reader.remaining() > 0 && !reader.u64(head.log_check)) return false;
  return reader.remaining() == 0;
}

std::optional<std::string> compress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= bytes.size()) return std::nullopt;
  out.resize(size);
  return out;
}

std::optional<std::string> decompress(std::string_view stored, std::uint64_t bytes) {
  std::string out(bytes, '\0');
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != out.size()) return std::nullopt;
  return out;
}

}  // namespace

Result<SnapshotFileWriter> SnapshotFileWriter::create(const std::string& path, std::uint64_t number,
                                                      const SnapshotHead& head,
                                                      std::shared_ptr<FileLayer> files) {
  COEVAL_ASSIGN(auto pending, PendingFile::create(path, std::move(files)));
  SnapshotFileWriter writer(std::move(pending), number);
  const std::string encoded = encode_head(head);
  std::string out(kMagic);
  data::put_u32(out, kVersion);
  data::put_u64(out, encoded.size());
  out += encoded;
  writer.sum_ = data::xxh3_128(out);
  put_sum(out, writer.sum_);
  COEVAL_TRY(writer.write(std::move(out)));
  return writer;
}

Status SnapshotFileWriter::write(std::string bytes) {
  bytes_ += bytes.size();
  return file_.write(bytes);
}

Status SnapshotFileWriter::add(const UnitFrame& frame) {
  if (frame.empty()) return {};
  const auto packed = compress(frame.bytes());
  const std::string_view stored = packed ? std::string_view(*packed) : frame.bytes();
  std::string out;
  out.reserve(stored.size() + kFrameHeadBytes + kSumBytes);
  data::put_u32(out, frame.part());
  data::put_u32(out, packed ? kStoredZstd : kStoredPlain);
  data::put_u64(out, frame.bytes().size());
  data::put_u64(out, stored.size());
  out += stored;
  const data::Hash128 sum = data::xxh3_128(out);
  sum_ = sum_of_sums(sum_, sum);
  put_sum(out, sum);
  ++frames_;
  return write(std::move(out));
}

Result<SnapshotId> SnapshotFileWriter::publish() {
  std::string out;
  data::put_u32(out, kNoFrame);
  data::put_u64(out, frames_);
  sum_ = sum_of_sums(sum_, data::xxh3_128(out));
  put_sum(out, sum_);
  COEVAL_TRY(write(std::move(out)));
  COEVAL_TRY(file_.publish());
  return SnapshotId{number_, sum_};
}

Result<SnapshotFileReader> SnapshotFileReader::open(const std::string& path, std::uint64_t number) {
  COEVAL_ASSIGN(auto window, FileWindow::open(path));
  SnapshotFileReader reader(std::move(window), path, number);
  COEVAL_TRY(reader.read_head());
  return reader;
}

std::unexpected<Error> SnapshotFileReader::damaged(const std::string& what) const {
  return fail(Code::snapshot_corrupt, "the snapshot '" + path_ + "' is damaged: " + what,
              "nothing to do: the state is rebuilt from an older snapshot and the log");
}

Result<std::string_view> SnapshotFileReader::part_of_file(std::uint64_t offset,
                                                          std::uint64_t bytes) {
  if (offset > window_.size() || bytes > window_.size() - offset)
    return damaged("it ends too early");
  COEVAL_ASSIGN(const std::string_view found, window_.view(offset, bytes));
  if (found.size() < bytes) return damaged("it ends too early");
  return found;
}

Status SnapshotFileReader::read_head() {
  COEVAL_ASSIGN(std::string_view bytes, part_of_file(0, kFileHeadBytes));
  if (!bytes.starts_with(kMagic)) return damaged("its header does not add up");
  data::ByteReader front(bytes.substr(kMagic.size()));
  std::uint32_t version = 0;
  std::uint64_t size = 0;
  (void)(front.u32(version) && front.u64(size));
  if (size > window_.size()) return damaged("its header does not add up");
  COEVAL_ASSIGN(bytes, part_of_file(0, kFileHeadBytes + size + kSumBytes));
  data::ByteReader tail(bytes.substr(kFileHeadBytes + size));
  (void)read_sum(tail, head_sum_);
  if (head_sum_ != data::xxh3_128(bytes.substr(0, kFileHeadBytes + size)))
    return damaged("its checksum fails");
  if (version != kVersion)
    return fail(Code::unsupported, "the snapshot '" + path_ + "' has the format of another version",
                "nothing to do: the state is rebuilt from the log");
  if (!decode_head(bytes.substr(kFileHeadBytes, size), head_))
    return damaged("its header does not add up");
  frames_at_ = kFileHeadBytes + size + kSumBytes;
  return {};
}

Status SnapshotFileReader::frame_at(std::uint64_t& offset, const TakeFrame* take) {
  COEVAL_ASSIGN(std::string_view bytes, part_of_file(offset, kFrameHeadBytes));
  data::ByteReader head(bytes);
  std::uint32_t part = 0, stored_as = 0;
  std::uint64_t size = 0, stored = 0;
  (void)(head.u32(part) && head.u32(stored_as) && head.u64(size) && head.u64(stored));
  if (stored > window_.size()) return damaged("a frame does not add up");
  COEVAL_ASSIGN(bytes, part_of_file(offset, kFrameHeadBytes + stored + kSumBytes));
  data::ByteReader tail(bytes.substr(kFrameHeadBytes + stored));
  data::Hash128 sum;
  (void)read_sum(tail, sum);
  if (sum != data::xxh3_128(bytes.substr(0, kFrameHeadBytes + stored)))
    return damaged("its checksum fails");
  sum_ = sum_of_sums(sum_, sum);
  ++frames_;
  offset += kFrameHeadBytes + stored + kSumBytes;
  if (take == nullptr) return {};
  if (part >= head_.parts.size() || stored_as > kStoredZstd)
    return damaged("a frame does not add up");
  const std::string_view content = bytes.substr(kFrameHeadBytes, stored);
  auto units = stored_as == kStoredZstd ? decompress(content, size) : std::string(content);
  if (!units) return damaged("zstd cannot read it");
  return (*take)(UnitFrame(part, std::move(*units)));
}

Status SnapshotFileReader::end_at(std::uint64_t offset) {
  COEVAL_ASSIGN(const std::string_view bytes, part_of_file(offset, 4 + 8 + kSumBytes));
  if (offset + bytes.size() != window_.size()) return damaged("something stands behind its end");
  data::ByteReader reader(bytes.substr(4));
  std::uint64_t frames = 0;
  data::Hash128 sum;
  (void)(reader.u64(frames) && read_sum(reader, sum));
  sum_ = sum_of_sums(sum_, data::xxh3_128(bytes.substr(0, 12)));
  if (frames != frames_ || sum != sum_) return damaged("its checksum fails");
  return {};
}

Status SnapshotFileReader::each_frame(const TakeFrame* take) {
  sum_ = head_sum_;
  frames_ = 0;
  for (std::uint64_t offset = frames_at_;;) {
    COEVAL_ASSIGN(const std::string_view bytes, part_of_file(offset, 4));
    std::uint32_t part = 0;
    (void)data::ByteReader(bytes).u32(part);
    if (part == kNoFrame) return end_at(offset);
    COEVAL_TRY(frame_at(offset, take));
  }
}

Result<SnapshotId> SnapshotFileReader::verify() {
  COEVAL_TRY(each_frame(nullptr));
  return SnapshotId{number_, sum_};
}

Status SnapshotFileReader::read(const TakeUnit& take) {
  const TakeFrame take_frame = [&](const UnitFrame& frame) { return frame.each(take); };
  return each_frame(&take_frame);
}

}  // namespace coeval::stores
