#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "data/column.h"
#include "kernel/blocks.h"
#include "kernel/entity_replay.h"
#include "kernel/kernel.h"
#include "kernel/merge_replay.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

/// One view of a history that is being answered: by entity, by a merge, or, where neither can be,
/// through the state that the server keeps.
struct HistoryView {
  int view = 0;
  std::unique_ptr<const EntityReplay> replay;
  bool is_merged = false;
  const EventBlock* events = nullptr;  ///< of those through the state
  std::vector<std::int64_t> told;      ///< of HistoryWay::asked: what by_known points to
  std::span<const std::int64_t> by_known;
  std::size_t next_event = 0;
  std::optional<AnswerRows> rows;  ///< kept from block to block, as is the next
  std::vector<std::uint64_t> keys, other_keys;
  std::vector<AskedQuestion> asked;  ///< by entity and T
};

/// Views that one merge answers.
struct HistoryMerge {
  std::vector<std::size_t> views;  ///< places among HistoryAnswers::Parts::views
  std::unique_ptr<MergeReplay> replay;
};

/// What there is to choose a way from.
struct HistoryPlan {
  const define::Project& project;
  std::function<const ViewState&(int view)> state;
  std::span<const EventBlock> events;  ///< by source, as is the next
  std::span<const HistoryOrder> orders;
  HistoryWay way;

  const define::View& definition(int view) const {
    return project.views[static_cast<std::size_t>(view)];
  }
  int source(int view) const { return definition(view).source; }
  const RecordLayout& layout(int view) const { return state(view).layout(); }
  const EventBlock& block(int view) const { return events[static_cast<std::size_t>(source(view))]; }
  const EventBlock::PerView& per_view(int view) const {
    return *block(view).views[static_cast<std::size_t>(view)];
  }
  bool is_merge_quicker(int view) const;
  bool can_share(int a, int b) const;
  std::unique_ptr<const EntityReplay> by_entity(int view, std::size_t threads,
                                                const RunParts& run) const;
  /// `added` is made where there is none.
  std::unique_ptr<MergeReplay> merge(std::span<const std::size_t> places,
                                     std::span<const HistoryView> views,
                                     const QuestionBlock& questions,
                                     std::span<const std::int64_t> order,
                                     std::shared_ptr<const AddedEvents>& added) const;
};

struct HistoryAnswers::Parts {
  Kernel* kernel = nullptr;
  const QuestionBlock* questions = nullptr;
  std::span<const std::int64_t> order;  ///< questions that are left
  std::vector<HistoryView> views;
  std::vector<HistoryMerge> merges;
  std::size_t threads = 1;
  RunParts run;
  std::function<void(const EvaluationCounts&)> count;  ///< takes what the evaluation counted

  /// Finds the quickest way for each of the views.
  void plan(const HistoryPlan& plan);
};

}  // namespace coeval::kernel
