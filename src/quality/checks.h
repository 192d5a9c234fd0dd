#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"
#include "define/project.h"

namespace coeval::quality {

/// A rule of one column: "delay.min", "origin.pattern", "distance.null".
struct Rule {
  int column = -1;          ///< of the rows that are checked
  std::string name;         ///< "delay.min"
  std::string description;  ///< "delay must be at least -120"
};

/// The rules that one row broke.
struct RowVerdict {
  std::int64_t row = 0;
  std::vector<int>
      rules;  ///< indexes into RowChecks::rules(), ascending: all of them, not the first
};

/// A source's declared rules compiled to run over batches and over single rows alike.
/// Threading: const, safe from any thread.
class RowChecks {
 public:
  /// Errors: bad_toml_value for a pattern that RE2 refuses, and for a rule on a column whose type
  /// it is not for.
  static Result<std::unique_ptr<RowChecks>> compile(const define::Source& source);
  /// The same for rows that hold only some columns of the source: `columns` are their indexes in
  /// it, in the order of the rows' own columns.
  static Result<std::unique_ptr<RowChecks>> compile(const define::Source& source,
                                                    std::span<const int> columns);
  ~RowChecks();
  const std::vector<Rule>& rules() const;
  /// Rows of `batch` (the columns compiled for) that break a rule, ascending. SQL null semantics: a
  /// null breaks only the rule against nulls. NaN and infinities break "<column>.finite", a list of
  /// another length than declared "<column>.length". (semantics: V2) Complexity: one pass per
  /// column with a rule; a pattern runs once per dictionary entry.
  std::vector<RowVerdict> check(const data::Batch& batch) const;
  /// "delay must be at least -120, found -185" for the report and the quarantine.
  std::string explain(const data::Batch& batch, std::int64_t row, int rule) const;

 private:
  RowChecks();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// One row that was kept out, with what a person needs to mend it.
struct QuarantinedRow {
  std::string source;
  std::string origin;     ///< file path, "http", "replay"
  std::int64_t row = -1;  ///< 0-based row, or line, in the origin; -1 unknown
  std::string raw;        ///< the row as JSON, or the raw text
  std::vector<std::string> rules;
  std::string reason;
  // What stands for nothing is not written: lines of older versions have none of it.
  std::string batch{};                    ///< the batch of the log that brought it
  std::string sha256{};                   ///< of the file
  std::optional<std::uint64_t> offset{};  ///< of its first byte in a text file
  data::Json observed{};                  ///< the value that breaks each rule, by rule
  std::string schema{};                   ///< of the source, as it was read: a tag in hex
  std::string header{};                   ///< of a line of CSV: the columns' names, as written
  std::optional<std::int64_t> time_us{};  ///< when it arrived, of rows of requests
};

/// Counts that must add up. (read = accepted + quarantined + duplicates)
struct Conservation {
  std::int64_t read = 0, accepted = 0, quarantined = 0, duplicates = 0;
  bool holds() const { return read == accepted + quarantined + duplicates; }
  friend bool operator==(const Conservation&, const Conservation&) = default;
};
/// "12 read = 10 accepted + 2 quarantined + 0 duplicates"
std::string to_text(const Conservation& counts);

/// Rows of one batch split by the checks.
struct Screened {
  data::Batch accepted;
  std::vector<std::int64_t> accepted_rows;  ///< row numbers in the input batch
  std::vector<QuarantinedRow> quarantined;
};
/// Runs the checks and splits. `first_row` is added to the row numbers in quarantined rows. When no
/// row is bad, `accepted` shares the columns of `batch`.
Screened screen(const RowChecks& checks, const define::Source& source, const data::Batch& batch,
                const std::string& origin, std::int64_t first_row);

/// Appends to `folder`/quarantine/<source>.jsonl, one object a line, fsynced; a row that is there
/// already (same source, origin, row and raw) is not written again, so that a run may be repeated
/// after a crash. A line that a crash cut short is cut off. On an error the file is as it was.
/// Threading: any threads and processes; writers of one source wait for each other.
/// Errors: io, disk_full.
Status write_quarantine(const std::string& folder, const std::vector<QuarantinedRow>& rows);
/// The rows of a source's quarantine, oldest first; none when there is no file. A last line without
/// its end was never acknowledged and is left out. Errors: io, bad_json naming the line.
Result<std::vector<QuarantinedRow>> read_quarantine(const std::string& folder,
                                                    const std::string& source);

}  // namespace coeval::quality
