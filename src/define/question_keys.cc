#include "define/question_keys.h"

#include <algorithm>
#include <utility>

namespace coeval::define {

namespace {

// Each level is a recursion.
constexpr std::size_t kMaxStages = 50;

class KeyPlanner {
 public:
  KeyPlanner(const WideRow& row, QuestionScope& scope, const std::vector<View>& views,
             Diagnostics& errors)
      : row_(row), scope_(scope), views_(views), errors_(errors) {}

  void ask(const WideInput& input) {
    place_ = input.position;
    for (const int field : columns_read(*input.input.expr)) ask_field(field);
  }

  QuestionKeys finish() {
    for (const auto& [view, stage] : stages_) {
      result_.views.push_back(view);
      if (stage > 0) result_.stages.emplace(view, stage);
    }
    return std::move(result_);
  }

 private:
  // The stage in which a field of the wide row is answered; -1 for the question's columns.
  int ask_field(int field) {
    const ViewFeature* feature = row_.view_feature(field);
    return feature == nullptr ? -1 : ask_view(feature->view);
  }

  int ask_view(int view) {
    if (const auto known = stages_.find(view); known != stages_.end()) return known->second;
    const View& asked = views_[static_cast<std::size_t>(view)];
    const std::string step = (asked.lookup ? "lookup " : "view ") + in_quotes(asked.name);
    if (std::ranges::count(path_, step) > 0) return cycle(step);
    if (path_.size() >= 2 * kMaxStages) return too_deep();
    path_.push_back(step);
    int stage = 0;
    for (const auto& key : asked.keys) stage = std::max(stage, ask_key(key));
    path_.pop_back();
    stages_.emplace(view, stage);
    return stage;
  }

  int ask_key(const std::string& name) {
    const int own = row_.index_of(name);
    if (own >= 0 && own < row_.question_count) return 0;
    if (const auto known = result_.derived.find(name); known != result_.derived.end())
      return known->second.stage;
    DerivedKey key;
    key.name = name;
    key.position = place_;
    const Binding bound = scope_.find_key(name, key.position);
    key.features = scope_.take_features_used();
    if (!bound.found) return 0;
    key.expr = bound.expr;
    path_.push_back("key " + in_quotes(name));
    const SourcePosition outer = std::exchange(place_, key.position);
    if (key.expr)
      for (const int field : columns_read(*key.expr))
        key.stage = std::max(key.stage, ask_field(field) + 1);
    place_ = outer;
    path_.pop_back();
    const int stage = key.stage;
    result_.derived.emplace(name, std::move(key));
    return stage;
  }

  int cycle(const std::string& step) {
    std::string text;
    for (auto at = std::ranges::find(path_, step); at != path_.end(); ++at) text += *at + " → ";
    errors_.report(Code::cycle, place_, "a key is found by itself: " + text + step,
                   "let one of these keys be a column of the question");
    return 0;
  }

  int too_deep() {
    errors_.report(
        Code::too_deep, place_,
        "keys are found by more than " + std::to_string(kMaxStages) + " views one after the other",
        "let a column of the question say one of them");
    return 0;
  }

  const WideRow& row_;
  QuestionScope& scope_;
  const std::vector<View>& views_;
  Diagnostics& errors_;
  QuestionKeys result_;
  std::map<int, int> stages_;
  std::vector<std::string> path_;
  SourcePosition place_;
};

}  // namespace

QuestionKeys question_keys(const std::vector<WideInput>& inputs, const WideRow& row,
                           QuestionScope& scope, const std::vector<View>& views,
                           Diagnostics& errors) {
  KeyPlanner planner(row, scope, views, errors);
  for (const auto& input : inputs) planner.ask(input);
  return planner.finish();
}

}  // namespace coeval::define
