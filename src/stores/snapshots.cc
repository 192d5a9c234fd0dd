// Snapshots of the state.
//
// A folder has files snapshot-NNNNNNNNNNNNNNNNNNNN.base.state and .delta.state (snapshot_file.cc).
// The number counts the files that were ever written to the folder, so the greatest is the newest.
// A base stands alone; a delta has the units that changed since the file that it names, which is a
// base or a delta again. A file appears whole or not at all: it is written under a temporary name,
// synced and renamed.
//
// When the deltas on a base are together as large as it, the chain is read from the newest file to
// the oldest, each unit where it is met first, into a new base of the same position. What is older
// than the base before is removed then. The first delta is merged at once: from then on the newest
// two bases share nothing.

#include "stores/snapshots.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "stores/files.h"

namespace coeval::stores {

namespace {

constexpr std::string_view kPrefix = "snapshot-", kSuffix = ".state";
constexpr std::string_view kBase = ".base", kDelta = ".delta";
constexpr std::size_t kMaxDeltas = 100;        // so that recovery opens few files
constexpr std::size_t kFrameBytes = 1u << 18;  // of a merged file

struct FileName {
  std::string path;
  std::uint64_t number = 0;
  enum class Kind : std::uint8_t { base, delta, older_version } kind = Kind::base;
};

std::optional<FileName> parse_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  FileName file;
  const char* end = name.data() + name.size();
  const auto [stop, failure] = std::from_chars(name.data(), end, file.number);
  const std::string_view kind(stop, static_cast<std::size_t>(end - stop));
  if (failure != std::errc{} || (!kind.empty() && kind != kBase && kind != kDelta))
    return std::nullopt;
  file.kind = kind == kBase    ? FileName::Kind::base
              : kind == kDelta ? FileName::Kind::delta
                               : FileName::Kind::older_version;
  return file;
}

std::string file_name(std::uint64_t number, bool is_base) {
  const std::string digits = std::to_string(number);
  return std::string(kPrefix) + std::string(20 - digits.size(), '0') + digits +
         std::string(is_base ? kBase : kDelta) + std::string(kSuffix);
}

struct FolderContent {
  std::vector<FileName> files;         // newest first
  std::vector<std::string> left_over;  // temporary files of a process that died
};

Result<FolderContent> list_folder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator entries(folder, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
  FolderContent content;
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(failed)) {
    if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
    const std::string name = entries->path().filename().string();
    if (auto file = parse_name(name)) {
      file->path = entries->path().string();
      content.files.push_back(std::move(*file));
    }
    if (is_pending_name(name)) content.left_over.push_back(entries->path().string());
  }
  std::ranges::sort(content.files, std::ranges::greater{}, &FileName::number);
  return content;
}

std::uint64_t newest_base(const FolderContent& content) {
  const auto found = std::ranges::find(content.files, FileName::Kind::base, &FileName::kind);
  return found == content.files.end() ? 0 : found->number;
}

// Keys of units that newer files have.
using SeenKeys = std::unordered_set<std::string>;

std::string seen_key(const StateUnit& unit) {
  std::string key(reinterpret_cast<const char*>(&unit.part), sizeof unit.part);
  return key += unit.key;
}

}  // namespace

// Finds the newest chain of sound files. Every file is looked at once.
class ChainFinder {
 public:
  ChainFinder(const FolderContent& content, StateOrigin origin, std::string* warning)
      : content_(content), origin_(std::move(origin)), warning_(warning) {}

  Result<std::optional<SnapshotChain>> find() {
    for (const FileName& file : content_.files) {
      if (file.kind == FileName::Kind::older_version) continue;
      COEVAL_ASSIGN(auto chain, chain_of(file));
      if (chain) return chain;
    }
    return std::nullopt;
  }

 private:
  struct Sound {
    SnapshotHead head;
    SnapshotChain::File file;
    bool fits = true;
  };

  // From the newest file to its base; nothing where one is missing, unsound, or of another state.
  Result<std::optional<SnapshotChain>> chain_of(const FileName& newest) {
    SnapshotChain chain;
    COEVAL_ASSIGN(const Sound* sound, look_at(newest));
    while (sound != nullptr && sound->fits) {
      if (chain.files_.empty()) chain.head_ = sound->head;
      chain.files_.push_back(sound->file);
      const auto& parent = sound->head.builds_on;
      if (!parent) {
        std::ranges::reverse(chain.files_);
        return chain;
      }
      const FileName* file = named(parent->number);
      if (file == nullptr || parent->number >= sound->file.id.number) break;
      COEVAL_ASSIGN(sound, look_at(*file));
      if (sound != nullptr && sound->file.id != *parent) break;
    }
    return std::nullopt;
  }

