#include "quality/record_sorter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "quality/record_store.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 16;
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

std::uint64_t prefix_of(std::string_view record) {
  std::array<unsigned char, 8> first{};
  std::memcpy(first.data(), record.data(), std::min<std::size_t>(8, record.size()));
  std::uint64_t prefix = 0;
  for (const unsigned char byte : first) prefix = prefix << 8 | byte;
  return prefix;
}

}  // namespace

void append_ordered(std::string& record, std::int64_t value) {
  const std::uint64_t shifted = static_cast<std::uint64_t>(value) ^ kSign;
  for (int shift = 56; shift >= 0; shift -= 8)
    record.push_back(static_cast<char>(shifted >> shift & 0xFF));
}

std::int64_t take_ordered(std::string_view& record) {
  COEVAL_CHECK(record.size() >= 8);
  const std::uint64_t shifted = prefix_of(record.substr(record.size() - 8));
  record.remove_suffix(8);
  return static_cast<std::int64_t>(shifted ^ kSign);
}

// A run's records one after the other, a block in memory at a time. A record is its length in four
// bytes, then its bytes.
class RecordSorter::RunReader {
 public:
  explicit RunReader(const Run& run) : run_(&run) {}
  /// Goes on to the next record; false at the end.
  Result<bool> next() {
    if (rest_.empty()) {
      if (block_ == run_->blocks.size()) return false;
      COEVAL_ASSIGN(bytes_, run_->file->read(run_->blocks[block_++]));
      rest_ = bytes_;
    }
    std::uint32_t size = 0;
    std::memcpy(&size, rest_.data(), sizeof size);
    record_ = rest_.substr(sizeof size, size);
    rest_.remove_prefix(sizeof size + size);
    return true;
  }
  std::string_view record() const { return record_; }

 private:
  const Run* run_;
  std::size_t block_ = 0;
  std::string bytes_;
  std::string_view rest_, record_;
};

class RecordSorter::RunWriter {
 public:
  explicit RunWriter(std::shared_ptr<stores::SpillFile> file) { run_.file = std::move(file); }
  Status add(std::string_view record) {
    const auto size = static_cast<std::uint32_t>(record.size());
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes_ += record;
    return bytes_.size() < kBlockBytes ? Status{} : write();
  }
  Result<Run> finish() {
    if (!bytes_.empty()) COEVAL_TRY(write());
    return std::move(run_);
  }

 private:
  Status write() {
    COEVAL_ASSIGN(const auto packed, stores::SpillFile::pack(bytes_));
    COEVAL_ASSIGN(const auto block, run_.file->append(packed));
    run_.blocks.push_back(block);
    bytes_.clear();
    return {};
  }
  Run run_;
  std::string bytes_;
};

RecordSorter::RecordSorter(std::size_t memory_bytes, std::string folder)
    : memory_bytes_(memory_bytes),
      most_runs_(std::max<std::size_t>(4, memory_bytes / (2 * kBlockBytes))),
      folder_(std::move(folder)) {}

// Buffers that grow hold twice of what is in them for a moment.
bool RecordSorter::is_full(std::size_t more) const {
  constexpr std::size_t kMostBytes = std::size_t{1} << 31;
  const std::size_t bytes = bytes_.size() + more;
  const std::size_t held = bytes + (entries_.size() + 1) * sizeof(Entry);
  return bytes > kMostBytes || 2 * held > memory_bytes_;
}

Status RecordSorter::add(std::string_view record) {
  if (!entries_.empty() && is_full(record.size())) COEVAL_TRY(spill());
  entries_.push_back({prefix_of(record), static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(record.size())});
  bytes_ += record;
  return {};
}

void RecordSorter::sort() {
  const auto before = [this](const Entry& a, const Entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : record(a) < record(b);
  };
  if (!std::is_sorted(entries_.begin(), entries_.end(), before))
    std::sort(entries_.begin(), entries_.end(), before);
}

Result<std::shared_ptr<stores::SpillFile>> RecordSorter::own_file() {
  if (file_ == nullptr) {
    COEVAL_ASSIGN(auto file, open_spill_file(folder_));
    file_ = std::make_shared<stores::SpillFile>(std::move(file));
  }
  return file_;
}

Status RecordSorter::spill() {
  sort();
  COEVAL_ASSIGN(auto file, own_file());
  RunWriter writer(std::move(file));
  for (const Entry& entry : entries_) COEVAL_TRY(writer.add(record(entry)));
  COEVAL_ASSIGN(Run run, writer.finish());
  runs_.push_back(std::move(run));
  entries_.clear();
  bytes_.clear();
  return runs_.size() > most_runs_ ? join_runs() : Status{};
}

// One run of all.
Status RecordSorter::join_runs() {
  COEVAL_ASSIGN(auto file, own_file());
  RunWriter writer(std::move(file));
  COEVAL_TRY(merge_runs([&](std::string_view record) { return writer.add(record); }));
  COEVAL_ASSIGN(Run run, writer.finish());
  runs_.clear();
  runs_.push_back(std::move(run));
  return {};
}

Status RecordSorter::merge(RecordSorter& other) {
  for (const Entry& entry : other.entries_) COEVAL_TRY(add(other.record(entry)));
  other.entries_.clear();
  std::move(other.runs_.begin(), other.runs_.end(), std::back_inserter(runs_));
  return runs_.size() > most_runs_ ? join_runs() : Status{};
}

Status RecordSorter::merge_runs(const std::function<Status(std::string_view)>& visit) {
  std::vector<RunReader> readers;
  readers.reserve(runs_.size());
  for (const Run& run : runs_) readers.emplace_back(run);
  std::vector<RunReader*> heap;
  const auto after = [](const RunReader* a, const RunReader* b) {
    return a->record() > b->record();
  };
  const auto push_next = [&](RunReader* reader) -> Status {
    COEVAL_ASSIGN(const bool more, reader->next());
    if (!more) return {};
    heap.push_back(reader);
    std::push_heap(heap.begin(), heap.end(), after);
    return {};
  };
  for (RunReader& reader : readers) COEVAL_TRY(push_next(&reader));
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), after);
    RunReader* const least = heap.back();
    heap.pop_back();
    COEVAL_TRY(visit(least->record()));
    COEVAL_TRY(push_next(least));
  }
  return {};
}

Status RecordSorter::each(const std::function<void(std::string_view)>& visit) {
  if (runs_.empty()) {
    sort();
    for (const Entry& entry : entries_) visit(record(entry));
    return {};
  }
  if (!entries_.empty()) COEVAL_TRY(spill());
  return merge_runs([&](std::string_view record) -> Status {
    visit(record);
    return {};
  });
}

}  // namespace coeval::quality
