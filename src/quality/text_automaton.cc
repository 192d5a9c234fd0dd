#include "quality/text_automaton.h"

#include <algorithm>
#include <map>
#include <utility>

#include "quality/pattern_program.h"
#include "quality/pattern_syntax.h"
#include "quality/state_classes.h"

namespace coeval::quality {

namespace {

using Assertion = Pattern::Assertion;
using Kind = PatternProgram::Kind;

constexpr std::size_t kMaxSteps = 65'536;
constexpr std::size_t kMaxStates = 16'384;
constexpr std::size_t kMaxCells = std::size_t{1} << 20;
/// Steps that are looked at while states are made of them.
constexpr std::size_t kMaxWork = 20'000'000;

/// What stands on either side of a place in a text.
enum Neighbour : std::uint8_t { kOther, kLineFeed, kWord, kEdge };

bool holds(Assertion assertion, Neighbour before, Neighbour after) {
  switch (assertion) {
    case Assertion::text_begin:
      return before == kEdge;
    case Assertion::text_end:
      return after == kEdge;
    case Assertion::line_begin:
      return before == kEdge || before == kLineFeed;
    case Assertion::line_end:
      return after == kEdge || after == kLineFeed;
    case Assertion::word_boundary:
      return (before == kWord) != (after == kWord);
    case Assertion::no_word_boundary:
      break;
  }
  return (before == kWord) == (after == kWord);
}

PatternProgram::Bytes word_bytes() {
  PatternProgram::Bytes words;
  for (unsigned c = 0; c < 128; ++c)
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_')
      words.set(c);
  return words;
}

}  // namespace

// The subset construction. A state is the set of steps at which a text's bytes so far may have
// arrived: those that take a byte or match, and assertions, which wait for the byte that follows.
class AutomatonBuilder {
 public:
  explicit AutomatonBuilder(const PatternProgram& program)
      : program_(program), seen_(program.steps.size()) {}

  std::optional<TextAutomaton> build() {
    number_bytes();
    state_of({{}, kOther});  // state 0, from which nothing is accepted
    const std::uint32_t start = state_of({arrive({program_.start}), kEdge});
    for (std::size_t state = 0; state < states_.size(); ++state) {
      add_state(*states_[state]);
      if (states_.size() > kMaxStates || next_.size() > kMaxCells || work_ > kMaxWork)
        return std::nullopt;
    }
    write(start);
    return std::move(automaton_);
  }

 private:
  using Steps = std::vector<std::uint32_t>;
  struct State {
    Steps steps;       ///< ascending
    Neighbour before;  ///< the byte that led here; kOther where no assertion asks
    friend auto operator<=>(const State&, const State&) = default;
  };

  // Bytes that are in the same sets are one class, as far as assertions see them alike.
  void number_bytes() {
    auto& class_of = automaton_.class_of_;
    std::size_t classes = 1;
    const auto split = [&](const PatternProgram::Bytes& set) {
      std::map<std::pair<std::uint8_t, bool>, std::uint8_t> numbers;
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const auto number = static_cast<std::uint8_t>(numbers.size());
        class_of[byte] =
            numbers.emplace(std::pair(class_of[byte], set[byte]), number).first->second;
      }
      classes = numbers.size();
    };
    for (const auto& set : program_.sets) split(set);
    const auto words = word_bytes();
    if (program_.has_assertions) {
      split(words);
      split(PatternProgram::Bytes().set('\n'));
    }
    automaton_.classes_ = static_cast<std::uint32_t>(classes);
    kinds_.assign(classes, kOther);
    if (program_.has_assertions) {
      for (std::size_t byte = 0; byte < 256; ++byte)
        if (words[byte]) kinds_[class_of[byte]] = kWord;
      kinds_[class_of['\n']] = kLineFeed;
    }
    for (const auto& set : program_.sets) {
      std::vector<bool> in(classes);
      for (std::size_t byte = 0; byte < 256; ++byte)
        if (set[byte]) in[class_of[byte]] = true;
      auto& list = classes_of_.emplace_back();
      for (std::size_t c = 0; c < classes; ++c)
        if (in[c]) list.push_back(static_cast<std::uint8_t>(c));
    }
  }

