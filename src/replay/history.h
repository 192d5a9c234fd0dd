#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "kernel/amendments.h"
#include "quality/checks.h"
#include "stores/table_files.h"

namespace coeval::kernel {
class EventIndex;
}

namespace coeval::replay {

/// Gives the reader and writer of tables for a path by its ending (.parquet, .csv, .jsonl).
using OpenFormat = std::function<Result<stores::TableFiles*>(const std::string& path)>;

/// The accepted past of one source.
struct SourceHistory {
  int source = -1;
  data::Batch rows;                    ///< the source's schema, in file order
  std::vector<std::int64_t> known_us;  ///< per row
  std::vector<std::int64_t> order;     ///< row numbers by (known time, row): the position order
  /// Per row its place in the file: 0-based row, or for text formats the 1-based line; empty = the
  /// row number. Rows of the log have −1 − position.
  std::vector<std::int64_t> file_row;
  bool by_line = false;                ///< places are lines
  std::int64_t after_cut = 0;          ///< accepted rows that the cut left out
  std::optional<std::int64_t> cut_us;  ///< of the file; nothing of it is known at or after
  quality::Conservation conservation;  ///< of the whole file, before the cut
  std::vector<quality::QuarantinedRow> quarantined;
  std::string path, sha256;
  /// What the events' names say of the rows, numbered as in `rows`; null where events have none.
  /// (semantics: T7)
  std::shared_ptr<const kernel::Amendments> amendments;
  /// By row: the row that takes it back, or −1; empty where there are no amendments.
  std::vector<std::int64_t> taken_back_by;

  std::int64_t place_in_file(std::int64_t row) const {
    return file_row.empty() ? row : file_row[static_cast<std::size_t>(row)];
  }
};

struct HistoryOptions {
  std::optional<std::int64_t> cut_us;   ///< rows known at or after it do not exist (semantics: T9)
  std::string path;                     ///< read this file instead of the source's own
  kernel::EventIndex* names = nullptr;  ///< takes the rows' names; null = an index of their own
};

/// The file of a source as an absolute path, or empty when the source has none.
std::string source_path(const define::Project& project, int source);

/// Reads a source's file, screens it, evaluates known times, finds the position order. A source
/// without a file has an empty history. Errors: the format's; type_mismatch for a column of another
/// type.
Result<SourceHistory> load_history(const define::Project& project, int source,
                                   const OpenFormat& formats, const HistoryOptions& options);

/// Reads a source's file as load_history does, but hands the accepted rows on piece by piece, in
/// file order, without those of a cut. Nothing is kept of a piece, nor of what is quarantined but
/// its count. A source without a file has no rows. Errors: those of load_history, and of `sink`.
Result<quality::Conservation> stream_history(const define::Project& project, int source,
                                             const OpenFormat& formats,
                                             const HistoryOptions& options,
                                             const std::function<Status(data::Batch rows)>& sink);

/// Opens a file of a source: the columns that it declares, `options` saying the rest. A typed file
/// of before a nullable column was added is opened without it, as conform() fills in nulls (but not
/// standard input, which is read once). Errors: those of TableFiles::open.
Result<std::unique_ptr<stores::TableReader>> open_declared(stores::TableFiles& files,
                                                           const std::string& path,
                                                           const define::Source& source,
                                                           stores::ReadOptions options);

/// Known time per row. Rows where the declared expression is null come back in `unknown`.
std::vector<std::int64_t> known_times(const define::Source& source, const data::Batch& rows,
                                      std::vector<std::int64_t>* unknown);
/// Those of the rows `rows`, ascending.
std::vector<std::int64_t> known_times_of(std::vector<std::int64_t> known_us,
                                         const std::vector<std::int64_t>& rows);

}  // namespace coeval::replay
