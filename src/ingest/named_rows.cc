#include "ingest/named_rows.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "data/row_codec.h"
#include "ingest/past_rows.h"
#include "kernel/event_index.h"
#include "replay/past.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kTakenAtOnce = 1 << 16;

// Gives rows to an index, some at a time, and counts the duplicates among them.
class NameCounter {
 public:
  NameCounter(const define::Source& source, kernel::EventIndex& index)
      : schema_(source.schema), index_(index) {
    for (const auto& field : schema_.fields) builders_.emplace_back(field.type);
  }
  Status add(const EncodedRow& row) {
    COEVAL_TRY(data::decode_row(row.payload, schema_, builders_));
    known_us_.push_back(row.known.us);
    if (known_us_.size() >= kTakenAtOnce) take();
    return {};
  }
  std::int64_t finish() {
    take();
    return duplicates_;
  }

 private:
  void take() {
    if (known_us_.empty()) return;
    data::Batch batch{schema_, {}, static_cast<std::int64_t>(known_us_.size())};
    for (auto& builder : builders_) batch.columns.push_back(builder.finish());
    duplicates_ += index_.take(batch, known_us_).counted.duplicates;
    known_us_.clear();
  }
  const data::Schema& schema_;
  kernel::EventIndex& index_;
  std::vector<data::ColumnBuilder> builders_;
  std::vector<std::int64_t> known_us_;
  std::int64_t duplicates_ = 0;
};

Status take_file(const define::Project& project, int source, const replay::OpenFormat& formats,
                 std::int64_t cut_us, kernel::EventIndex& index) {
  replay::HistoryOptions options;
  options.cut_us = cut_us;
  options.names = &index;
  COEVAL_TRY(replay::load_history(project, source, formats, options));
  return {};
}

}  // namespace

Result<std::int64_t> count_duplicates(const define::Project& project, int source,
                                      const replay::OpenFormat& formats,
                                      const stores::EventLog* log, const SortedRows& rows,
                                      const std::string& except) {
  const auto& declared = project.sources[static_cast<std::size_t>(source)];
  if (!declared.has_names() || rows.rows() == 0) return 0;
  kernel::EventIndex index(project, source, kernel::EventIndex::Keep::needed);
  std::int64_t cut_us = rows.first_known().us, last_us = INT64_MIN;
  if (log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*log));
    if (cut) cut_us = cut->cut_us;
    last_us = log->last_known().us;
  }
  const std::string own = replay::source_path(project, source);
  std::error_code none;
  if (!own.empty() && !std::filesystem::equivalent(own, except, none))
    COEVAL_TRY(take_file(project, source, formats, cut_us, index));
  if (log != nullptr)
    COEVAL_TRY(read_logged(project, source, *log,
                           [&](const data::Batch& logged, std::span<const std::int64_t> known_us,
                               std::span<const std::int64_t>) {
                             index.take(logged, known_us);
                             return Status{};
                           }));
  NameCounter counter(declared, index);
  // The log raises known times to its last one. (semantics: T1)
  COEVAL_TRY(rows.visit([&](const EncodedRow& row) {
    return counter.add({KnownTime{std::max(row.known.us, last_us)}, row.payload});
  }));
  return counter.finish();
}

Result<std::int64_t> duplicates_of_requests(const define::Project& project, int source,
                                            const replay::OpenFormat& formats,
                                            const stores::EventLog* log, const Ledger& ledger) {
  const auto& declared = project.sources[static_cast<std::size_t>(source)];
  if (!declared.has_names() || log == nullptr || ledger.events_of_requests(declared.name) == 0)
    return 0;
  kernel::EventIndex index(project, source, kernel::EventIndex::Keep::needed);
  COEVAL_ASSIGN(const auto cut, replay::read_cut(*log));
  if (cut && !replay::source_path(project, source).empty())
    COEVAL_TRY(take_file(project, source, formats, cut->cut_us, index));
  std::int64_t duplicates = 0;
  COEVAL_TRY(read_logged(project, source, *log,
                         [&](const data::Batch& rows, std::span<const std::int64_t> known_us,
                             std::span<const std::int64_t> positions) -> Status {
                           const kernel::Amendments amendments = index.take(rows, known_us);
                           for (std::size_t row = 0; row < positions.size(); ++row)
                             duplicates +=
                                 amendments.roles[row] == kernel::Role::duplicate &&
                                 !ledger.is_in_batch({static_cast<std::uint64_t>(positions[row])});
                           return {};
                         }));
  return duplicates;
}

}  // namespace coeval::ingest