  // Where one gets from these steps without a byte. `follow` says which assertions are passed;
  // those that are not stay.
  template <class Follow>
  Steps reach(Steps from, const Follow& follow) {
    ++round_;
    Steps reached;
    while (!from.empty()) {
      const std::uint32_t at = from.back();
      from.pop_back();
      if (std::exchange(seen_[at], round_) == round_) continue;
      ++work_;
      const auto& step = program_.steps[at];
      if (step.kind == Kind::fork) {
        from.push_back(step.other);
        from.push_back(step.next);
      } else if (step.kind == Kind::assertion && follow(step.asserts)) {
        from.push_back(step.next);
      } else if (step.kind != Kind::dead) {
        reached.push_back(at);
      }
    }
    std::ranges::sort(reached);
    return reached;
  }
  Steps arrive(Steps steps) {
    return reach(std::move(steps), [](Assertion) { return false; });
  }
  Steps pass(const State& state, Neighbour after) {
    if (!asks(state.steps)) return state.steps;
    return reach(state.steps,
                 [&](Assertion assertion) { return holds(assertion, state.before, after); });
  }
  bool asks(const Steps& steps) const {
    return program_.has_assertions && std::ranges::any_of(steps, [&](std::uint32_t step) {
             return program_.steps[step].kind == Kind::assertion;
           });
  }

  std::uint32_t state_of(State state) {
    if (!asks(state.steps)) state.before = kOther;
    const auto [at, added] =
        numbers_.emplace(std::move(state), static_cast<std::uint32_t>(states_.size()));
    if (added) states_.push_back(&at->first);
    return at->second;
  }

  // Where a byte leads whose steps lead to these. Most bytes of a state lead to the same.
  std::uint32_t state_after(Steps targets, Neighbour before) {
    const auto [at, added] = after_.emplace(State{std::move(targets), before}, 0);
    if (added) at->second = state_of({arrive(at->first.steps), before});
    return at->second;
  }

  void add_state(const State& state) {
    std::vector<Steps> targets(automaton_.classes_);
    const bool asks_next = asks(state.steps);
    for (const Neighbour after : {kOther, kLineFeed, kWord}) {
      if (after != kOther && !asks_next) break;
      for (const std::uint32_t at : pass(state, after)) {
        const auto& step = program_.steps[at];
        if (step.kind != Kind::bytes) continue;
        for (const std::uint8_t c : classes_of_[step.set])
          if (!asks_next || kinds_[c] == after) targets[c].push_back(step.next);
      }
    }
    for (std::size_t c = 0; c < targets.size(); ++c) {
      work_ += targets[c].size();
      next_.push_back(targets[c].empty() ? 0 : state_after(std::move(targets[c]), kinds_[c]));
    }
    const Steps at_end = pass(state, kEdge);
    accepting_.push_back(std::ranges::any_of(
        at_end, [&](std::uint32_t step) { return program_.steps[step].kind == Kind::match; }));
  }

  // The rows of the minimal automaton, in the order in which its states are reached.
  void write(std::uint32_t start) {
    const std::size_t classes = automaton_.classes_;
    const auto equal = equal_states(next_, classes, accepting_);
    std::vector<std::uint32_t> row_of(states_.size(), UINT32_MAX);
    std::vector<std::uint32_t> order;
    const auto row = [&](std::uint32_t state) {
      auto& number = row_of[equal[state]];
      if (number == UINT32_MAX) {
        number = static_cast<std::uint32_t>(order.size() * (classes + 1));
        order.push_back(state);
      }
      return number;
    };
    row(0);
    automaton_.start_ = row(start);
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (std::size_t c = 0; c < classes; ++c)
        automaton_.rows_.push_back(row(next_[order[i] * classes + c]));
      automaton_.rows_.push_back(accepting_[order[i]]);
    }
  }

  const PatternProgram& program_;
  std::vector<Neighbour> kinds_;                       ///< of each class
  std::vector<std::vector<std::uint8_t>> classes_of_;  ///< of each set
  std::vector<std::uint32_t> seen_;  ///< by step: the last round of reach() that came by
  std::uint32_t round_ = 0;
  std::size_t work_ = 0;
  std::map<State, std::uint32_t> numbers_;
  std::map<State, std::uint32_t> after_;  ///< by steps before arriving
  std::vector<const State*> states_;      ///< keys of `numbers_`
  std::vector<std::uint32_t> next_;       ///< by state and class
  std::vector<std::uint8_t> accepting_;
  TextAutomaton automaton_;
};

std::optional<TextAutomaton> TextAutomaton::compile(std::string_view pattern) {
  const auto read = read_pattern(pattern);
  if (!read) return std::nullopt;
  const auto program = compile_pattern(*read, kMaxSteps);
  if (!program) return std::nullopt;
  return AutomatonBuilder(*program).build();
}

}  // namespace coeval::quality
