#include "replay/question_keys.h"

#include <algorithm>

#include "data/cell_text.h"
#include "kernel/question_stages.h"
#include "replay/arithmetic.h"

namespace coeval::replay {

namespace {

// Answers the views of one stage by the scan.
class Scanner {
 public:
  Scanner(const define::Project& project, const Past& past, const define::RowSchema& row,
          Visibility seen)
      : project_(project), past_(past), row_(row), seen_(seen) {}

  Status answer(std::span<const int> views, const data::Batch& question,
                std::vector<data::Column>& columns) {
    for (std::size_t i = 0; i < row_.view_features.size(); ++i) {
      const define::ViewFeature feature = row_.view_features[i];
      if (std::ranges::count(views, feature.view) == 0 || !is_read_by_key(i)) continue;
      COEVAL_ASSIGN(const auto found, feature_history(project_, past_, feature, question, seen_));
      COEVAL_ASSIGN(const auto arithmetic, compute(aggregate_of(project_, feature), found.values));
      const define::View& view = view_of(project_, feature);
      data::ColumnBuilder builder(view.feature_type(static_cast<std::size_t>(feature.feature)));
      builder.append(arithmetic.value);
      columns[i] = builder.finish();
      keys_[feature.view] = found.key;
    }
    return {};
  }

  // "plane.base [tailnum=N1], …": the answers that a key's value reads.
  std::string path(const define::RowSchema::Key& key,
                   const std::map<std::string, std::string>& found_by) const {
    std::string text;
    const std::size_t own = row_.schema.fields.size() - row_.view_features.size();
    for (const int column : define::columns_read(*key.value.expr)) {
      const auto place = static_cast<std::size_t>(column);
      text += text.empty() ? "" : ", ";
      text += row_.schema.fields[place].name;
      if (place < own) continue;
      const int view = row_.view_features[place - own].view;
      text += " [" + with_path(view, keys_.at(view), found_by) + "]";
    }
    return text;
  }

 private:
  std::string with_path(int view, const std::string& key,
                        const std::map<std::string, std::string>& found_by) const {
    std::string text = key;
    for (const auto& name : project_.views[static_cast<std::size_t>(view)].keys)
      if (const auto found = found_by.find(name); found != found_by.end())
        text += " ← " + found->second;
    return text;
  }

  bool is_read_by_key(std::size_t feature) const {
    const auto column =
        static_cast<int>(row_.schema.fields.size() - row_.view_features.size() + feature);
    return std::ranges::any_of(row_.keys, [&](const auto& key) {
      return std::ranges::count(define::columns_read(*key.value.expr), column) > 0;
    });
  }

  const define::Project& project_;
  const Past& past_;
  const define::RowSchema& row_;
  Visibility seen_;
  std::map<int, std::string> keys_;  // by view: "tailnum=N1"
};

}  // namespace

Result<AskedKeys> with_keys(const define::Project& project, const Past& past,
                            const define::RowSchema& row, const data::Batch& question,
                            Visibility seen) {
  AskedKeys asked;
  asked.columns = question;
  if (row.keys.empty()) return asked;
  Scanner scanner(project, past, row, seen);
  std::vector<data::Column> columns(row.view_features.size());
  const std::int64_t at[] = {seen.at_us};
  kernel::EvaluationCounts counts;
  for (int stage = 0; stage < row.stage_count(); ++stage) {
    COEVAL_TRY(kernel::add_keys(row, stage, columns, at, counts, asked.columns));
    for (const auto& key : row.keys)
      if (key.stage == stage) asked.found_by[key.value.name] = scanner.path(key, asked.found_by);
    COEVAL_TRY(scanner.answer(kernel::views_of_stage(row, stage), asked.columns, columns));
  }
  return asked;
}

Result<std::optional<KeyedQuestion>> question_behind(const define::Project& project,
                                                     define::ViewFeature feature,
                                                     const std::vector<std::string>& values) {
  const define::View& view = view_of(project, feature);
  std::map<std::string, std::string> given;
  bool behind = false;
  for (const auto& value : values) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) return std::nullopt;
    given[value.substr(0, equals)] = value.substr(equals + 1);
    behind = behind || std::ranges::count(view.keys, value.substr(0, equals)) == 0;
  }
  if (!behind) return std::nullopt;
  std::vector<std::string> own;
  for (const auto& [name, value] : given) own.push_back(name);
  COEVAL_ASSIGN(auto set, define::feature_set(
                              project, view.feature_name(static_cast<std::size_t>(feature.feature)),
                              "--key", own));
  KeyedQuestion question;
  question.columns.rows = 1;
  const std::size_t count = set.row.schema.fields.size() - set.row.view_features.size();
  for (std::size_t i = 0; i < count; ++i) {
    const data::Field& field = set.row.schema.fields[i];
    const auto value = given.find(field.name);
    if (value == given.end())
      return fail(Code::usage, "--key gives no value for '" + field.name + "'",
                  "give it as " + field.name + "=…, or give the keys of view '" + view.name + "'");
    data::ColumnBuilder builder(field.type);
    auto cell = data::parse_cell(value->second, field.type);
    if (!cell)
      return std::unexpected(std::move(cell).error().within("reading --key " + field.name));
    data::append_cell(builder, *cell);
    question.columns.schema.fields.push_back(field);
    question.columns.columns.push_back(builder.finish());
    given.erase(value);
  }
  if (!given.empty())
    return fail(Code::usage,
                "no key of view '" + view.name + "' is found by '" + given.begin()->first + "'",
                "leave it out");
  question.row = std::move(set.row);
  return question;
}

std::string key_path(const define::View& view, const std::string& key, const AskedKeys& asked) {
  std::string text = key;
  for (const auto& name : view.keys)
    if (const auto found = asked.found_by.find(name); found != asked.found_by.end())
      text += " ← " + found->second;
  return text;
}

}  // namespace coeval::replay
