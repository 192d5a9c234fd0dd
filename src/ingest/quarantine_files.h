#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ingest/held.h"
#include "ingest/ledger.h"
#include "quality/checks.h"
#include "stores/append_file.h"
#include "stores/pending_file.h"

// The quarantine on disk. Below STATE/quarantine, per source:
//
//   SOURCE.jsonl          rows of requests, and of coeval before it knew batches
//   SOURCE/BATCH.jsonl    rows of one batch of the log
//   aside/                bytes of torn lines that doctor took out; no rows
//   SOURCE.leaving        rows that are about to leave: a JSON object {"id", "files"}
//   ….next                beside each of these files: what it holds when they have left
//
// The log decides. A batch's file counts when its batch is in the log; rows leave when what `id`
// names is there, a batch or a note; before that, what stands there beside is of a run that died,
// and goes. So no two files have to be changed at once. The folder is made for its owner alone: bad
// rows are as personal as good ones.

namespace coeval::ingest {

/// Errors: io for a name that cannot be a file's.
Status check_source_name(std::string_view source);
std::string quarantine_folder(const std::string& state_folder);

/// The file of one batch's bad rows in the making. Made with the first of them; seen once
/// publish() has succeeded, and then a batch without bad rows has none.
class BatchQuarantine {
 public:
  BatchQuarantine(std::string state_folder, std::string source, std::string batch,
                  std::shared_ptr<stores::FileLayer> files)
      : state_folder_(std::move(state_folder)),
        source_(std::move(source)),
        batch_(std::move(batch)),
        files_(std::move(files)) {}
  /// Errors: io, disk_full.
  Status add(const quality::QuarantinedRow& row);
  Status publish();
  std::int64_t rows() const { return rows_; }

 private:
  std::string state_folder_, source_, batch_;
  std::shared_ptr<stores::FileLayer> files_;
  std::optional<stores::PendingFile> file_;
  std::string lines_;  // not yet handed to the file
  std::int64_t rows_ = 0;
};

/// A file of the quarantine that counts: where its rows are, and what it is called when none leave.
struct QuarantineFile {
  std::string path, name;
  std::string batch;  ///< empty: rows of requests
  bool held = false;  ///< its batch waits for a person
};
/// The files that count, in order of the log, that of requests last. Changes nothing.
Result<std::vector<QuarantineFile>> quarantine_files(const std::string& state_folder,
                                                     const std::string& source,
                                                     const Ledger& ledger);

/// Those of batches that are held: they do not count until they are released. Changes nothing.
std::vector<QuarantineFile> held_quarantine_files(const std::string& state_folder,
                                                  const std::string& source, const Ledger& ledger,
                                                  const std::vector<HeldBatch>& held);

/// A line that does not have the bytes that were written.
struct DamagedLine {
  std::int64_t number = 0;   ///< 1-based
  std::uint64_t offset = 0;  ///< of its first byte
  std::string place;         ///< "line 3 of '….jsonl', at byte 512"
  std::string why;
};

/// Names damaged lines, the first of them and how many more there are; empty where there is none.
class DamagedLines {
 public:
  void add(const DamagedLine& line);
  std::int64_t count() const { return count_; }
  std::vector<std::string> texts() const;

 private:
  std::vector<std::string> named_;
  std::int64_t count_ = 0;
};

/// What read_rows() finds. `line` is a line's text with its end.
struct QuarantineVisit {
  std::function<Status(const quality::QuarantinedRow& row, std::string_view line)> row;
  std::function<Status(const DamagedLine& damaged, std::string_view line)> damaged;
  /// A last line without its end; it was never acknowledged. None: it is left out.
  std::function<Status(std::string_view line)> torn = {};
};
/// Where doctor puts bytes of the quarantine that are no whole line: SOURCE.jsonl at byte 512 gives
/// aside/SOURCE.jsonl.512.torn. Nothing else reads or removes what is there.
std::string aside_folder(const std::string& state_folder);

/// Calls `visit` for every line of a file, in its order; holds a part of it at a time. Errors: io;
/// those of `visit`.
Status read_rows(const QuarantineFile& file, const QuarantineVisit& visit);

/// Rows of a source's quarantine that leave it, all at once, when what `id` names is in the log.
class Leaving {
 public:
  Leaving(std::string state_folder, std::string source, std::shared_ptr<stores::FileLayer> files)
      : state_folder_(std::move(state_folder)),
        source_(std::move(source)),
        files_(std::move(files)) {}
  /// Goes on with the next file, then says of each of its rows whether it stays.
  Status begin(const QuarantineFile& file);
  Status stays(std::string_view line);
  void leaves() { ++gone_; }
  /// Ends the last file. Afterwards everything is on disk, and only the log has to agree.
  Status prepare(const std::string& id);
  /// After the log has: takes the rows out.
  Status finish();

 private:
  Status end_file();
  std::string state_folder_, source_;
  std::shared_ptr<stores::FileLayer> files_;
  std::optional<QuarantineFile> current_;
  std::optional<stores::PendingFile> next_;
  std::string lines_;
  std::int64_t stayed_ = 0, gone_ = 0;
  std::vector<std::string> changed_;  // names of files that rows leave
};

/// Puts a source's quarantine in order after a run that died: with the log's writer only.
/// `keep` are batches that are held, whose files are kept too. Errors: io, disk_full.
Status settle_quarantine(const std::string& state_folder, const std::string& source,
                         const Ledger& ledger, const std::vector<std::string>& keep,
                         stores::FileLayer& files);

}  // namespace coeval::ingest
