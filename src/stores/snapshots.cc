// Snapshots of the state.
//
// A snapshot is one file, snapshot-NNNNNNNNNNNNNNNNNNNN.state. The number counts the snapshots that
// were ever written to the folder, so the greatest is the newest; the newest two are kept, the
// older of them in case the newest is damaged. A file appears whole or not at all: it is written
// under a temporary name, synced and renamed.
//
// All integers are little-endian. A file is, in this order:
//
//   8 bytes   "COEVSNAP"
//   u32       version of the format, 1
//   u32       how the state is stored: 0 as it is, 1 as one zstd frame
//   u64       position: the first log record that is not in the state
//   u64       bytes of the state
//   u32, …    length of the basis, and the basis
//   u64, …    length of the stored state, and the stored state
//   u64, u64  XXH3-128 of all bytes before, low half first
//
// The checksum is checked before anything else is believed. It guards against rot, not against
// forgery: who can write here can write the log.

#include "stores/snapshots.h"

#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <vector>

#include "data/hash.h"
#include "data/row_codec.h"
#include "stores/files.h"
#include "stores/pending_file.h"

namespace coeval::stores {

namespace {

constexpr std::string_view kSnapshotMagic = "COEVSNAP";
constexpr std::uint32_t kSnapshotVersion = 1;
constexpr std::uint32_t kStoredPlain = 0, kStoredZstd = 1;
constexpr int kZstdLevel = 1;
constexpr std::size_t kKept = 2;
constexpr std::size_t kChecksumBytes = 16;
constexpr std::string_view kSnapshotPrefix = "snapshot-", kSnapshotSuffix = ".state";

struct SnapshotFile {
  std::string path;
  std::uint64_t number = 0;
};

std::optional<std::uint64_t> snapshot_number(std::string_view file_name) {
  if (!file_name.starts_with(kSnapshotPrefix) || !file_name.ends_with(kSnapshotSuffix))
    return std::nullopt;
  file_name.remove_prefix(kSnapshotPrefix.size());
  file_name.remove_suffix(kSnapshotSuffix.size());
  std::uint64_t number = 0;
  const char* end = file_name.data() + file_name.size();
  const auto [stop, failure] = std::from_chars(file_name.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::string snapshot_name(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kSnapshotPrefix) + std::string(20 - digits.size(), '0') + digits +
         std::string(kSnapshotSuffix);
}

struct FolderContent {
  std::vector<SnapshotFile> snapshots;  // newest first
  std::vector<std::string> left_over;   // temporary files of a process that died
};

Result<FolderContent> list_folder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator entries(folder, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
  FolderContent content;
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(failed)) {
    if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
    const std::string name = entries->path().filename().string();
    const auto number = snapshot_number(name);
    if (number) content.snapshots.push_back({entries->path().string(), *number});
    if (is_pending_name(name)) content.left_over.push_back(entries->path().string());
  }
  std::ranges::sort(content.snapshots, std::ranges::greater{}, &SnapshotFile::number);
  return content;
}

std::optional<std::string> compress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  out.resize(size);
  return out;
}

std::string encode_snapshot(const Snapshot& snapshot, bool compressed) {
  const auto packed = compressed ? compress(snapshot.state) : std::nullopt;
  const std::string_view stored = packed ? std::string_view(*packed) : snapshot.state;
  std::string out(kSnapshotMagic);
  out.reserve(stored.size() + snapshot.basis.size() + 64);
  data::put_u32(out, kSnapshotVersion);
  data::put_u32(out, packed ? kStoredZstd : kStoredPlain);
  data::put_u64(out, snapshot.position.value);
  data::put_u64(out, snapshot.state.size());
  data::put_text(out, snapshot.basis);
  data::put_u64(out, stored.size());
  out.append(stored);
  const data::Hash128 sum = data::xxh3_128(out);
  data::put_u64(out, sum.low);
  data::put_u64(out, sum.high);
  return out;
}

std::unexpected<Error> damaged(const std::string& path, const std::string& what) {
  return fail(Code::snapshot_corrupt, "the snapshot '" + path + "' is damaged: " + what,
              "nothing to do: the state is rebuilt from an older snapshot and the log");
}

bool checksum_holds(std::string_view bytes) {
  if (bytes.size() < kChecksumBytes) return false;
  data::ByteReader tail(bytes.substr(bytes.size() - kChecksumBytes));
  data::Hash128 sum;
  return tail.u64(sum.low) && tail.u64(sum.high) &&
         sum == data::xxh3_128(bytes.substr(0, bytes.size() - kChecksumBytes));
}

// What stands before the state in a file.
struct SnapshotHead {
  std::uint32_t version = 0, stored_as = 0;
  Position position;
  std::uint64_t state_bytes = 0;
  std::string_view basis, stored;
};

std::optional<SnapshotHead> parse_head(std::string_view bytes) {
  if (!bytes.starts_with(kSnapshotMagic)) return std::nullopt;
  data::ByteReader reader(bytes.substr(kSnapshotMagic.size()));
  SnapshotHead head;
  std::uint64_t stored_bytes = 0;
  if (reader.u32(head.version) && reader.u32(head.stored_as) && reader.u64(head.position.value) &&
      reader.u64(head.state_bytes) && reader.text(head.basis) && reader.u64(stored_bytes) &&
      stored_bytes == reader.remaining() - std::min(reader.remaining(), kChecksumBytes) &&
      reader.bytes(stored_bytes, head.stored))
    return head;
  return std::nullopt;
}

Result<std::string> unpack_state(const SnapshotHead& head, const std::string& path) {
  if (head.stored_as == kStoredPlain) return std::string(head.stored);
  if (head.stored_as != kStoredZstd) return damaged(path, "stored in an unknown way");
  std::string state(head.state_bytes, '\0');
  const std::size_t size =
      ZSTD_decompress(state.data(), state.size(), head.stored.data(), head.stored.size());
  if (ZSTD_isError(size) != 0 || size != state.size()) return damaged(path, "zstd cannot read it");
  return state;
}

// The snapshot in a file, or nothing when it is sound but does not fit.
Result<std::optional<Snapshot>> load_file(const std::string& path, const std::string& basis,
                                          Position end) {
  COEVAL_ASSIGN(const std::string bytes, read_file(path, UINT64_MAX));
  if (!checksum_holds(bytes)) return damaged(path, "its checksum fails");
  const auto head = parse_head(bytes);
  if (!head) return damaged(path, "its header does not add up");
  if (head->version != kSnapshotVersion || head->basis != basis || head->position > end)
    return std::nullopt;
  COEVAL_ASSIGN(std::string state, unpack_state(*head, path));
  return Snapshot{basis, head->position, std::move(state)};
}

}  // namespace

