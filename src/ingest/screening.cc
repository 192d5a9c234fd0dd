#include "ingest/screening.h"

#include <utility>

namespace coeval::ingest {

namespace {

constexpr std::size_t kExamples = 20;  // of a check of the whole, for reports

}  // namespace

Screening::Screening(const define::Source& source, RowIntake intake, Surroundings around,
                     const Options& options)
    : source_(source),
      intake_(std::move(intake)),
      around_(std::move(around)),
      known_keys_(around_.known_keys()),
      now_us_(options.now_us),
      pool_(options.pool),
      broken_(intake_.checks().rules().size()),
      unlisted_(source, intake_.checks()),
      epochs_(source) {}

Result<std::unique_ptr<Screening>> Screening::create(const Past& past, int source,
                                                     const std::string& file,
                                                     const Options& options) {
  const auto& declared = past.project.sources[static_cast<std::size_t>(source)];
  COEVAL_ASSIGN(RowIntake intake, RowIntake::create(declared, options.environment));
  COEVAL_ASSIGN(Surroundings around, Surroundings::read(past, source, file));
  std::unique_ptr<Screening> screening(
      new Screening(declared, std::move(intake), std::move(around), options));
  screening->batch_checks_ = std::make_unique<quality::BatchChecks>(
      declared, options.environment, quality::references_in(past.project.folder),
      quality::BatchCheckOptions{.memory_bytes = options.memory_bytes,
                                 .spill_folder = options.spill_folder,
                                 .examples = kExamples});
  if (!screening->batch_checks_->empty())
    screening->accumulator_ = screening->batch_checks_->start();
  return screening;
}

Result<TakenRows> Screening::take(const Piece& piece) {
  const quality::RowContext context{
      .arrivals = {}, .last_values = &last_values_, .known_keys = &known_keys_, .now_us = now_us_};
  COEVAL_ASSIGN(TakenRows taken, intake_.take(piece, context));
  counts_.read += piece.rows();
  counts_.accepted += taken.accepted.rows;
  counts_.quarantined += std::ssize(taken.quarantined);
  for (std::size_t rule = 0; rule < taken.counts.size(); ++rule)
    broken_[rule] += taken.counts[rule];
  for (const quality::QuarantinedRow& row : taken.quarantined)
    for (const std::string& rule : row.rules) ++quarantined_[rule];
  for (const quality::RowVerdict& verdict : taken.warned)
    for (const int rule : verdict.rules)
      ++warned_[checks().rules()[static_cast<std::size_t>(rule)].name];
  if (taken.accepted.rows > 0) detector_.add(taken.accepted, pool_);
  if (taken.typed.rows > 0) epochs_.add(taken.typed);
  unlisted_.add(taken.quarantined);
  unlisted_.add(taken.accepted, taken.warned);
  if (accumulator_ && taken.accepted.rows > 0)
    accumulator_->add({taken.accepted, taken.known_us, places_of(piece, taken)}, pool_);
  return taken;
}

std::vector<quality::BatchFinding> Screening::finish() {
  std::vector<quality::BatchFinding> findings;
  if (accumulator_) findings = accumulator_->finish(around_.context(now_us_));
  quality::BadRows bad{counts_.read, counts_.quarantined, {}};
  for (std::size_t rule = 0; rule < broken_.size(); ++rule)
    bad.by_rule[checks().rules()[rule].name] = broken_[rule];
  for (auto& finding : quality::judge_bad_rows(source_, bad))
    findings.push_back(std::move(finding));
  return findings;
}

std::vector<std::int64_t> places_of(const Piece& piece, const TakenRows& taken) {
  std::vector<std::int64_t> places;
  places.reserve(taken.rows.size());
  for (const std::int64_t row : taken.rows) places.push_back(piece.place(row));
  return places;
}

}  // namespace coeval::ingest
