#include "kernel/history_answers.h"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "kernel/answer_columns.h"
#include "kernel/asked_events.h"

namespace coeval::kernel {

namespace {

// Questions of one entity are answered together, those of different ones by different threads.
// Parts much smaller than this would begin with the same entities too often.
constexpr std::size_t kLeastPart = 2'048;
constexpr std::size_t kRowsOfPart = 64 * AnswerColumns::kTile;

// Sorts by the upper 32 bits, of which those from `bits` on are 0; the rest is in order already.
void sort_by_entity(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& other, int bits) {
  constexpr int kDigit = 11;
  other.resize(keys.size());
  for (int shift = 32; shift < 32 + bits; shift += kDigit) {
    std::vector<std::uint32_t> next((std::size_t{1} << kDigit) + 1);
    const auto digit = [shift](std::uint64_t key) { return key >> shift & ((1U << kDigit) - 1); };
    for (const std::uint64_t key : keys) ++next[digit(key) + 1];
    for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
    for (const std::uint64_t key : keys) other[next[digit(key)]++] = key;
    keys.swap(other);
  }
}

// One view's share of a block of questions.
struct ViewBlock {
  std::unique_ptr<AnswerColumns> columns;
  std::vector<AnsweredTexts> lists;  // by part
};

void sort_questions(const QuestionBlock& questions, std::span<const std::int64_t> order,
                    HistoryView& view) {
  const auto& entities = questions.views[static_cast<std::size_t>(view.view)]->entities;
  const auto nobody = static_cast<std::uint32_t>(view.replay->entities());
  std::vector<std::uint64_t>& keys = view.keys;
  keys.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int32_t entity = entities[static_cast<std::size_t>(order[i])];
    const std::uint64_t number = entity < 0 ? nobody : static_cast<std::uint32_t>(entity);
    keys[i] = number << 32 | i;
  }
  sort_by_entity(keys, view.other_keys, static_cast<int>(std::bit_width(nobody)));
  view.asked.resize(order.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto row = static_cast<std::uint32_t>(keys[i]);
    view.asked[i] = {questions.at_us[static_cast<std::size_t>(order[row])],
                     static_cast<std::uint32_t>(keys[i] >> 32), row};
  }
}

// What is done for a block of questions.
class BlockOfAnswers {
 public:
  BlockOfAnswers(HistoryAnswers::Parts& parts, std::span<const std::int64_t> order)
      : parts_(parts),
        order_(order),
        parts_of_view_(std::clamp(order.size() / kLeastPart, std::size_t{1}, 4 * parts.threads)),
        answers_(parts.views.size()),
        blocks_(parts.views.size()) {
    for (std::size_t v = 0; v < parts.views.size(); ++v) {
      if (parts.views[v].replay)
        by_entity_.push_back(v);
      else if (!parts.views[v].is_merged)
        plain_.push_back(v);
    }
  }

  std::vector<std::vector<data::Column>> find() {
    begin();
    answer();
    make_columns();
    return std::move(answers_);
  }

 private:
  const define::View& definition(std::size_t v) const {
    return parts_.kernel->project().views[static_cast<std::size_t>(parts_.views[v].view)];
  }

  // Views that are not divided among threads are answered, and the questions of the others sorted.
  void begin() {
    const std::size_t plain = plain_.size(), merges = parts_.merges.size();
    parts_.run(plain + merges + by_entity_.size(), [&](std::size_t i) {
      if (i < plain)
        answer_plainly(plain_[i]);
      else if (i < plain + merges)
        merge(parts_.merges[i - plain]);
      else
        prepare(by_entity_[i - plain - merges]);
    });
  }

  void answer_plainly(std::size_t v) {
    HistoryView& mine = parts_.views[v];
    answers_[v] = parts_.kernel->replay(mine.view, *mine.events, mine.by_known, mine.next_event,
                                        *parts_.questions, order_);
  }

  void merge(const HistoryMerge& merge) {
    std::vector<AnswerColumns> columns;
    for (const std::size_t v : merge.views) columns.emplace_back(definition(v), order_.size());
    merge.replay->next(columns);
    for (std::size_t i = 0; i < merge.views.size(); ++i)
      answers_[merge.views[i]] = columns[i].finish();
  }

  void prepare(std::size_t v) {
    HistoryView& mine = parts_.views[v];
    sort_questions(*parts_.questions, order_, mine);
    if (!mine.rows) mine.rows = mine.replay->rows();
    mine.rows->start(order_.size());
    ViewBlock& block = blocks_[v];
    block.columns = std::make_unique<AnswerColumns>(definition(v), order_.size());
    block.columns->can_be_null();
    block.lists.resize(parts_of_view_);
  }

