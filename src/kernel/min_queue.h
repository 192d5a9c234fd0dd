#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coeval::kernel {

/// The smallest key among a list's elements from any place on, while the list grows at its end and
/// windows over it only go forward: keeps just the elements that are smaller than all behind them.
/// An element may also come late, between others. O(1) amortised, O(log n) to ask.
class MinQueue {
 public:
  void clear() {
    items_.clear();
    head_ = 0;
  }
  /// Adds the element at `index`, which was not there yet.
  void push(std::uint32_t index, std::int64_t key) {
    auto end = items_.end();
    if (!is_empty() && items_.back().index > index) [[unlikely]] {
      end = first_from(index);
      if (end->key <= key) return;  // a later one is as small
    }
    auto begin = end;
    while (begin != items_.begin() + head_ && (begin - 1)->key >= key) --begin;
    if (begin == end) {
      items_.insert(begin, {index, key});
    } else {
      *begin = {index, key};
      items_.erase(begin + 1, end);
    }
  }
  /// No window reads elements before `index` any more.
  void drop_before(std::uint32_t index) {
    while (!is_empty() && items_[static_cast<std::size_t>(head_)].index < index) ++head_;
    if (head_ > 64 && static_cast<std::size_t>(head_) * 2 > items_.size()) {
      items_.erase(items_.begin(), items_.begin() + head_);
      head_ = 0;
    }
  }
  /// The smallest key from `index` on; false when there is no element.
  bool smallest_from(std::uint32_t index, std::int64_t& key) {
    const auto found = first_from(index);
    if (found == items_.end()) return false;
    key = found->key;
    return true;
  }

 private:
  struct Item {
    std::uint32_t index;
    std::int64_t key;
  };
  using Place = std::vector<Item>::iterator;

  bool is_empty() const { return static_cast<std::size_t>(head_) == items_.size(); }
  Place first_from(std::uint32_t index) {
    return std::lower_bound(items_.begin() + head_, items_.end(), index,
                            [](const Item& item, std::uint32_t i) { return item.index < i; });
  }

  std::vector<Item> items_;  // indexes and keys ascending
  std::ptrdiff_t head_ = 0;
};

}  // namespace coeval::kernel
