#include "kernel/history_answers.h"

namespace coeval::kernel {

bool HistoryPlan::is_merge_quicker(int view) const {
  const auto entities = static_cast<std::size_t>(state(view).keys().size());
  return MergeReplay::can_answer(definition(view), layout(view)) &&
         MergeReplay::is_quicker(definition(view), layout(view), entities, block(view));
}

bool HistoryPlan::can_share(int a, int b) const {
  return per_view(a).records == per_view(b).records &&
         MergeReplay::can_share(definition(a), definition(b));
}

std::unique_ptr<const EntityReplay> HistoryPlan::by_entity(int view, std::size_t threads,
                                                           const RunParts& run) const {
  const EntityEvents::Source of{&per_view(view), block(view).rows,
                                orders[static_cast<std::size_t>(source(view))],
                                static_cast<std::size_t>(state(view).keys().size())};
  return EntityReplay::create(definition(view), layout(view), project.zone, of, threads, run);
}

std::unique_ptr<MergeReplay> HistoryPlan::merge(std::span<const std::size_t> places,
                                                std::span<const HistoryView> views,
                                                const QuestionBlock& questions,
                                                std::span<const std::int64_t> order,
                                                std::shared_ptr<const AddedEvents>& added) const {
  const int first = views[places[0]].view;
  if (!added)
    added = std::make_shared<const AddedEvents>(layout(first), per_view(first), block(first).rows);
  std::vector<MergedView> merged;
  for (const std::size_t place : places) {
    const int view = views[place].view;
    merged.push_back({&definition(view), &layout(view),
                      static_cast<std::size_t>(state(view).keys().size()), per_view(view).entities,
                      questions.views[static_cast<std::size_t>(view)]->entities});
  }
  const HistoryOrder& of = orders[static_cast<std::size_t>(source(first))];
  return std::make_unique<MergeReplay>(merged, HistoryEvents{added, of.by_known, of.by_time},
                                       HistoryQuestions{order, questions.at_us});
}

}  // namespace coeval::kernel
