#include "define/question_scope.h"

#include <algorithm>

#include "base/time.h"
#include "define/build.h"
#include "define/checker.h"

namespace coeval::define {

namespace {

using data::Type;

// Each level is a recursion of the checker.
constexpr std::size_t kMaxFeatureNesting = 50;

// The aggregate as it is read, `field` being one of its windows and `age` how old, in seconds, the
// newest event is that it counts; null = no limit. (semantics: V3 D5)
ExprPtr guarded(const Aggregate& aggregate, ExprPtr field, const ExprPtr& age) {
  const Type type = aggregate.result;
  const ExprPtr instead =
      aggregate.default_value ? make_literal(type, *aggregate.default_value) : nullptr;
  if (instead) field = make_node(Op::coalesce, type, {field, instead});
  if (!age) return field;
  const ExprPtr limit =
      make_literal(Type::float64, static_cast<double>(*aggregate.max_age_us) / kSecondUs);
  const ExprPtr fresh = make_node(Op::less_equal, Type::boolean, {age, limit});
  const ExprPtr stale = aggregate.stale_is_default && instead ? instead : make_literal(type, {});
  return make_node(Op::if_else, type, {fresh, field, stale});
}

// `first` is the field of the view's first feature.
void guard(WideRow& row, const View& view, int first) {
  const int windows = static_cast<int>(view.windows.size());
  const auto column = [&](int field) {
    const data::Field& read = row.schema.fields[static_cast<std::size_t>(field)];
    return make_column(field, read.name, read.type);
  };
  for (std::size_t a = 0; a < view.aggregates.size(); ++a) {
    const Aggregate& aggregate = view.aggregates[a];
    const int begin = first + static_cast<int>(a) * windows;
    const bool bare = !aggregate.default_value && aggregate.age_aggregate < 0;
    for (int w = 0; w < windows; ++w) {
      if (aggregate.hidden) row.hidden.insert(begin + w);
      if (bare || aggregate.result == Type::null) continue;
      const ExprPtr age = aggregate.age_aggregate < 0
                              ? nullptr
                              : column(first + aggregate.age_aggregate * windows +
                                       static_cast<int>(view.longest_window()));
      row.guarded.emplace(begin + w, guarded(aggregate, column(begin + w), age));
      if (aggregate.stale_is_refused && age)
        row.refused.emplace(begin + w,
                            StaleRule{row.schema.fields[static_cast<std::size_t>(begin + w)].name,
                                      age->column, *aggregate.max_age_us});
    }
  }
}

}  // namespace

WideRow make_wide_row(const data::Schema& question, const std::vector<View>& views) {
  WideRow row;
  row.schema = question;
  row.question_count = static_cast<int>(question.fields.size());
  for (std::size_t v = 0; v < views.size(); ++v) {
    for (std::size_t f = 0; f < views[v].feature_count(); ++f) {
      // semantics: V3. Of an empty window only a count has a value.
      const bool nullable =
          views[v].aggregates[f / views[v].windows.size()].kind != Aggregation::count;
      row.schema.fields.push_back({views[v].feature_name(f), views[v].feature_type(f), nullable});
      row.view_features.push_back({static_cast<int>(v), static_cast<int>(f)});
    }
  }
  for (std::size_t i = 0; i < row.schema.fields.size(); ++i)
    row.places.emplace(row.schema.fields[i].name, static_cast<int>(i));
  int first = row.question_count;
  for (const auto& view : views) {
    guard(row, view, first);
    first += static_cast<int>(view.feature_count());
  }
  return row;
}

ExprPtr WideRow::reading(int field) const {
  if (const auto found = guarded.find(field); found != guarded.end()) return found->second;
  const data::Field& column = schema.fields[static_cast<std::size_t>(field)];
  return make_column(field, column.name, column.type);
}

bool is_of_broken_view(const WideRow& row, std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && row.broken_views.contains(name.substr(0, dot));
}

QuestionScope::QuestionScope(const WideRow& row, int at_index, const FeatureTexts& features,
                             const FeatureTexts& keys, const Project& project,
                             std::string description, Diagnostics& errors)
    : row_(row),
      at_index_(at_index),
      features_(features),
      keys_(keys),
      project_(project),
      description_(std::move(description)),
      errors_(errors) {}

Binding QuestionScope::find(std::string_view name) {
  if (const auto text = features_.find(name); text != features_.end())
    return feature(text->first, text->second);
  const int index = row_.index_of(std::string(name));
  if (index >= 0 && index == at_index_) return {true, make_question_time()};
  if (index < 0 && is_of_broken_view(row_, name)) return {true, nullptr};
  if (const auto key = keys_.find(name); index < 0 && key != keys_.end())
    return feature(key->first, key->second, true);
  if (index < 0 || row_.hidden.contains(index)) return bind_constant(&project_, name);
  if (row_.guarded.contains(index)) return {true, row_.reading(index)};
  return bind_field(row_.schema, index);
}

Binding QuestionScope::find_key(const std::string& name, SourcePosition& position) {
  if (const auto key = keys_.find(name); key != keys_.end()) {
    position = key->second.start;
    return feature(key->first, key->second, true);
  }
  return row_.view_feature(row_.index_of(name)) != nullptr ? find(name) : Binding{};
}

Binding QuestionScope::feature(const std::string& name, const ExpressionText& text, bool key) {
  used_.push_back(name);
  const auto [place, fresh] = compiled_.try_emplace(name);
  Compiled& compiled = place->second;  // a map's elements stay where they are
  if (!fresh) {
    if (!compiled.finished) report_circle(name);
    return compiled.finished ? compiled.binding : Binding{true, nullptr};
  }
  std::vector<std::string> outer = std::move(used_);
  used_.clear();
  compiled.binding.found = true;
  if (!key && row_.index_of(name) >= 0) {
    errors_.report(Code::duplicate_name, text.start,
                   "feature " + in_quotes(name) + " has the name of a column of " + description_,
                   "rename the feature");
  } else if (open_.size() >= kMaxFeatureNesting) {
    errors_.report(
        Code::too_deep, text.start,
        "features use each other more than " + std::to_string(kMaxFeatureNesting) + " deep",
        "write some of them out");
  } else {
    open_.push_back(name);
    compiled.binding.expr = check_expression(text, *this, errors_);
    open_.pop_back();
  }
  compiled.finished = true;
  compiled.uses = std::move(used_);
  used_ = std::move(outer);
  return compiled.binding;
}

// Named from its first feature on, whoever came upon it: it is one mistake.
void QuestionScope::report_circle(const std::string& name) {
  std::vector<std::string> circle(std::ranges::find(open_, name), open_.end());
  std::ranges::rotate(circle, std::ranges::min_element(circle));
  std::string path;
  for (const std::string& step : circle) path += step + " → ";
  const bool key = !features_.contains(circle.front());
  const auto place = key ? keys_.find(circle.front()) : features_.find(circle.front());
  errors_.report(Code::cycle, place->second.start,
                 (key ? "key " : "feature ") + in_quotes(circle.front()) +
                     " is defined by itself: " + path + circle.front(),
                 "a feature may only use features that do not use it");
}

std::vector<std::string> QuestionScope::names() const {
  std::vector<std::string> names;
  for (const auto& [name, text] : features_) names.push_back(name);
  for (std::size_t i = 0; i < row_.schema.fields.size(); ++i)
    if (!row_.hidden.contains(static_cast<int>(i))) names.push_back(row_.schema.fields[i].name);
  add_constants(&project_, names);
  return names;
}

std::vector<std::string> QuestionScope::take_features_used() { return std::exchange(used_, {}); }

std::vector<std::string> QuestionScope::path_to(int field, std::vector<std::string> roots) const {
  std::vector<std::string> path;
  const auto reads = [&](const std::string& name) {
    const ExprPtr& expr = compiled_.find(name)->second.binding.expr;
    return expr && std::ranges::count(columns_read(*expr), field) > 0;
  };
  for (auto next = std::ranges::find_if(roots, reads); next != roots.end();
       next = std::ranges::find_if(roots, reads)) {
    path.push_back(*next);
    roots = compiled_.find(path.back())->second.uses;
  }
  return path;
}

}  // namespace coeval::define
