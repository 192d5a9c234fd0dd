#include "serving/state_snapshots.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace coeval::serving {

namespace {

constexpr std::size_t kFrameBytes = 64u << 10;       // handed to the writer at once
constexpr std::size_t kAtOnceBytes = 4u << 10;       // captured between two looks at the clock
constexpr std::size_t kMaxWaitingBytes = 64u << 20;  // captured and not yet written

bool fits(const std::vector<stores::SnapshotPart>& saved,
          const std::vector<kernel::NamedPart>& parts) {
  return std::ranges::equal(saved, parts, {}, &stores::SnapshotPart::name,
                            &kernel::NamedPart::name);
}

Status restore_parts(const stores::SnapshotChain& chain,
                     const std::vector<kernel::NamedPart>& parts) {
  const auto unreadable = [](const std::string& part) {
    return fail(Code::snapshot_corrupt, "the snapshot's " + part + " cannot be read back",
                "the state is rebuilt from the log");
  };
  if (!fits(chain.parts(), parts)) return unreadable("parts");
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!parts[i].part->begin_restore(chain.parts()[i].summary)) return unreadable(parts[i].name);
  COEVAL_TRY(chain.read([&](const stores::StateUnit& unit) -> Status {
    const kernel::NamedPart& part = parts[unit.part];
    if (part.part->restore_unit(unit.key, *unit.bytes)) return {};
    return unreadable(part.name);
  }));
  for (const kernel::NamedPart& part : parts) part.part->end_restore();
  return {};
}

}  // namespace

StateSnapshots::StateSnapshots(std::vector<kernel::NamedPart> parts,
                               std::shared_ptr<stores::SnapshotTarget> target, SnapshotPace pace,
                               std::function<double()> now_s)
    : parts_(std::move(parts)),
      pace_(pace),
      now_s_(std::move(now_s)),
      last_(target->position()),
      writer_(std::move(target), pace.in_background) {
  for (const kernel::NamedPart& part : parts_)
    if (!part.part->tracks_changes()) part.part->track_changes();
}

StateSnapshots::~StateSnapshots() {
  if (!under_way()) return;
  for (const kernel::NamedPart& part : parts_) part.part->settle(false);
}

void StateSnapshots::begin(stores::LogPoint at) {
  COEVAL_CHECK(!under_way());
  if (writer_.needs_all())
    for (const kernel::NamedPart& part : parts_) part.part->track_changes();
  std::vector<stores::SnapshotPart> summaries;
  frames_.clear();
  for (std::uint32_t i = 0; i < parts_.size(); ++i) {
    summaries.push_back({parts_[i].name, parts_[i].part->summary()});
    frames_.emplace_back(i);
    parts_[i].part->freeze(*this, i);
  }
  writer_.begin(at, std::move(summaries));
  position_ = at.position;
  next_part_ = 0;
  phase_ = Phase::capturing;
}

void StateSnapshots::take_unit(std::uint32_t part, std::string_view key,
                               std::optional<std::string_view> bytes) {
  stores::UnitFrame& frame = frames_[part];
  frame.append(key, bytes);
  if (frame.bytes().size() < kFrameBytes) return;
  writer_.add(std::exchange(frame, stores::UnitFrame(part)));
}

// Whether nothing is left.
bool StateSnapshots::capture(std::size_t bytes) {
  while (next_part_ < parts_.size() && parts_[next_part_].part->capture(bytes)) ++next_part_;
  return next_part_ == parts_.size();
}

void StateSnapshots::end_capture(bool tidies) {
  for (stores::UnitFrame& frame : frames_) writer_.add(std::move(frame));
  frames_.clear();
  writer_.end(tidies);
  phase_ = Phase::writing;
}

Status StateSnapshots::settle(Status outcome) {
  for (const kernel::NamedPart& part : parts_) part.part->settle(outcome.has_value());
  if (outcome) last_ = position_;
  phase_ = Phase::none;
  return outcome;
}

bool StateSnapshots::is_busy() const {
  return phase_ == Phase::capturing && writer_.waiting_bytes() < kMaxWaitingBytes;
}

std::optional<Status> StateSnapshots::step() {
  if (is_busy()) {
    const double until_s = now_s_() + pace_.slice_s;
    const std::size_t at_once = std::min(pace_.slice_bytes, kAtOnceBytes);
    bool done = false;
    for (std::size_t captured = 0; !done && captured < pace_.slice_bytes; captured += at_once) {
      done = capture(at_once);
      if (!done && now_s_() >= until_s) break;
    }
    if (done) end_capture(true);
  }
  if (phase_ != Phase::writing) return std::nullopt;
  auto outcome = writer_.outcome();
  if (!outcome) return std::nullopt;
  return settle(std::move(*outcome));
}

Status StateSnapshots::finish() {
  if (!under_way()) return {};
  if (phase_ == Phase::capturing) {
    while (!capture(SIZE_MAX)) {
    }
    end_capture(false);
  }
  return settle(writer_.wait());
}

Result<std::optional<stores::SnapshotChain>> restore_snapshot(
    const std::string& folder, const std::string& basis, Position end, kernel::Kernel& kernel,
    kernel::EventIndexes& names, std::string* warning, const stores::EventLog* log) {
  COEVAL_ASSIGN(auto chain, stores::find_snapshot(folder, basis, end, warning, log));
  if (!chain) return std::nullopt;
  const auto parts = kernel::state_parts(kernel, names);
  for (const kernel::NamedPart& part : parts) part.part->track_changes();
  const Status restored = restore_parts(*chain, parts);
  if (restored) return chain;
  if (warning != nullptr) *warning += (warning->empty() ? "" : "\n") + one_line(restored.error());
  for (const kernel::NamedPart& part : parts) (void)part.part->begin_restore({});
  return std::nullopt;
}

}  // namespace coeval::serving
