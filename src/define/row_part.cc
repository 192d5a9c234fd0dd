#include "define/row_part.h"

#include "define/build.h"

namespace coeval::define {

namespace {

std::vector<bool> columns_kept(const RowSchema& row, std::span<const Input> inputs,
                               const std::vector<bool>& wanted, const RowReaders& readers) {
  const std::size_t own = row.schema.fields.size() - row.view_features.size();
  std::vector<bool> kept(row.schema.fields.size());
  for (std::size_t i = 0; i < own; ++i) kept[i] = true;
  for (std::size_t i = 0; i < readers.view_features.size(); ++i)
    if (readers.view_features[i]) kept[own + i] = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!wanted[i]) continue;
    for (const int column : columns_read(*inputs[i].expr))
      kept[static_cast<std::size_t>(column)] = true;
  }
  for (const StaleRule& rule : row.stale_rules)
    if (readers.stale_rules) kept[static_cast<std::size_t>(rule.age_column)] = true;
  return kept;
}

}  // namespace

RowPart row_part(const RowSchema& row, std::span<const Input> inputs,
                 const std::vector<bool>& wanted, const RowReaders& readers) {
  RowPart part;
  const bool whole = !row.keys.empty();
  const std::size_t own = row.schema.fields.size() - row.view_features.size();
  const std::vector<bool> kept = whole ? std::vector<bool>(row.schema.fields.size(), true)
                                       : columns_kept(row, inputs, wanted, readers);
  part.row.question_columns = row.question_columns;
  part.row.keys = row.keys;
  part.row.later = row.later;
  std::vector<int> places(kept.size(), -1);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    places[i] = static_cast<int>(part.row.schema.fields.size());
    part.row.schema.fields.push_back(row.schema.fields[i]);
    if (i >= own) part.row.view_features.push_back(row.view_features[i - own]);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!wanted[i]) continue;
    part.inputs.push_back(inputs[i]);
    part.inputs.back().expr = renumber(inputs[i].expr, places);
  }
  for (const StaleRule& rule : row.stale_rules) {
    if (!readers.stale_rules) break;
    part.row.stale_rules.push_back(rule);
    part.row.stale_rules.back().age_column = places[static_cast<std::size_t>(rule.age_column)];
  }
  return part;
}

}  // namespace coeval::define
