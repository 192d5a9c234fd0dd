// The storage bugs of plants.h, as a decorator of the files that coeval writes.
#include <utility>

#include "mortal_files.h"

namespace coeval::sim {

namespace {

using stores::AppendFile;
using stores::FileLayer;

bool is_segment(const std::string& path) { return path.ends_with(".seg"); }

class PlantedFile final : public AppendFile {
 public:
  PlantedFile(std::unique_ptr<AppendFile> under, Plant plant, bool segment)
      : under_(std::move(under)), plant_(plant), segment_(segment) {}

  Result<std::size_t> write_some(std::string_view bytes) override {
    ++writes_;
    if (plant_ == Plant::last_byte_dropped && writes_ % 16 == 0 && bytes.size() > 1)
      return drop_last_byte(bytes);
    if (plant_ == Plant::writes_swapped && segment_) return swap_writes(bytes);
    const auto written = under_->write_some(bytes);
    if (plant_ == Plant::full_disk_taken_for_written && !written &&
        written.error().code == Code::disk_full)
      return bytes.size();
    if (plant_ == Plant::short_write_taken_for_whole && written) return bytes.size();
    return written;
  }

  Status sync() override {
    if (plant_ == Plant::log_fsync_skipped && segment_) return {};
    if (plant_ == Plant::snapshot_fsync_skipped && !segment_) return {};
    const Status done = under_->sync();
    return plant_ == Plant::fsync_error_swallowed ? Status{} : done;
  }

  Status truncate(std::uint64_t size) override {
    if (plant_ == Plant::cut_skipped) return {};
    if (plant_ == Plant::cut_one_byte_short) return under_->truncate(size + 1);
    if (plant_ == Plant::cut_one_byte_too_many && size > 0) return under_->truncate(size - 1);
    return under_->truncate(size);
  }

 private:
  Result<std::size_t> drop_last_byte(std::string_view bytes) {
    COEVAL_ASSIGN(const std::size_t written, under_->write_some(bytes.substr(0, bytes.size() - 1)));
    return written + 1;
  }

  // Keeps one write in eight back until the next one has come, over an fsync too.
  Result<std::size_t> swap_writes(std::string_view bytes) {
    if (held_.empty() && writes_ % 8 == 0) {
      held_ = bytes;
      return bytes.size();
    }
    COEVAL_ASSIGN(const std::size_t written, under_->write_some(bytes));
    if (!held_.empty()) COEVAL_TRY(append_all(*under_, std::exchange(held_, {})));
    return written;
  }

  std::unique_ptr<AppendFile> under_;
  Plant plant_;
  bool segment_;
  std::uint64_t writes_ = 0;
  std::string held_;
};

class PlantedFiles final : public FileLayer {
 public:
  PlantedFiles(std::shared_ptr<FileLayer> under, Plant plant)
      : under_(std::move(under)), plant_(plant) {}

  Result<std::unique_ptr<AppendFile>> open(const std::string& path, Open how) override {
    COEVAL_ASSIGN(auto file, under_->open(path, how));
    return std::make_unique<PlantedFile>(std::move(file), plant_, is_segment(path));
  }
  Status remove(const std::string& path) override {
    if (plant_ == Plant::removal_skipped && is_segment(path)) return {};
    return under_->remove(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return under_->rename(from, to);
  }
  Status sync_folder(const std::string& folder) override {
    if (plant_ == Plant::folder_fsync_skipped) return {};
    return under_->sync_folder(folder);
  }

 private:
  std::shared_ptr<FileLayer> under_;
  Plant plant_;
};

}  // namespace

std::shared_ptr<FileLayer> plant_in_files(Plant plant, std::shared_ptr<FileLayer> under) {
  if (plant == Plant::none) return under;
  return std::make_shared<PlantedFiles>(std::move(under), plant);
}

}  // namespace coeval::sim
