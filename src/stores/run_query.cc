// Evaluates filters and orders over the columns of runs: a condition is asked of every run (of a
// text column: of every distinct text, once), and, or and not join the answers. Ten conditions over
// 100,000 runs are ten columns of a megabyte each; no index is needed but the one by field.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <numeric>
#include <utility>

#include "base/time.h"
#include "stores/run_columns.h"

namespace coeval::stores {

namespace {

using Op = RunCondition::Op;

std::unexpected<Error> fault(Code code, const SourcePosition& at, std::string message,
                             std::string advice) {
  return std::unexpected(Error{code, std::move(message), std::move(advice), at, {}});
}

bool holds(Op op, std::partial_ordering order) {
  switch (op) {
    case Op::equal:
      return order == 0;
    case Op::unequal:
      return order != 0 && order != std::partial_ordering::unordered;
    case Op::less:
      return order < 0;
    case Op::at_most:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::at_least:
      return order >= 0;
    case Op::missing:
    case Op::present:
      break;
  }
  return false;
}

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const char* last = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), last, number);
  if (failure != std::errc() || stop != last) return std::nullopt;
  return number;
}

class Evaluation {
 public:
  Evaluation(const RunFilter& filter, RunColumns& columns) : filter_(filter), columns_(columns) {}

  Result<std::vector<bool>> of(int index) {
    using Kind = RunFilter::Node::Kind;
    const RunFilter::Node& node = filter_.nodes[static_cast<std::size_t>(index)];
    if (node.kind == Kind::condition) return condition(node.condition);
    COEVAL_ASSIGN(std::vector<bool> left, of(node.left));
    if (node.kind == Kind::none) {
      left.flip();
      return left;
    }
    COEVAL_ASSIGN(const std::vector<bool> right, of(node.right));
    const bool all = node.kind == Kind::all;
    for (std::size_t run = 0; run < left.size(); ++run)
      left[run] = all ? left[run] && right[run] : left[run] || right[run];
    return left;
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(columns_.runs() + 1); }

  Result<std::vector<bool>> condition(const RunCondition& condition) {
    const RunField field = run_field(condition.field);
    const bool presence = condition.op == Op::missing || condition.op == Op::present;
    if (field.kind == RunField::Kind::tag) return tag(condition);
    if (presence) return present(field, condition.op == Op::present);
    if (field.is_number()) return number(field, condition);
    return text(field, condition);
  }

  Result<std::vector<bool>> tag(const RunCondition& condition) {
    const auto* word = std::get_if<std::string>(&condition.literal);
    if ((condition.op != Op::equal && condition.op != Op::unequal) || word == nullptr)
      return fault(Code::type_error, condition.literal_at, "a tag is there or not",
                   "write tag = 'nightly' or tag != 'nightly'");
    COEVAL_ASSIGN(std::vector<bool> has, columns_.tagged(*word));
    if (condition.op == Op::unequal) has.flip();
    return has;
  }

  Result<std::vector<bool>> present(const RunField& field, bool wanted) {
    std::vector<bool> holds_for(size());
    if (field.is_number()) {
      COEVAL_ASSIGN(const NumberColumn* column, columns_.numbers(field));
      for (std::size_t run = 0; run < size(); ++run)
        holds_for[run] = (column->present[run] && !std::isnan(column->values[run])) == wanted;
      return holds_for;
    }
    COEVAL_ASSIGN(const TextColumn* column, columns_.texts(field));
    for (std::size_t run = 0; run < size(); ++run)
      holds_for[run] = (column->values[run] >= 0) == wanted;
    return holds_for;
  }

  Result<std::vector<bool>> number(const RunField& field, const RunCondition& condition) {
    double literal = 0;
    if (const auto* written = std::get_if<std::string>(&condition.literal)) {
      if (field.kind != RunField::Kind::time)
        return fault(Code::type_error, condition.literal_at,
                     condition.field + " is a number, and '" + *written + "' is a text",
                     "write the number without quotes");
      const auto time = parse_time(*written);
      if (!time)
        return fault(time.error().code, condition.literal_at, time.error().message,
                     "a time is '2026-11-28' or '2026-11-28T13:45:00'");
      literal = static_cast<double>(*time);
    } else if (field.kind == RunField::Kind::time) {
      return fault(Code::type_error, condition.literal_at,
                   condition.field + " is a time, and this a number",
                   "a time stands in quotes: '2026-11-28' or '2026-11-28T13:45:00'");
    } else {
      literal = std::get<double>(condition.literal);
    }
    COEVAL_ASSIGN(const NumberColumn* column, columns_.numbers(field));
    std::vector<bool> holds_for(size());
    for (std::size_t run = 0; run < size(); ++run)
      holds_for[run] = column->present[run] && holds(condition.op, column->values[run] <=> literal);
    return holds_for;
  }

