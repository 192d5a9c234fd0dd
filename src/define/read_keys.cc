#include <algorithm>
#include <set>

#include "define/draft.h"
#include "define/feature_words.h"
#include "define/table_reader.h"

namespace coeval::define {

void read_keys(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  using Kind = TomlValue::Kind;
  if (!expect_kind(entry, Kind::table, "the definition", "write [keys]", errors)) return;
  for (const auto& key : entry.value.entries) {
    if (!expect_kind(key, Kind::string, "[keys]", "write an expression in quotes", errors))
      continue;
    draft.keys.emplace(key.key, ExpressionText::of(key.value));
    draft.project.keys.push_back(
        {key.key, key.value.text, spaced_words(key.value.text, draft.project), key.value.position});
  }
}

void check_keys(const Draft& draft, Diagnostics& errors) {
  std::set<std::string> names;
  for (const auto& view : draft.project.views) names.insert(view.keys.begin(), view.keys.end());
  const bool whole = std::ranges::none_of(draft.view_notes, &ViewNotes::broken);
  for (const auto& key : draft.project.keys) {
    if (draft.features.contains(key.name))
      errors.report(Code::duplicate_name, key.position,
                    "key " + in_quotes(key.name) + " has the name of a feature",
                    "rename the feature: a key has the name that a view calls it by");
    if (names.contains(key.name) || !whole) continue;
    const std::string advice = did_you_mean(key.name, {names.begin(), names.end()});
    errors.report(
        Code::unknown_name, key.position, "no view or lookup has a key " + in_quotes(key.name),
        !advice.empty() ? advice : "the keys are " + listed({names.begin(), names.end()}));
  }
}

}  // namespace coeval::define
