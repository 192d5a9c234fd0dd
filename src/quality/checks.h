#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"
#include "define/project.h"
#include "quality/last_values.h"

namespace coeval::quality {

/// A rule of one column, "delay.min", "origin.pattern", "distance.null", or a named check of rows,
/// "checks.route".
struct Rule {
  int column = -1;          ///< of the rows that are checked; -1: a named check
  std::string name;         ///< "delay.min"
  std::string description;  ///< "delay must be at least -120"
  define::Severity severity = define::Severity::error;
  int check = -1;            ///< a named check: its index in Source::checks
  std::vector<int> columns;  ///< of the rows: those that it reads
};

/// The rules that one row broke.
struct RowVerdict {
  std::int64_t row = 0;
  std::vector<int>
      rules;  ///< indexes into RowChecks::rules(), ascending: all of them, not the first
  friend bool operator==(const RowVerdict&, const RowVerdict&) = default;
};

/// A value that could not be read as its column's type; the row has a null there.
struct UnreadableValue {
  std::int64_t row = 0;
  int column = -1;        ///< of the rows that are checked; -1: the known time
  std::string rule;       ///< "delay.type", "known"; empty where another of the row's says why
  std::string reason;     ///< "delay: expected int32, found 'x'"
  data::Json observed{};  ///< what stands there; null where that is no single value
};

/// What the rules of a batch found.
struct RowFindings {
  /// Rows that may not stay, with the rules of severity error; a row with an unreadable value need
  /// not have broken any.
  std::vector<RowVerdict> bad;
  std::vector<RowVerdict> warned;    ///< rows that break rules of severity warn, with these; some
                                     ///< may be bad too
  std::vector<std::int64_t> counts;  ///< by rule: rows that break it
};

/// Says of keys whether they were known: sets known[i] to 1 where the source of
/// `check.other_source` has a row with keys[i] in `check.other_column` that was known before
/// before[i], else to 0. A row whose key is null has no say. Errors: io, and what reading that
/// source gives.
using KnownKeys =
    std::function<Status(const define::Check& check, const data::Column& keys,
                         std::span<const std::int64_t> before, std::span<std::uint8_t> known)>;

/// What checks of rows need that does not stand in them.
struct RowContext {
  /// When each row arrived, µs; it counts for `max_ahead` then. Empty: the row's known time does,
  /// or `now_us` where that is earlier or the known time cannot be told: nothing of a file is known
  /// later than it is read.
  std::span<const std::int64_t> arrivals;
  LastValues* last_values = nullptr;        ///< null: `increasing` is not asked
  const KnownKeys* known_keys = nullptr;    ///< null: `refers` is not asked
  std::optional<std::int64_t> now_us = {};  ///< the clock, where there is one
  /// Ascending by row. Their rows may not stay; no rule that reads such a value is asked of its
  /// row, all others are.
  std::span<const UnreadableValue> unreadable = {};
};

/// A source's declared rules compiled to run over batches and over single rows alike.
/// Threading: const, safe from any thread.
class RowChecks {
 public:
  /// In an environment where a column may be absent its null breaks nothing. Errors: bad_toml_value
  /// for a pattern that RE2 refuses, and for a rule on a column whose type it is not for.
  static Result<std::unique_ptr<RowChecks>> compile(
      const define::Source& source, define::Environment environment = define::Environment::train);
  /// The same for rows that hold only some columns of the source: `columns` are their indexes in
  /// it, in the order of the rows' own columns. A rule that reads another column is left out.
  static Result<std::unique_ptr<RowChecks>> compile(
      const define::Source& source, std::span<const int> columns,
      define::Environment environment = define::Environment::train);
  ~RowChecks();
  const std::vector<Rule>& rules() const;
  /// Rows of `batch` (the columns compiled for) that break rules, ascending. SQL null semantics: a
  /// null breaks only the rule against nulls, and a check that is null passes. NaN and infinities
  /// break "<column>.finite", a list of another length than declared "<column>.length", bytes that
  /// are no UTF-8 "<column>.utf8". (semantics: V2) Complexity: one pass per column with a rule; a
  /// pattern runs once per dictionary entry. Errors: those of `context.known_keys`.
  Result<RowFindings> find(const data::Batch& batch, const RowContext& context) const;
  /// For rows that stay, as files and logs hold them: rows checked with `last_values` from now on
  /// follow these, the last one of each key, whatever the order among them. Nulls are passed over.
  void follow(const data::Batch& batch, LastValues& last_values) const;
  /// The rows that may not stay, where nothing is known but the rows: no rule of `increasing` or
  /// `refers` is asked.
  std::vector<RowVerdict> check(const data::Batch& batch) const;
  /// "delay must be at least -120, found -185" for the report and the quarantine.
  std::string explain(const data::Batch& batch, std::int64_t row, int rule) const;
  /// The value that breaks a rule; of a named check an object of those that it reads.
  data::Json found(const data::Batch& batch, std::int64_t row, int rule) const;