  // Of another log is worth a word; one is enough for the files of one series.
  Result<bool> fits(const SnapshotHead& head, const std::string& path) {
    COEVAL_ASSIGN(const Fitness found,
                  fitness({head.basis, {head.position, head.log_check}}, origin_));
    if (found.other_log && !std::exchange(warned_, true))
      warn("the snapshot '" + path + "' is passed over: " + found.why);
    return found.fits;
  }

  void warn(const std::string& text) {
    if (warning_ != nullptr) *warning_ += (warning_->empty() ? "" : "\n") + text;
  }

  const FileName* named(std::uint64_t number) const {
    const auto found = std::ranges::find(content_.files, number, &FileName::number);
    return found == content_.files.end() ? nullptr : &*found;
  }

  // Null for a file that is damaged, or of another version.
  Result<const Sound*> look_at(const FileName& file) {
    const auto known = seen_.find(file.path);
    if (known != seen_.end()) return known->second ? &*known->second : nullptr;
    auto& place = seen_[file.path];
    auto looked_at = verified(file);
    if (looked_at) {
      place = std::move(*looked_at);
      return &*place;
    }
    const Code code = looked_at.error().code;
    if (code != Code::snapshot_corrupt && code != Code::unsupported)
      return std::unexpected(std::move(looked_at).error());
    warn(one_line(looked_at.error()));
    return nullptr;
  }

  Result<Sound> verified(const FileName& file) {
    COEVAL_ASSIGN(auto reader, SnapshotFileReader::open(file.path, file.number));
    // What does not fit need not be read.
    COEVAL_ASSIGN(const bool is_of_this, fits(reader.head(), file.path));
    if (!is_of_this) return Sound{reader.head(), {file.path, {file.number, {}}, 0}, false};
    COEVAL_ASSIGN(const SnapshotId id, reader.verify());
    return Sound{reader.head(), {file.path, id, reader.bytes()}};
  }

  const FolderContent& content_;
  const StateOrigin origin_;
  std::string* const warning_;
  bool warned_ = false;
  std::map<std::string, std::optional<Sound>> seen_;
};

Status SnapshotChain::read(const TakeUnit& take) const {
  SeenKeys seen;
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    const bool is_base = std::next(file) == files_.rend();
    COEVAL_ASSIGN(auto reader, SnapshotFileReader::open(file->path, file->id.number));
    const auto take_newest = [&](const StateUnit& unit) -> Status {
      if (files_.size() > 1) {
        std::string key = seen_key(unit);
        if (is_base ? seen.contains(key) : !seen.insert(std::move(key)).second) return {};
      }
      return unit.bytes ? take(unit) : Status();
    };
    COEVAL_TRY(reader.read(take_newest));
  }
  return {};
}

Result<std::optional<SnapshotChain>> find_snapshot(const std::string& folder,
                                                   const std::string& basis, Position end,
                                                   std::string* warning, const EventLog* log) {
  auto content = list_folder(folder);
  if (!content && content.error().code == Code::no_such_file) return std::nullopt;
  if (!content) return std::unexpected(std::move(content).error());
  return ChainFinder(*content, {basis, end, log}, warning).find();
}

Result<SnapshotFiles> examine_snapshots(const std::string& folder) {
  COEVAL_ASSIGN(const FolderContent content, list_folder(folder));
  SnapshotFiles found;
  for (const FileName& file : content.files) {
    if (file.kind == FileName::Kind::older_version) continue;
    ++found.files;
    auto reader = SnapshotFileReader::open(file.path, file.number);
    if (reader) found.bytes += reader->bytes();
    const auto sum = reader ? reader->verify() : std::unexpected(reader.error());
    if (sum || sum.error().code == Code::unsupported) continue;
    if (sum.error().code != Code::snapshot_corrupt) return std::unexpected(sum.error());
    found.damaged.push_back(one_line(sum.error()));
  }
  return found;
}

SnapshotSeries::SnapshotSeries(std::string folder, std::string basis,
                               std::optional<SnapshotChain> last, std::shared_ptr<FileLayer> files)
    : folder_(std::move(folder)),
      basis_(std::move(basis)),
      files_(files ? std::move(files) : disk_files()),
      last_(std::move(last)) {}

