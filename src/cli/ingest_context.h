#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "ingest/ingestion.h"

namespace coeval::cli {

/// Index of the source named on the command line. Errors: unknown_name with the nearest one.
Result<int> pick_source(const Context& context, const std::string& name);

/// Opens the project's log for ingestion, with the options of the command line. Errors: log_locked,
/// naming the server that holds the log; those of Ingestion::open.
Result<ingest::Ingestion> open_ingestion(Context& context);

/// Prints what became of a file, or keeps it for the answer as JSON.
class OutcomeReport {
 public:
  explicit OutcomeReport(Context& context) : context_(context) {}
  void add(const std::string& file, const ingest::BatchOutcome& outcome);
  /// Prints the JSON. The exit code: 3 when a batch is held, else 0.
  int finish();
  bool any_held() const { return held_; }

 private:
  Context& context_;
  data::Json list_{data::Json::Array{}};
  bool held_ = false;
};

/// What the ledger and the files say without the log's lock: beside any writer.
Result<ingest::Ledger> read_ledger(Context& context);

/// Names each held batch that cannot be read, on stderr. The exit code of the last; 0 where there
/// is none.
int report_damaged(Context& context, const ingest::HeldBatches& held);

}  // namespace coeval::cli
