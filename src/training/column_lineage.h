#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "define/project.h"

namespace coeval::training {

/// How a value depends on a column: what it is computed from, or what decides which events count.
enum class Dependence : std::uint8_t {
  identity,     ///< the column itself
  computed,     ///< by an expression over one row
  aggregated,   ///< over many rows
  filtered_by,  ///< only rows where something of it holds
  grouped_by,   ///< it is the key of the rows
  windowed_by,  ///< the time that puts rows into a window
  joined_by,    ///< it finds the row or entity that is read
};

/// A column of a source that something depends on.
struct Origin {
  int source = -1;     ///< index into Project::sources
  std::string column;  ///< of its schema
  Dependence how = Dependence::identity;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// What one column of a model's rows is made from.
struct ColumnLineage {
  std::string column;  ///< an input by name, or "label"
  data::Type type;
  std::string made_of;          ///< in words, as the model card says it
  std::vector<Origin> origins;  ///< by source, column and dependence, each once
};

/// Of all inputs, in order, and then of the label. Pure: reads the definition only. Complexity:
/// inputs × the columns that each reads.
std::vector<ColumnLineage> column_lineage(const define::Project& project,
                                          const define::Model& model);

}  // namespace coeval::training