Result<std::string> SnapshotSeries::next_path(std::uint64_t& number, bool is_base) const {
  COEVAL_ASSIGN(const FolderContent content, list_folder(folder_));
  for (const auto& path : content.left_over) COEVAL_TRY(files_->remove(path));
  number = content.files.empty() ? 1 : content.files.front().number + 1;
  return folder_ + "/" + file_name(number, is_base);
}

Status SnapshotSeries::begin(LogPoint at, std::vector<SnapshotPart> parts) {
  COEVAL_CHECK(!writer_);
  COEVAL_TRY(make_folders(folder_));
  if (!last_) {
    COEVAL_ASSIGN(const FolderContent content, list_folder(folder_));
    kept_from_ = newest_base(content);
  }
  head_ = {basis_, at.position, std::nullopt, std::move(parts), at.check};
  if (last_) head_.builds_on = last_->files_.back().id;
  std::uint64_t number = 0;
  COEVAL_ASSIGN(path_, next_path(number, !last_));
  COEVAL_ASSIGN(auto writer, SnapshotFileWriter::create(path_, number, head_, files_));
  writer_.emplace(std::move(writer));
  return {};
}

Status SnapshotSeries::add(const UnitFrame& frame) {
  COEVAL_CHECK(writer_.has_value());
  Status added = writer_->add(frame);
  if (!added) give_up();
  return added;
}

Status SnapshotSeries::publish() {
  COEVAL_CHECK(writer_.has_value());
  auto id = writer_->publish();
  const std::uint64_t bytes = writer_->bytes();
  give_up();
  if (!id) return std::unexpected(std::move(id).error());
  if (!last_) last_.emplace();
  last_->head_ = std::move(head_);
  last_->files_.push_back({path_, *id, bytes});
  return {};
}

Result<bool> SnapshotSeries::merge_is_due() const {
  const auto& files = last_->files_;
  std::uint64_t deltas = 0;
  for (std::size_t i = 1; i < files.size(); ++i) deltas += files[i].bytes;
  if (deltas >= files[0].bytes || files.size() > kMaxDeltas) return files.size() > 1;
  COEVAL_ASSIGN(const FolderContent content, list_folder(folder_));
  const bool has_older = std::ranges::any_of(content.files, [&](const FileName& file) {
    return file.kind == FileName::Kind::base && file.number < files[0].id.number;
  });
  return files.size() > 1 && !has_older;
}

Status SnapshotSeries::merge() {
  SnapshotChain merged;
  merged.head_ = last_->head_;
  merged.head_.builds_on.reset();
  SnapshotChain::File file;
  std::uint64_t number = 0;
  COEVAL_ASSIGN(file.path, next_path(number, true));
  COEVAL_ASSIGN(auto writer, SnapshotFileWriter::create(file.path, number, merged.head_, files_));
  UnitFrame frame;
  const auto take = [&](const StateUnit& unit) -> Status {
    if (frame.part() != unit.part || frame.bytes().size() >= kFrameBytes) {
      COEVAL_TRY(writer.add(frame));
      frame = UnitFrame(unit.part);
    }
    frame.append(unit.key, unit.bytes);
    return {};
  };
  COEVAL_TRY(last_->read(take));
  COEVAL_TRY(writer.add(frame));
  COEVAL_ASSIGN(file.id, writer.publish());
  file.bytes = writer.bytes();
  kept_from_ = last_->files_[0].id.number;
  merged.files_.push_back(std::move(file));
  last_ = std::move(merged);
  return {};
}

Status SnapshotSeries::remove_old() {
  if (!kept_from_) return {};
  COEVAL_ASSIGN(const FolderContent content, list_folder(folder_));
  for (const FileName& file : content.files)
    if (file.number < *kept_from_ || file.kind == FileName::Kind::older_version)
      COEVAL_TRY(files_->remove(file.path));
  kept_from_.reset();
  return {};
}

Status SnapshotSeries::tidy() {
  if (!last_) return {};
  COEVAL_ASSIGN(const bool due, merge_is_due());
  if (due) {
    if (Status merged = merge(); !merged) {
      const Code code = merged.error().code;
      // What cannot be read cannot be built on either.
      if (code == Code::snapshot_corrupt || code == Code::no_such_file) last_.reset();
      return merged;
    }
  }
  return remove_old();
}

}  // namespace coeval::stores