  void answer() {
    std::mutex mutex;
    EvaluationCounts counts;
    parts_.run(by_entity_.size() * parts_of_view_, [&](std::size_t i) {
      const std::size_t v = by_entity_[i / parts_of_view_], part = i % parts_of_view_;
      HistoryView& view = parts_.views[v];
      const std::size_t begin = order_.size() * part / parts_of_view_;
      const std::size_t end = order_.size() * (part + 1) / parts_of_view_;
      EntityWalk walk(*view.replay, blocks_[v].lists[part]);
      walk.answer(std::span(view.asked).subspan(begin, end - begin), *view.rows);
      const std::lock_guard lock(mutex);
      counts += walk.counts();
    });
    parts_.count(counts);
  }

  void make_columns() {
    const std::size_t ranges = (order_.size() + kRowsOfPart - 1) / kRowsOfPart;
    parts_.run(by_entity_.size() * ranges, [&](std::size_t i) {
      const std::size_t v = by_entity_[i / ranges], first = i % ranges * kRowsOfPart;
      const HistoryView& view = parts_.views[v];
      view.replay->put_columns(*view.rows, *blocks_[v].columns, first,
                               std::min(kRowsOfPart, order_.size() - first));
    });
    parts_.run(by_entity_.size(), [&](std::size_t i) {
      answers_[by_entity_[i]] = blocks_[by_entity_[i]].columns->finish(true);
    });
  }

  HistoryAnswers::Parts& parts_;
  const std::span<const std::int64_t> order_;
  const std::size_t parts_of_view_;
  std::vector<std::size_t> plain_, by_entity_;
  std::vector<std::vector<data::Column>> answers_;
  std::vector<ViewBlock> blocks_;
};

// Lists of views that one merge can answer, cut so that there are at least `parts` lists.
std::vector<std::vector<std::size_t>> divide(std::vector<std::vector<std::size_t>> lists,
                                             std::size_t parts) {
  while (!lists.empty() && lists.size() < parts) {
    const auto longest =
        std::ranges::max_element(lists, {}, [](const auto& l) { return l.size(); });
    if (longest->size() < 2) break;
    const auto half = longest->begin() + static_cast<std::ptrdiff_t>(longest->size() / 2);
    std::vector<std::size_t> rest(half, longest->end());
    longest->erase(half, longest->end());
    lists.push_back(std::move(rest));
  }
  return lists;
}

}  // namespace

void HistoryAnswers::Parts::plan(const HistoryPlan& plan) {
  std::vector<std::vector<std::size_t>> merged;
  std::vector<HistoryView*> told;
  for (std::size_t v = 0; v < views.size(); ++v) {
    HistoryView& mine = views[v];
    const bool plain =
        plan.way != HistoryWay::by_entity || plan.block(mine.view).taken_back != nullptr;
    if (!plain && plan.is_merge_quicker(mine.view)) {
      mine.is_merged = true;
      const auto list = std::ranges::find_if(merged, [&](const auto& others) {
        return plan.can_share(views[others[0]].view, mine.view);
      });
      list == merged.end() ? merged.push_back({v}) : list->push_back(v);
      continue;
    }
    if (!plain && EntityReplay::can_answer(plan.layout(mine.view)))
      mine.replay = plan.by_entity(mine.view, threads, run);
    if (mine.replay) continue;  // the events may be given up
    mine.events = &plan.block(mine.view);
    mine.by_known = plan.orders[static_cast<std::size_t>(plan.source(mine.view))].by_known;
    if (plan.way == HistoryWay::asked && !mine.events->taken_back) told.push_back(&mine);
  }
  run(told.size(), [&](std::size_t i) {
    HistoryView& mine = *told[i];
    mine.told = asked_events(plan.definition(mine.view), plan.state(mine.view), *mine.events,
                             plan.per_view(mine.view), mine.by_known, *questions,
                             *questions->views[static_cast<std::size_t>(mine.view)]);
    mine.by_known = mine.told;
  });
  std::map<const void*, std::shared_ptr<const AddedEvents>> added;  // by records
  for (auto& list : divide(std::move(merged), threads)) {
    auto& events = added[plan.per_view(views[list[0]].view).records.get()];
    merges.push_back({list, plan.merge(list, views, *questions, order, events)});
  }
}

HistoryAnswers::HistoryAnswers(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
HistoryAnswers::~HistoryAnswers() = default;

bool HistoryAnswers::needs_events(int source) const {
  return std::ranges::any_of(parts_->views, [&](const HistoryView& mine) {
    const int of = parts_->kernel->project().views[static_cast<std::size_t>(mine.view)].source;
    return of == source && !mine.replay;
  });
}

std::vector<std::vector<data::Column>> HistoryAnswers::next(std::size_t count) {
  COEVAL_CHECK(count <= parts_->order.size());
  const auto order = parts_->order.first(count);
  parts_->order = parts_->order.subspan(count);
  return BlockOfAnswers(*parts_, order).find();
}

}  // namespace coeval::kernel
