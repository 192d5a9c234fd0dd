#include "define/difference.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "define/canonical_parts.h"
#include "define/ir.h"

namespace coeval::define {

namespace {

using Parts = std::vector<CanonicalPart>;
/// Name → text, of things that are compared by name.
using Texts = std::map<std::string, std::string>;

std::vector<Change> compare(const Texts& before, const Texts& after) {
  std::vector<Change> changes;
  for (const auto& [name, text] : before) {
    const auto now = after.find(name);
    if (now == after.end())
      changes.push_back({ChangeKind::removed, name, text, {}});
    else if (now->second != text)
      changes.push_back({ChangeKind::changed, name, text, now->second});
  }
  for (const auto& [name, text] : after)
    if (!before.contains(name)) changes.push_back({ChangeKind::added, name, {}, text});
  std::ranges::stable_sort(changes, {}, &Change::name);
  return changes;
}

const CanonicalPart* find_part(const Parts& parts, std::string_view key, std::string_view name) {
  const auto found = std::ranges::find_if(
      parts, [&](const CanonicalPart& part) { return part.key == key && part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

std::string label_of(const CanonicalFact& fact) {
  return fact.name.empty() ? fact.key : fact.key + " " + fact.name;
}

std::string whole_text(const CanonicalPart& part) {
  std::string text = part.text;
  for (const auto& fact : part.facts)
    text +=
        (text.empty() ? "" : "; ") + label_of(fact) + (fact.text.empty() ? "" : " ") + fact.text;
  return text;
}

bool is_of_features(const CanonicalFact& fact) {
  return fact.key == "aggregate" || fact.key == "window";
}

// What a feature of a view says by itself; what it owes to its view is said of the view. Aggregates
// with a dot in their name tell the age of another one; no person named them, and its text says
// all.
Texts features_of(const CanonicalPart& view) {
  const bool lookup = view.find("lookup", "") != nullptr;  // its features have no window
  Texts features;
  for (const auto& aggregate : view.facts) {
    if (aggregate.key != "aggregate" || aggregate.name.find('.') != std::string::npos) continue;
    const std::string name = view.name + "." + aggregate.name;
    if (lookup) features.emplace(name, aggregate.text);
    for (const auto& window : view.facts)
      if (window.key == "window" && !lookup)
        features.emplace(name + "_" + window.name, aggregate.text + " over " + window.text);
  }
  return features;
}

Texts all_features(const Parts& parts) {
  Texts all;
  for (const auto& part : parts)
    if (part.key == "view") all.merge(features_of(part));
  return all;
}

// Facts of a part by "part.fact"; columns go by their own name.
Texts facts_of(const CanonicalPart& part) {
  Texts facts;
  for (const auto& fact : part.facts)
    if (!is_of_features(fact))
      facts.emplace(part.name + "." + (fact.key == "column" ? fact.name : label_of(fact)),
                    fact.text);
  return facts;
}

// Parts of one key: new and gone ones whole, the others fact by fact.
std::vector<Change> compare_parts(const Parts& before, const Parts& after, std::string_view key) {
  Texts then, now;
  const auto add = [&](const Parts& these, const Parts& those, Texts& texts) {
    for (const auto& part : these) {
      if (part.key != key) continue;
      if (find_part(those, key, part.name) == nullptr)
        texts.emplace(part.name, whole_text(part));
      else
        texts.merge(facts_of(part));
    }
  };
  add(before, after, then);
  add(after, before, now);
  return compare(then, now);
}

// Lines that belong to no source, view, feature or model.
Texts project_facts(const Parts& parts) {
  Texts facts;
  for (const auto& part : parts)
    if (part.name.empty()) facts.emplace(part.key, whole_text(part));
  return facts;
}

Texts expressions_of(const Parts& parts) {
  Texts texts;
  for (const auto& part : parts)
    if (part.key == "feature" || part.key == "key")
      texts.emplace(part.name, part.text.starts_with("= ") ? part.text.substr(2) : part.text);
  return texts;
}

Texts inputs_of(const CanonicalPart& model) {
  Texts texts;
  for (const auto& fact : model.facts)
    if (fact.key == "input") texts.emplace(fact.name, fact.text);
  return texts;
}

Texts settings_of(const CanonicalPart& model) {
  Texts texts;
  for (const auto& fact : model.facts)
    if (fact.key != "input") texts.emplace(label_of(fact), fact.text);
  return texts;
}

std::vector<std::string> order_of(const CanonicalPart& model, const Texts& among) {
  std::vector<std::string> names;
  for (const auto& fact : model.facts)
    if (fact.key == "input" && among.contains(fact.name)) names.push_back(fact.name);
  return names;
}

// A definition with its canonical text taken apart.
struct Side {
  const Project& project;
  Parts parts;

  std::string part_text(std::string_view key, std::string_view name) const {
    const CanonicalPart* part = find_part(parts, key, name);
    return part == nullptr ? std::string() : whole_text(*part);
  }
  std::string whole_project_text() const {
    std::string text;
    for (const auto& [key, fact] : project_facts(parts))
      if (key != "project") text += key + " " + fact + "\n";
    return text;
  }
  // A view without its features: its source, its key, what counts as late.
  std::string view_text(const View& view) const {
    std::string text =
        part_text("source", project.sources[static_cast<std::size_t>(view.source)].name);
    if (const CanonicalPart* part = find_part(parts, "view", view.name))
      for (const auto& [fact, value] : facts_of(*part)) text += "\n" + fact + " " + value;
    return text;
  }
  // The lookups that a view reads for its events, as canonical text.
  std::string looked_up_text(const View& view) const {
    const std::string text = looked_up_ir(project, view);
    return text.empty() ? text : "\n" + text;
  }
  // All that an input's values depend on.
  std::string reach_of(const Model& model, const Input& input) const {
    std::string text =
        whole_project_text() + part_text("source", source_of(model)) + "\n" + model.at_column;
    std::set<std::string> keys;
    add_reach(model, *input.expr, keys, text);
    return text;
  }
  // What an expression over the model's row depends on, by the keys of its views too.
  void add_reach(const Model& model, const Expr& expr, std::set<std::string>& keys,
                 std::string& text) const {
    text += canonical(expr) + "\n";
    const std::size_t own = model.row.question_columns.size();
    for (const int column : columns_read(expr)) {
      if (static_cast<std::size_t>(column) < own) continue;
      const auto read = model.row.view_features[static_cast<std::size_t>(column) - own];
      const View& view = project.views[static_cast<std::size_t>(read.view)];
      const std::string feature = view.feature_name(static_cast<std::size_t>(read.feature));
      const CanonicalPart* part = find_part(parts, "view", view.name);
      text += "\n" + feature + " " + (part == nullptr ? "" : features_of(*part)[feature]) + "\n" +
              view_text(view) + looked_up_text(view);
      for (const auto& key : model.row.keys)
        if (std::ranges::count(view.keys, key.value.name) > 0 && keys.insert(key.value.name).second)
          add_reach(model, *key.value.expr, keys, text += "\n" + key.value.name + " = ");
    }
  }
  const std::string& source_of(const Model& model) const {
    return project.sources[static_cast<std::size_t>(model.source)].name;
  }
  // Who is in the dataset and what their label is.
  std::string label_text(const Model& model) const {
    std::string text =
        whole_project_text() + part_text("source", source_of(model)) + "\n" +
        part_text("source", project.sources[static_cast<std::size_t>(model.label_source())].name);
    const CanonicalPart* part = find_part(parts, "model", model.name);
    for (const auto& [fact, value] : part == nullptr ? Texts{} : settings_of(*part))
      if (fact.starts_with("label")) text += "\n" + fact + " " + value;
    return text;
  }
};

std::vector<std::string> columns_recomputed(const Side& before, const Model& then,
                                            const Side& after, const Model& now) {
  std::vector<std::string> columns;
  for (const auto& input : now.inputs) {
    const auto old = std::ranges::find(then.inputs, input.name, &Input::name);
    if (old == then.inputs.end() || old->type != input.type ||
        before.reach_of(then, *old) != after.reach_of(now, input))
      columns.push_back(input.name);
  }
  if (before.label_text(then) != after.label_text(now)) columns.emplace_back("label");
  return columns;
}

// A model of which one definition knows nothing.
ModelDifference whole_model(const Model& model, ChangeKind kind) {
  ModelDifference whole;
  whole.name = model.name;
  whole.kind = kind;
  whole.request_changed = true;
  if (kind == ChangeKind::removed) return whole;
  for (const auto& input : model.inputs) whole.columns_recomputed.push_back(input.name);
  whole.columns_recomputed.emplace_back("label");
  return whole;
}

std::optional<ModelDifference> compare_model(const Side& before, const Model& then,
                                             const Side& after, const Model& now) {
  if (then.ir == now.ir) return std::nullopt;
  ModelDifference found;
  found.name = now.name;
  const CanonicalPart* old_part = find_part(before.parts, "model", now.name);
  const CanonicalPart* new_part = find_part(after.parts, "model", now.name);
  if (old_part != nullptr && new_part != nullptr) {
    const Texts old_inputs = inputs_of(*old_part), new_inputs = inputs_of(*new_part);
    found.inputs = compare(old_inputs, new_inputs);
    found.inputs_reordered = order_of(*old_part, new_inputs) != order_of(*new_part, old_inputs);
    found.settings = compare(settings_of(*old_part), settings_of(*new_part));
  }
  found.columns_recomputed = columns_recomputed(before, then, after, now);
  found.request_changed = request_hash(before.project, then) != request_hash(after.project, now);
  return found;
}

std::vector<ModelDifference> compare_models(const Side& before, const Side& after) {
  std::vector<ModelDifference> models;
  for (const auto& now : after.project.models) {
    const Model* then = before.project.find_model(now.name);
    if (then == nullptr)
      models.push_back(whole_model(now, ChangeKind::added));
    else if (auto changed = compare_model(before, *then, after, now))
      models.push_back(std::move(*changed));
  }
  for (const auto& then : before.project.models)
    if (after.project.find_model(then.name) == nullptr)
      models.push_back(whole_model(then, ChangeKind::removed));
  std::ranges::stable_sort(models, {}, &ModelDifference::name);
  return models;
}

std::vector<std::string> rebuilt_views(const Project& before, const Project& after) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < after.views.size(); ++i) {
    const int then = before.view_index(after.views[i].name);
    if (then < 0 || view_hash(before, then) != view_hash(after, static_cast<int>(i)))
      names.push_back(after.views[i].name);
  }
  return names;
}

}  // namespace

std::string_view name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::added:
      return "added";
    case ChangeKind::removed:
      return "removed";
    case ChangeKind::changed:
      break;
  }
  return "changed";
}

bool Difference::empty() const {
  return project.empty() && sources.empty() && views.empty() && features.empty() &&
         expressions.empty() && models.empty() && rebuilt_views.empty();
}

Difference difference(const Project& before, const Project& after) {
  Difference found;
  if (before.ir == after.ir) return found;
  const Side then{before, canonical_parts(before.ir)}, now{after, canonical_parts(after.ir)};
  found.project = compare(project_facts(then.parts), project_facts(now.parts));
  found.sources = compare_parts(then.parts, now.parts, "source");
  found.views = compare_parts(then.parts, now.parts, "view");
  found.features = compare(all_features(then.parts), all_features(now.parts));
  found.expressions = compare(expressions_of(then.parts), expressions_of(now.parts));
  found.models = compare_models(then, now);
  found.rebuilt_views = rebuilt_views(before, after);
  return found;
}

}  // namespace coeval::define
