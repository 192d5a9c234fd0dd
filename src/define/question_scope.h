#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "define/diagnostics.h"
#include "define/draft.h"
#include "define/scope.h"

namespace coeval::define {

/// Everything that an input could read: the question's columns, then every feature of every view.
struct WideRow {
  data::Schema schema;
  int question_count = 0;                       ///< leading fields that are question columns
  std::vector<ViewFeature> view_features;       ///< for the fields after those
  std::unordered_map<std::string, int> places;  ///< fields by name
  std::set<std::string, std::less<>> broken_views;
  std::unordered_map<int, ExprPtr> guarded;  ///< by field: how what has a default or an age is read
  std::set<int> hidden;                      ///< fields that no name finds
  std::map<int, StaleRule> refused;          ///< by field: when reading it refuses the question

  int index_of(const std::string& name) const {
    const auto found = places.find(name);
    return found == places.end() ? -1 : found->second;
  }
  const ViewFeature* view_feature(int field) const {
    return field < question_count
               ? nullptr
               : &view_features[static_cast<std::size_t>(field - question_count)];
  }
  /// The field as an input or feature reads it, its default and age heeded. (semantics: V3 D5)
  ExprPtr reading(int field) const;
};
/// Whether "view.…" names something of a view whose own definition has errors.
bool is_of_broken_view(const WideRow& row, std::string_view name);
WideRow make_wide_row(const data::Schema& question, const std::vector<View>& views);

using FeatureTexts = std::map<std::string, ExpressionText, std::less<>>;

/// The names that features and inputs may use: features (each written out where it is named),
/// question columns, view features, keys of [keys] that are no columns, constants and `at`. The
/// question's own time column is `at` itself.
class QuestionScope final : public Scope {
 public:
  /// `at_index` is the field of the question's time, or -1. All references must outlive the scope.
  QuestionScope(const WideRow& row, int at_index, const FeatureTexts& features,
                const FeatureTexts& keys, const Project& project, std::string description,
                Diagnostics& errors);

  Binding find(std::string_view name) override;
  /// What a view is asked with by a key that is no column of the question: what [keys] says, whose
  /// place is then put into `position`, else a lookup's column of that name.
  Binding find_key(const std::string& name, SourcePosition& position);
  std::vector<std::string> names() const override;
  std::string description() const override { return description_; }
  bool has_question_time() const override { return true; }
  const TimeZone* zone() const override { return project_.zone; }

  /// Names of the features that were looked up since the last call.
  std::vector<std::string> take_features_used();
  /// Names of the features between `roots` and the field they read: {"pressure", "rate"}.
  std::vector<std::string> path_to(int field, std::vector<std::string> roots) const;
  bool was_compiled(const std::string& feature) const { return compiled_.contains(feature); }

 private:
  struct Compiled {
    Binding binding;
    bool finished = false;
    std::vector<std::string> uses;
  };
  Binding feature(const std::string& name, const ExpressionText& text, bool key = false);
  void report_circle(const std::string& name);
  const WideRow& row_;
  int at_index_;
  const FeatureTexts& features_;
  const FeatureTexts& keys_;
  const Project& project_;
  std::string description_;
  Diagnostics& errors_;
  std::map<std::string, Compiled, std::less<>> compiled_;
  std::vector<std::string> used_;
  std::vector<std::string> open_;  // features that are being read, the outermost first
};

}  // namespace coeval::define
