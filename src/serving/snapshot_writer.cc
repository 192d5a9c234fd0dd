#include "serving/snapshot_writer.h"

#include <utility>

namespace coeval::serving {

namespace {

std::size_t bytes_of(const auto& job) {
  const auto* frame = std::get_if<stores::UnitFrame>(&job);
  return frame == nullptr ? 0 : frame->bytes().size();
}

}  // namespace

SnapshotWriter::SnapshotWriter(std::shared_ptr<stores::SnapshotTarget> target, bool in_background)
    : target_(std::move(target)) {
  if (in_background) thread_ = std::thread([this] { run(); });
}

SnapshotWriter::~SnapshotWriter() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SnapshotWriter::begin(stores::LogPoint at, std::vector<stores::SnapshotPart> parts) {
  take(Begin{at, std::move(parts)});
}
void SnapshotWriter::add(stores::UnitFrame frame) { take(std::move(frame)); }
void SnapshotWriter::end(bool tidies) { take(End{tidies}); }

void SnapshotWriter::take(Job job) {
  if (!thread_.joinable()) return work(std::move(job));
  {
    const std::scoped_lock lock(mutex_);
    waiting_bytes_ += bytes_of(job);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void SnapshotWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    const std::size_t bytes = bytes_of(job);
    lock.unlock();
    work(std::move(job));
    lock.lock();
    waiting_bytes_ -= bytes;
  }
}

// After an error the rest of the snapshot is passed over.
void SnapshotWriter::work(Job job) {
  if (auto* begin = std::get_if<Begin>(&job)) {
    status_ = target_->begin(begin->at, std::move(begin->parts));
  } else if (const auto* frame = std::get_if<stores::UnitFrame>(&job)) {
    if (status_) status_ = target_->add(*frame);
  } else {
    if (status_) status_ = target_->publish();
    // A merge that fails leaves the files as they were, and is tried again after the next one.
    if (status_ && std::get<End>(job).tidies) static_cast<void>(target_->tidy());
    const std::scoped_lock lock(mutex_);
    outcome_ = std::exchange(status_, {});
    changed_.notify_all();
  }
}

std::size_t SnapshotWriter::waiting_bytes() const {
  const std::scoped_lock lock(mutex_);
  return waiting_bytes_;
}

std::optional<Status> SnapshotWriter::outcome() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

Status SnapshotWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outcome_.has_value(); });
  return *std::exchange(outcome_, std::nullopt);
}

bool SnapshotWriter::needs_all() const { return target_->needs_all(); }

}  // namespace coeval::serving
