#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace coeval::kernel {

/// Which units of a state part changed since they were captured last. Each unit has a mark, 0 to
/// begin with, that its holder keeps beside it.
///
/// Invariants: 1. A unit is in the list of changes iff its mark is the number of the present epoch
/// (a unit that has gone may be in it besides). 2. During a capture a unit waits iff its mark is
/// that of the epoch before. 3. Without tracking the epoch is 0 and so is every mark: nothing is to
/// be noted.
template <class Id>
class Changes {
 public:
  using Mark = std::uint32_t;

  void track() {
    if (epoch_ == 0) epoch_ = 2;
  }
  bool tracks() const { return epoch_ != 0; }
  /// Whether frozen units may still wait.
  bool capturing() const { return capturing_; }

  /// Whether a change of this unit needs nothing more: the test that every event pays.
  bool is_noted(Mark mark) const { return mark == epoch_; }
  /// Whether the unit must be captured before it changes.
  bool waits(Mark mark) const { return capturing_ && mark == epoch_ - 1; }
  void note(const Id& id, Mark& mark) {
    mark = epoch_;
    changed_.push_back(id);
  }
  /// Notes a unit that has gone and so has no mark any more.
  void note_gone(const Id& id) {
    if (tracks()) changed_.push_back(id);
  }

  /// The last capture must be settled.
  void freeze() {
    ++epoch_;
    frozen_.swap(changed_);
    changed_.clear();
    next_ = 0;
    capturing_ = true;
  }
  /// The next unit that was frozen, captured already or not; null when there is none.
  const Id* next() { return next_ < frozen_.size() ? &frozen_[next_++] : nullptr; }
  /// Whether all were captured: then none waits any more, and it is left to settle.
  bool end_if_done() {
    if (next_ < frozen_.size()) return false;
    capturing_ = false;
    return true;
  }
  /// Ends the capture; gives what was frozen.
  std::vector<Id> settle() {
    capturing_ = false;
    next_ = 0;
    return std::exchange(frozen_, {});
  }
  /// Gives units other ids. No capture may be unsettled.
  template <class NewId>
  void renumber(NewId new_id) {
    for (Id& id : changed_) id = new_id(id);
  }
  /// Forgets all changes, of a part that was emptied.
  void clear() {
    changed_.clear();
    frozen_.clear();
    next_ = 0;
    capturing_ = false;
  }

 private:
  Mark epoch_ = 0;
  bool capturing_ = false;
  std::vector<Id> changed_, frozen_;
  std::size_t next_ = 0;
};

}  // namespace coeval::kernel
