#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "ingest/table_pieces.h"
#include "quality/checks.h"

namespace coeval::ingest {

/// A piece divided into what may enter the log and what may not.
struct TakenRows {
  data::Batch accepted;                ///< the source's schema, in the piece's order
  std::vector<std::int64_t> known_us;  ///< per accepted row
  std::vector<std::int64_t> rows;      ///< per accepted row its number in the piece
  /// By place in the file, ascending; each with the places and reasons of the row alone.
  std::vector<quality::QuarantinedRow> quarantined;
  /// Accepted rows that broke rules which are warnings, by their number among the accepted.
  std::vector<quality::RowVerdict> warned;
  std::vector<std::int64_t> counts;  ///< by rule: rows that break it; empty where no row was typed
  data::Batch typed;  ///< all rows that could be typed, null where a value could not be read
};

/// Brings rows of tables to a source's types, checks them, and tells when they were known: the same
/// for rows of files and rows that leave the quarantine. Keeps nothing.
/// Threading: const, safe from any thread.
class RowIntake {
 public:
  /// The source must outlive it. Errors: those of quality::RowChecks::compile.
  static Result<RowIntake> create(const define::Source& source,
                                  define::Environment environment = define::Environment::train);
  const quality::RowChecks& checks() const { return *checks_; }

  /// `context` says what checks of rows need beside the rows; its arrivals are empty. Errors:
  /// unknown_key for a missing column, type_mismatch for one of another type.
  Result<TakenRows> take(const Piece& piece, const quality::RowContext& context = {}) const;

 private:
  explicit RowIntake(const define::Source& source) : source_(&source) {}
  const define::Source* source_;
  std::shared_ptr<const quality::RowChecks> checks_;
};

}  // namespace coeval::ingest