Status save_snapshot(const std::string& folder, const Snapshot& snapshot,
                     const SnapshotOptions& options) {
  const auto files = options.files ? options.files : disk_files();
  COEVAL_TRY(make_folders(folder));
  COEVAL_ASSIGN(FolderContent content, list_folder(folder));
  for (const auto& path : content.left_over) COEVAL_TRY(files->remove(path));
  const std::uint64_t number = content.snapshots.empty() ? 1 : content.snapshots.front().number + 1;
  COEVAL_TRY(write_file_atomically(folder + "/" + snapshot_name(number),
                                   encode_snapshot(snapshot, options.compress), files));
  for (std::size_t i = kKept - 1; i < content.snapshots.size(); ++i)
    COEVAL_TRY(files->remove(content.snapshots[i].path));
  return {};
}

Result<std::optional<Snapshot>> load_snapshot(const std::string& folder, const std::string& basis,
                                              Position end, std::string* warning) {
  auto content = list_folder(folder);
  if (!content && content.error().code == Code::no_such_file) return std::nullopt;
  if (!content) return std::unexpected(std::move(content).error());
  for (const auto& file : content->snapshots) {
    auto loaded = load_file(file.path, basis, end);
    if (loaded && *loaded) return loaded;
    if (loaded) continue;
    if (loaded.error().code != Code::snapshot_corrupt) return loaded;
    if (warning) *warning += (warning->empty() ? "" : "\n") + one_line(loaded.error());
  }
  return std::nullopt;
}

}  // namespace coeval::stores
