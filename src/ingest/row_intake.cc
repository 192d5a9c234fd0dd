#include "ingest/row_intake.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "data/text_tables.h"
#include "replay/history.h"

namespace coeval::ingest {

namespace {

// Takes a piece apart: what stands for a row is its number in the piece.
class Division {
 public:
  Division(const define::Source& source, const Piece& piece) : source_(source), piece_(piece) {
    taken_.rows.resize(static_cast<std::size_t>(piece.table.rows));
    std::iota(taken_.rows.begin(), taken_.rows.end(), 0);
  }

  Result<TakenRows> run(const quality::RowChecks& checks, const quality::RowContext& context) {
    for (const data::BadTextRow& bad : piece_.text.bad) {
      taken_.quarantined.push_back({source_.name, {}, bad.line, bad.raw, {"format"}, bad.reason});
      taken_.quarantined.back().offset = bad.offset;
    }
    if (piece_.table.rows > 0) {
      COEVAL_TRY(fit());
      COEVAL_TRY(screen(checks, context));
      tell_known();
    }
    std::ranges::stable_sort(taken_.quarantined, {}, &quality::QuarantinedRow::row);
    return std::move(taken_);
  }

 private:
  Status fit() {
    COEVAL_ASSIGN(replay::Conformed conformed, replay::conform(piece_.table, source_));
    std::map<std::int64_t, std::string> reasons;  // a row may have several columns that do not fit
    for (const auto& [row, reason] : conformed.misfits) {
      std::string& all = reasons[row];
      all += (all.empty() ? "" : "; ") + reason;
    }
    std::vector<std::int64_t> drop;
    for (auto& [row, reason] : reasons) {
      set_aside(row, {"type"}, std::move(reason), data::row_json(piece_.table, row));
      drop.push_back(row);
    }
    taken_.accepted = std::move(conformed.rows);
    leave_out(drop);
    return {};
  }

  Status screen(const quality::RowChecks& checks, const quality::RowContext& context) {
    COEVAL_ASSIGN(quality::Screened screened,
                  quality::screen(checks, source_, taken_.accepted, {}, 0, context));
    keep_warned(screened);
    taken_.counts = std::move(screened.counts);
    for (auto& bad : screened.quarantined) {
      bad.row = piece_.place(taken_.rows[static_cast<std::size_t>(bad.row)]);
      taken_.quarantined.push_back(std::move(bad));
    }
    if (screened.accepted.rows == taken_.accepted.rows) return {};
    std::vector<std::int64_t> rows;
    rows.reserve(screened.accepted_rows.size());
    for (const std::int64_t row : screened.accepted_rows)
      rows.push_back(taken_.rows[static_cast<std::size_t>(row)]);
    taken_.rows = std::move(rows);
    taken_.accepted = std::move(screened.accepted);
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

  // A row whose known time cannot be told may never be used, so it does not enter. (semantics: T1)
  void tell_known() {
    std::vector<std::int64_t> unknown;
    taken_.known_us = replay::known_times(source_, taken_.accepted, &unknown);
    for (const std::int64_t at : unknown) {
      const std::int64_t row = taken_.rows[static_cast<std::size_t>(at)];
      set_aside(row, {"known"}, "the known time of this row is null",
                data::row_json(piece_.table, row));
    }
    leave_out(unknown);
  }

  void set_aside(std::int64_t row, std::vector<std::string> rules, std::string reason,
                 std::string raw) {
    taken_.quarantined.push_back(
        {source_.name, {}, piece_.place(row), std::move(raw), std::move(rules), std::move(reason)});
  }

  // Takes the rows at `places` of what is still in the running out of it.
  void leave_out(const std::vector<std::int64_t>& places) {
    if (places.empty()) return;
    std::vector<std::int64_t> keep, rows, known;
    leave_out_warned(places);
    auto next = places.begin();
    for (std::int64_t at = 0; at < taken_.accepted.rows; ++at) {
      if (next != places.end() && *next == at) {
        ++next;
        continue;
      }
      keep.push_back(at);
      rows.push_back(taken_.rows[static_cast<std::size_t>(at)]);
      if (!taken_.known_us.empty()) known.push_back(taken_.known_us[static_cast<std::size_t>(at)]);
    }
    taken_.accepted = data::take(taken_.accepted, keep);
    taken_.rows = std::move(rows);
    taken_.known_us = std::move(known);
  }

  void leave_out_warned(const std::vector<std::int64_t>& places) {
    std::vector<quality::RowVerdict> kept;
    for (quality::RowVerdict& verdict : taken_.warned) {
      const auto at = std::ranges::lower_bound(places, verdict.row);
      if (at != places.end() && *at == verdict.row) continue;
      verdict.row -= at - places.begin();
      kept.push_back(std::move(verdict));
    }
    taken_.warned = std::move(kept);
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