 private:
  RowChecks();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Adds to `unreadable` that the known time of the rows `unknown` (ascending) is null, by the rule
/// "known": such a row may never be used, so it may not stay. Of a row with an unreadable value
/// that the known time is told by nothing is added: the value's own rule says why. (semantics: T1)
void add_unknown(const define::Source& source, std::span<const std::int64_t> unknown,
                 std::vector<UnreadableValue>& unreadable);

/// Everything that is wrong with one row.
struct RowFaults {
  std::vector<std::string> rules;  ///< "delay.type", "distance.max"
  std::string reason;              ///< of each rule, between semicolons
  data::Json observed;  ///< the value that breaks each rule, by rule; long texts and lists are cut
};
/// Of a row of `found.bad`: its unreadable values, then the rules of both severities. `context` is
/// what the rules were asked with.
RowFaults faults_of(const RowChecks& checks, const data::Batch& batch, const RowFindings& found,
                    const RowVerdict& verdict, const RowContext& context);

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
  std::string request{};                  ///< of a request with a key: the key's hash
};

/// Counts that must add up. (read = accepted + quarantined + duplicates)
struct Conservation {
  std::int64_t read = 0, accepted = 0, quarantined = 0, duplicates = 0;
  bool holds() const { return read == accepted + quarantined + duplicates; }
  friend bool operator==(const Conservation&, const Conservation&) = default;
};
/// "12 read = 10 accepted + 2 quarantined + 0 duplicates"
std::string to_text(const Conservation& counts);

/// Rows of one batch split by the checks: rules of severity error keep a row out, the others count.
struct Screened {
  data::Batch accepted;
  std::vector<std::int64_t> accepted_rows;  ///< row numbers in the input batch
  std::vector<QuarantinedRow> quarantined;
  std::vector<RowVerdict> warned;    ///< row numbers in the input batch
  std::vector<std::int64_t> counts;  ///< by rule of the checks: rows that break it
};
/// Runs the checks and splits. `first_row` is added to the row numbers in quarantined rows. When no
/// row is bad, `accepted` shares the columns of `batch`.
Screened screen(const RowChecks& checks, const define::Source& source, const data::Batch& batch,
                const std::string& origin, std::int64_t first_row);
/// The same where more is known than the rows. Errors: those of RowChecks::find.
Result<Screened> screen(const RowChecks& checks, const define::Source& source,
                        const data::Batch& batch, const std::string& origin, std::int64_t first_row,
                        const RowContext& context);

/// Appends to `folder`/quarantine/<source>.jsonl, one object a line, fsynced; a row that is there
/// already (same source, origin, row and raw) is not written again, so that a run may be repeated
/// after a crash. A line that a crash cut short is cut off. On an error the file is as it was.
/// Threading: any threads and processes; writers of one source wait for each other.
/// Errors: io, disk_full.
Status write_quarantine(const std::string& folder, const std::vector<QuarantinedRow>& rows);
/// The same for rows of one source that came each for itself, whatever is there: a row that is sent
/// twice stands there twice. Complexity: what is there is not read.
Status append_quarantine(const std::string& folder, const std::string& source,
                         std::span<const QuarantinedRow> rows);
/// A last line of a quarantine file without its end: a crash cut it short, or something cut the
/// file.
struct TornLine {
  std::uint64_t offset = 0, bytes = 0;
};
/// Nothing where the last line has its end. Waits for writers of the file. Errors: io,
/// no_such_file.
Result<std::optional<TornLine>> find_torn_line(const std::string& path);
/// The same, and moves its bytes to a new file `aside`, fsynced before they go from here.
/// Errors: also disk_full; io where `aside` is there.
Result<std::optional<TornLine>> set_torn_line_aside(const std::string& path,
                                                    const std::string& aside);
/// The rows of requests with a key among the last ones: those of a request that was being taken
/// when its server died, and that will come again, are there. At most the last 64 MiB are read;
/// damaged lines are passed over. Errors: io.
Result<std::vector<QuarantinedRow>> last_keyed_rows(const std::string& folder,
                                                    const std::string& source);
/// The rows of a source's quarantine, oldest first; none when there is no file. A last line without
/// its end was never acknowledged and is left out. Errors: io, bad_json naming the line.
Result<std::vector<QuarantinedRow>> read_quarantine(const std::string& folder,
                                                    const std::string& source);

}  // namespace coeval::quality
