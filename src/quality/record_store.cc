#include "quality/record_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "stores/files.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kSpillBlockBytes = std::size_t{1} << 20;

}  // namespace

Result<stores::SpillFile> open_spill_file(const std::string& folder) {
  if (!folder.empty()) return stores::SpillFile::create(folder);
  COEVAL_ASSIGN(const std::string system, stores::temporary_folder());
  return stores::SpillFile::create(system);
}

RecordStore::RecordStore(std::size_t parts, std::size_t memory_bytes, std::string folder)
    : parts_(parts), memory_bytes_(memory_bytes), folder_(std::move(folder)) {}

void RecordStore::close_chunk(Part& part) {
  if (part.open.used == 0) return;
  held_ += part.open.size;
  part.full.push_back(std::exchange(part.open, Chunk{}));
}

Status RecordStore::open_chunk(std::size_t part, std::size_t bytes) {
  close_chunk(parts_[part]);
  if (held_ + kChunkBytes > memory_bytes_) COEVAL_TRY(spill());
  Chunk& open = parts_[part].open;
  open.size = std::max(bytes, kChunkBytes);
  open.bytes = std::make_unique_for_overwrite<char[]>(open.size);
  open.used = 0;
  return {};
}

Status RecordStore::spill() {
  if (!owns_last_) {
    COEVAL_ASSIGN(auto file, open_spill_file(folder_));
    files_.push_back(std::make_shared<stores::SpillFile>(std::move(file)));
    owns_last_ = true;
  }
  for (Part& part : parts_) COEVAL_TRY(spill_part(part));
  return {};
}

Status RecordStore::spill_part(Part& part) {
  close_chunk(part);
  std::string block;
  for (std::size_t i = 0; i < part.full.size(); ++i) {
    block += part.full[i].view();
    held_ -= part.full[i].size;
    part.full[i] = {};
    if (i + 1 < part.full.size() && block.size() + part.full[i + 1].used <= kSpillBlockBytes)
      continue;
    COEVAL_ASSIGN(const auto packed, stores::SpillFile::pack(block));
    COEVAL_ASSIGN(const auto where, files_.back()->append(packed));
    part.spilled.push_back({files_.size() - 1, where});
    block.clear();
  }
  part.full.clear();
  return {};
}

// The files of the other are put before ours, so that the last one stays ours to write to.
Status RecordStore::merge(RecordStore& other) {
  COEVAL_CHECK(parts_.size() == other.parts_.size());
  const std::size_t shift = other.files_.size();
  files_.insert(files_.begin(), other.files_.begin(), other.files_.end());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& own = parts_[i];
    Part& its = other.parts_[i];
    other.close_chunk(its);
    for (Spilled& spilled : own.spilled) spilled.file += shift;
    own.spilled.insert(own.spilled.end(), its.spilled.begin(), its.spilled.end());
    std::move(its.full.begin(), its.full.end(), std::back_inserter(own.full));
    its = {};
  }
  held_ += std::exchange(other.held_, 0);
  return held_ > memory_bytes_ ? spill() : Status{};
}

std::uint64_t RecordStore::bytes(std::size_t part) const {
  const Part& of = parts_[part];
  std::uint64_t total = of.open.used;
  for (const Chunk& chunk : of.full) total += chunk.used;
  for (const Spilled& spilled : of.spilled) total += spilled.block.size;
  return total;
}

Status RecordStore::each(std::size_t part,
                         const std::function<void(std::string_view)>& visit) const {
  const Part& of = parts_[part];
  for (const Spilled& spilled : of.spilled) {
    COEVAL_ASSIGN(const std::string block, files_[spilled.file]->read(spilled.block));
    visit(block);
  }
  for (const Chunk& chunk : of.full) visit(chunk.view());
  if (of.open.used > 0) visit(of.open.view());
  return {};
}

void RecordStore::drop(std::size_t part) {
  for (const Chunk& chunk : parts_[part].full) held_ -= chunk.size;
  parts_[part] = {};
}

}  // namespace coeval::quality
