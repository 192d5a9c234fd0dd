#include "quality/broken_rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>
#include <utility>

namespace coeval::quality {

namespace {

constexpr std::size_t kRowsNamed = 3;

BrokenRule broken_rule(const RowChecks& rules, const data::Batch& rows, std::int64_t row,
                       int rule) {
  const Rule& declared = rules.rules()[static_cast<std::size_t>(rule)];
  std::string column;
  if (declared.column >= 0)
    column = rows.schema.fields[static_cast<std::size_t>(declared.column)].name;
  return {std::move(column), declared.name, rules.explain(rows, row, rule),
          rules.found(rows, row, rule)};
}

// The column of a source that has this name and type, or -1.
int column_of(const define::Source& source, const data::Field& field) {
  const int index = source.schema.index_of(field.name);
  const bool same =
      index >= 0 && source.schema.fields[static_cast<std::size_t>(index)].type == field.type;
  return same ? index : -1;
}

std::vector<int> sources_with(const define::Project& project, std::span<const int> sources,
                              const data::Field& field) {
  const auto has = [&](int source) {
    return column_of(project.sources[static_cast<std::size_t>(source)], field) >= 0;
  };
  std::vector<int> with;
  std::ranges::copy_if(sources, std::back_inserter(with), has);
  if (!with.empty()) return with;
  std::ranges::copy_if(std::views::iota(0, static_cast<int>(project.sources.size())),
                       std::back_inserter(with), has);
  return with;
}

// What is wrong with each row of one column, by row: what the last source says, where all say
// something.
using Reasons = std::map<std::int64_t, std::string>;

Result<Reasons> reasons_of(const define::Source& source, const data::Field& field,
                           const data::Column& column) {
  const std::vector<int> index = {column_of(source, field)};
  COEVAL_ASSIGN(const auto rules, RowChecks::compile(source, index, define::Environment::serve));
  const data::Batch rows{{{field}}, {column}, column.size()};
  Reasons reasons;
  for (const BadRow& bad : bad_rows(*rules, rows))
    for (const BrokenRule& broken : bad.broken) {
      std::string& text = reasons[bad.row];
      text += (text.empty() ? "" : "; ") + broken.reason;
    }
  return reasons;
}

Result<Reasons> reasons_of(const define::Project& project, std::span<const int> sources,
                           const data::Field& field, const data::Column& column) {
  Reasons common;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    COEVAL_ASSIGN(Reasons reasons,
                  reasons_of(project.sources[static_cast<std::size_t>(sources[i])], field, column));
    if (i > 0) std::erase_if(reasons, [&](const auto& one) { return !common.contains(one.first); });
    common = std::move(reasons);
  }
  return common;
}

Error refusal(const Reasons& reasons) {
  std::string text = std::to_string(reasons.size()) +
                     (reasons.size() == 1 ? " question breaks" : " questions break") +
                     " the declared rules";
  std::size_t named = 0;
  for (const auto& [row, reason] : reasons) {
    if (named++ == kRowsNamed) break;
    text += (named == 1 ? ": row " : "; row ") + std::to_string(row) + ": " + reason;
  }
  if (reasons.size() > kRowsNamed) text += "; …";
  return {Code::bad_row,
          std::move(text),
          "mend the questions or leave those rows out; nothing was answered",
          {},
          {}};
}

}  // namespace

std::vector<BadRow> bad_rows(const RowChecks& rules, const data::Batch& rows) {
  std::vector<BadRow> bad;
  for (const RowVerdict& verdict : rules.check(rows)) {
    BadRow& one = bad.emplace_back(BadRow{verdict.row, {}});
    for (const int rule : verdict.rules)
      one.broken.push_back(broken_rule(rules, rows, verdict.row, rule));
  }
  return bad;
}

Status check_questions(const define::Project& project, std::span<const int> sources,
                       const data::Schema& columns, const data::Batch& questions) {
  Reasons all;
  for (const data::Field& field : columns.fields) {
    const data::Column* column = questions.find(field.name);
    if (column == nullptr) continue;
    COEVAL_ASSIGN(const Reasons found,
                  reasons_of(project, sources_with(project, sources, field), field, *column));
    for (const auto& [row, reason] : found) {
      std::string& text = all[row];
      text += (text.empty() ? "" : "; ") + reason;
    }
  }
  if (all.empty()) return {};
  return std::unexpected(refusal(all));
}

}  // namespace coeval::quality
