#include "ingest/row_intake.h"

#include <algorithm>
#include <utility>

#include "data/text_tables.h"
#include "replay/conform.h"
#include "replay/history.h"

namespace coeval::ingest {

namespace {

// Takes a piece apart: what stands for a row is its number in the piece.
class Division {
 public:
  Division(const define::Source& source, const Piece& piece) : source_(source), piece_(piece) {}

  Result<TakenRows> run(const quality::RowChecks& checks, const quality::RowContext& context) {
    COEVAL_ASSIGN(replay::ConformedRows rows,
                  replay::conform(piece_.table, piece_.text.lines, piece_.text.bad, source_));
    if (rows.rows.rows > 0) COEVAL_TRY(screen(checks, rows, context));
    for (const data::BadTextRow& bad : piece_.text.bad)
      if (bad.values.empty()) set_aside(bad, {"format"}, bad.reason, {});
    std::ranges::stable_sort(taken_.quarantined, {}, &quality::QuarantinedRow::row);
    return std::move(taken_);
  }

 private:
  Status screen(const quality::RowChecks& checks, replay::ConformedRows& rows,
                quality::RowContext context) {
    std::vector<std::int64_t> unknown;
    std::vector<std::int64_t> known_us = replay::known_times(source_, rows.rows, &unknown);
    quality::add_unknown(source_, unknown, rows.unreadable);
    context.unreadable = rows.unreadable;
    COEVAL_ASSIGN(quality::Screened screened,
                  quality::screen(checks, source_, rows.rows, {}, 0, context));
    keep_warned(screened);
    taken_.counts = std::move(screened.counts);
    for (auto& bad : screened.quarantined) set_aside(std::move(bad), rows);
    taken_.rows.reserve(screened.accepted_rows.size());
    for (const std::int64_t row : screened.accepted_rows) taken_.rows.push_back(rows.number(row));
    taken_.known_us = replay::known_times_of(std::move(known_us), screened.accepted_rows);
    taken_.accepted = std::move(screened.accepted);
    taken_.typed = std::move(rows.rows);
    return {};
  }

  // Of those that stay.
  void keep_warned(const quality::Screened& screened) {
    for (const quality::RowVerdict& verdict : screened.warned) {
      const auto kept = std::ranges::lower_bound(screened.accepted_rows, verdict.row);
      if (kept == screened.accepted_rows.end() || *kept != verdict.row) continue;
      taken_.warned.push_back({kept - screened.accepted_rows.begin(), verdict.rules});
    }
  }

  // As it was read: with its bytes where it was a row of text that could not be read whole, as the
  // table has it where a value does not fit, else as it was checked.
  void set_aside(quality::QuarantinedRow bad, const replay::ConformedRows& rows) {
    const std::int64_t number = rows.number(bad.row);
    if (number < 0)
      return set_aside(piece_.text.bad[static_cast<std::size_t>(-1 - number)], std::move(bad.rules),
                       std::move(bad.reason), std::move(bad.observed));
    if (std::ranges::binary_search(rows.unreadable, bad.row, {}, &quality::UnreadableValue::row))
      bad.raw = data::row_json(piece_.table, number);
    bad.row = piece_.place(number);
    taken_.quarantined.push_back(std::move(bad));
  }

  void set_aside(const data::BadTextRow& bad, std::vector<std::string> rules, std::string reason,
                 data::Json observed) {
    taken_.quarantined.push_back(
        {source_.name, {}, bad.line, bad.raw, std::move(rules), std::move(reason)});
    taken_.quarantined.back().offset = bad.offset;
    taken_.quarantined.back().observed = std::move(observed);
  }

  const define::Source& source_;
  const Piece& piece_;
  TakenRows taken_;
};

}  // namespace

Result<RowIntake> RowIntake::create(const define::Source& source, define::Environment environment) {
  RowIntake intake(source);
  COEVAL_ASSIGN(auto checks, quality::RowChecks::compile(source, environment));
  intake.checks_ = std::move(checks);
  return intake;
}

Result<TakenRows> RowIntake::take(const Piece& piece, const quality::RowContext& context) const {
  return Division(*source_, piece).run(*checks_, context);
}

}  // namespace coeval::ingest
