#pragma once

#include <span>
#include <vector>

#include "define/project.h"

namespace coeval::define {

/// A row schema that holds no more than some inputs read, and these inputs over it.
struct RowPart {
  RowSchema row;
  std::vector<Input> inputs;
};

/// What of a row is read besides inputs.
struct RowReaders {
  bool stale_rules = false;         ///< keep RowSchema::stale_rules and what they read
  std::vector<bool> view_features;  ///< by RowSchema::view_features; empty: none of them
};

/// The part of `row` that the inputs with `wanted` (by input) and `readers` read; question columns
/// stay, because views have keys among them. A row with RowSchema::keys stays whole but for the
/// stale rules: what its keys read is asked in stages. The values of the inputs are the same bits
/// over either row.
RowPart row_part(const RowSchema& row, std::span<const Input> inputs,
                 const std::vector<bool>& wanted, const RowReaders& readers);

}  // namespace coeval::define