  Result<std::vector<bool>> text(const RunField& field, const RunCondition& condition) {
    const auto* number = std::get_if<double>(&condition.literal);
    if (number != nullptr && field.kind != RunField::Kind::param)
      return fault(Code::type_error, condition.literal_at,
                   condition.field + " is a text, and this a number",
                   "texts stand in quotes: " + condition.field + " = 'late'");
    COEVAL_ASSIGN(const TextColumn* column, columns_.texts(field));
    std::vector<bool> of_words;
    of_words.reserve(column->words.size());
    for (const std::string& word : column->words) of_words.push_back(compare(word, condition));
    std::vector<bool> holds_for(size());
    for (std::size_t run = 0; run < size(); ++run)
      if (const std::int32_t at = column->values[run]; at >= 0)
        holds_for[run] = of_words[static_cast<std::size_t>(at)];
    return holds_for;
  }

  static bool compare(const std::string& word, const RunCondition& condition) {
    if (const auto* text = std::get_if<std::string>(&condition.literal))
      return holds(condition.op, word <=> *text);
    const auto number = number_in(word);
    if (!number) return condition.op == Op::unequal;
    return holds(condition.op, *number <=> std::get<double>(condition.literal));
  }

  const RunFilter& filter_;
  RunColumns& columns_;
};

// A number for each word that orders as the words do: numbers by value, before texts by bytes.
std::vector<double> ranks_of(const std::vector<std::string>& words) {
  std::vector<std::optional<double>> numbers;
  for (const std::string& word : words) {
    auto number = number_in(word);
    if (number && std::isnan(*number)) number.reset();
    numbers.push_back(number);
  }
  const auto before = [&](std::size_t a, std::size_t b) {
    if (numbers[a].has_value() != numbers[b].has_value()) return numbers[a].has_value();
    if (numbers[a] && *numbers[a] != *numbers[b]) return *numbers[a] < *numbers[b];
    if (numbers[a]) return false;  // 6 and 6.0 are one value
    return words[a] < words[b];
  };
  std::vector<std::size_t> order(words.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, before);
  std::vector<double> ranks(words.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool same = i > 0 && !before(order[i - 1], order[i]);
    ranks[order[i]] = same ? ranks[order[i - 1]] : static_cast<double>(i);
  }
  return ranks;
}

struct Keyed {
  double key = 0;  // NaN: none
  std::int64_t run = 0;
};

Result<std::vector<Keyed>> keyed(const std::vector<std::int64_t>& runs, const RunField& field,
                                 RunColumns& columns) {
  std::vector<Keyed> all;
  all.reserve(runs.size());
  if (field.is_number()) {
    COEVAL_ASSIGN(const NumberColumn* column, columns.numbers(field));
    for (const std::int64_t run : runs) {
      const auto at = static_cast<std::size_t>(run);
      all.push_back({column->present[at] ? column->values[at] : std::nan(""), run});
    }
    return all;
  }
  COEVAL_ASSIGN(const TextColumn* column, columns.texts(field));
  const std::vector<double> ranks = ranks_of(column->words);
  for (const std::int64_t run : runs) {
    const std::int32_t at = column->values[static_cast<std::size_t>(run)];
    all.push_back({at < 0 ? std::nan("") : ranks[static_cast<std::size_t>(at)], run});
  }
  return all;
}

}  // namespace

Result<std::vector<bool>> evaluate(const RunFilter& filter, RunColumns& columns) {
  if (filter.root < 0) return std::vector<bool>(static_cast<std::size_t>(columns.runs() + 1), true);
  return Evaluation(filter, columns).of(filter.root);
}

Result<std::vector<std::int64_t>> sorted_runs(std::vector<std::int64_t> runs, const RunField& field,
                                              bool ascending, std::int64_t limit,
                                              RunColumns& columns) {
  COEVAL_ASSIGN(std::vector<Keyed> all, keyed(runs, field, columns));
  const auto before = [ascending](const Keyed& a, const Keyed& b) {
    if (std::isnan(a.key) != std::isnan(b.key)) return std::isnan(b.key);
    if (!std::isnan(a.key) && a.key != b.key) return ascending ? a.key < b.key : a.key > b.key;
    return a.run > b.run;
  };
  const auto wanted = static_cast<std::ptrdiff_t>(
      std::min<std::uint64_t>(static_cast<std::uint64_t>(limit), all.size()));
  // A partial sort is a sort by heap, which is slow for many.
  if (wanted < std::ssize(all)) std::ranges::nth_element(all, all.begin() + wanted, before);
  std::ranges::sort(all.begin(), all.begin() + wanted, before);
  runs.clear();
  for (std::ptrdiff_t i = 0; i < wanted; ++i) runs.push_back(all[static_cast<std::size_t>(i)].run);
  return runs;
}

}  // namespace coeval::stores
