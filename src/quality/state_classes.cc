#include "quality/state_classes.h"

#include <numeric>
#include <utility>

namespace coeval::quality {

namespace {

// States in classes that are split until the states of each lead to the same classes.
class Splitter {
 public:
  Splitter(std::span<const std::uint32_t> next, std::size_t symbols,
           std::span<const std::uint8_t> accepting)
      : symbols_(symbols), states_(accepting.size()), order_(states_), place_(states_) {
    class_of_.assign(states_, 0);
    std::iota(order_.begin(), order_.end(), 0u);
    std::iota(place_.begin(), place_.end(), 0u);
    classes_.push_back({0, states_, 0});
    find_sources(next);
    for (std::uint32_t state = 0; state < states_; ++state)
      if (accepting[state] != 0) mark(state);
    waiting_ = {0};
    split_marked();
  }

  std::vector<std::uint32_t> split() && {
    std::vector<std::uint32_t> by;
    while (!waiting_.empty()) {
      const std::uint32_t number = waiting_.back();
      waiting_.pop_back();
      const Class& all = classes_[number];
      by.assign(order_.begin() + static_cast<std::ptrdiff_t>(all.begin),
                order_.begin() + static_cast<std::ptrdiff_t>(all.end));
      for (std::size_t symbol = 0; symbol < symbols_; ++symbol) {
        for (const std::uint32_t state : by) mark_sources(symbol, state);
        split_marked();
      }
    }
    return std::move(class_of_);
  }

 private:
  /// States order_[begin, end), of which the first `marked` are marked.
  struct Class {
    std::size_t begin, end, marked;
  };

  // By symbol and state the states that lead to it.
  void find_sources(std::span<const std::uint32_t> next) {
    source_begins_.assign(symbols_ * states_ + 1, 0);
    const auto slot = [&](std::size_t i) { return i % symbols_ * states_ + next[i]; };
    for (std::size_t i = 0; i < next.size(); ++i) ++source_begins_[slot(i) + 1];
    std::partial_sum(source_begins_.begin(), source_begins_.end(), source_begins_.begin());
    std::vector<std::uint32_t> at = source_begins_;
    sources_.resize(next.size());
    for (std::size_t i = 0; i < next.size(); ++i)
      sources_[at[slot(i)]++] = static_cast<std::uint32_t>(i / symbols_);
  }

  void mark_sources(std::size_t symbol, std::uint32_t state) {
    const std::size_t slot = symbol * states_ + state;
    for (std::uint32_t i = source_begins_[slot]; i < source_begins_[slot + 1]; ++i)
      mark(sources_[i]);
  }

  void mark(std::uint32_t state) {
    Class& all = classes_[class_of_[state]];
    if (place_[state] < all.begin + all.marked) return;
    if (all.marked == 0) touched_.push_back(class_of_[state]);
    const std::size_t to = all.begin + all.marked++;
    const std::uint32_t other = order_[to];
    std::swap(order_[to], order_[place_[state]]);
    std::swap(place_[other], place_[state]);
  }

  // The smaller part of each class becomes a new one. It need be looked at, the other only if the
  // whole would have been.
  void split_marked() {
    for (const std::uint32_t number : touched_) {
      Class& all = classes_[number];
      const std::size_t marked = std::exchange(all.marked, 0);
      if (marked == all.end - all.begin) continue;
      const std::size_t middle = all.begin + marked;
      Class part = {all.begin, middle, 0};
      if (marked <= all.end - middle) {
        all.begin = middle;
      } else {
        part = {middle, all.end, 0};
        all.end = middle;
      }
      const auto added = static_cast<std::uint32_t>(classes_.size());
      for (std::size_t i = part.begin; i < part.end; ++i) class_of_[order_[i]] = added;
      classes_.push_back(part);
      waiting_.push_back(added);
    }
    touched_.clear();
  }

  const std::size_t symbols_, states_;
  std::vector<std::uint32_t> order_;  ///< states, those of a class together
  std::vector<std::size_t> place_;    ///< where each state is there
  std::vector<std::uint32_t> class_of_;
  std::vector<Class> classes_;
  std::vector<std::uint32_t> touched_, waiting_;
  std::vector<std::uint32_t> source_begins_, sources_;
};

}  // namespace

std::vector<std::uint32_t> equal_states(std::span<const std::uint32_t> next, std::size_t symbols,
                                        std::span<const std::uint8_t> accepting) {
  return Splitter(next, symbols, accepting).split();
}

}  // namespace coeval::quality
