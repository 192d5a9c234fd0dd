#include "training/split.h"

#include <array>
#include <string>

namespace coeval::training {
namespace {

Status check_part(const PartCounts& counts, SplitPart part, define::ModelKind kind) {
  const PartCount& count = counts.of(part);
  const std::string where = "the " + std::string(name(part)) + " part of the split";
  if (count.rows == 0) {
    const std::int64_t outside = counts.of(SplitPart::none).rows;
    const std::string others =
        outside == 0 ? ""
                     : "; " + std::to_string(outside) + " of " + std::to_string(counts.rows()) +
                           " rows have no label, or lie outside of the split";
    return fail(
        Code::no_rows, where + " has no rows" + others,
        (kind == define::ModelKind::ranking && counts.of(SplitPart::gap).rows > 0
             ? "a query whose rows lie in several parts is in none: is `query` what the rows "
               "of one list share? Else move"
             : "move") +
            std::string(" the dates of `split` into the time that the source covers") +
            std::string(outside == 0 ? "" : "; a label that is null decides nothing"));
  }
  if (kind != define::ModelKind::binary) return {};
  if (count.positives == 0 || count.positives == count.rows) {
    return fail(Code::no_rows,
                where + " has one class only: " + std::to_string(count.positives) +
                    " positives in " + std::to_string(count.rows) + " rows",
                "check the label, or choose dates with labels of both kinds");
  }
  return {};
}

// The parts before the test's, by the end of each; 0: there is none.
struct Part {
  SplitPart part;
  std::int64_t define::Split::* until_us;
};
constexpr std::array kSteering = {
    Part{SplitPart::train, &define::Split::train_until_us},
    Part{SplitPart::validate, &define::Split::validate_until_us},
    Part{SplitPart::calibrate, &define::Split::calibrate_until_us},
    Part{SplitPart::threshold, &define::Split::threshold_until_us},
};

}  // namespace

std::string_view name(SplitPart part) {
  switch (part) {
    case SplitPart::none:
      return "none";
    case SplitPart::train:
      return "train";
    case SplitPart::validate:
      return "validate";
    case SplitPart::calibrate:
      return "calibrate";
    case SplitPart::threshold:
      return "threshold";
    case SplitPart::test:
      return "test";
    case SplitPart::gap:
      return "gap";
    case SplitPart::stale:
      return "stale";
  }
  return "none";
}

// semantics: D3. Rows that decide how many rounds a model has, or what its scores mean, fall under
// the same rule as training rows; no decision follows the test part, so its labels may arrive
// whenever they like.
SplitPart assign(std::int64_t at_us, std::int64_t label_known_us, bool label_valid,
                 const define::Split& split) {
  if (!label_valid) return SplitPart::none;
  for (const auto& [part, until_us] : kSteering) {
    const std::int64_t end_us = split.*until_us;
    if (end_us == 0 || at_us >= end_us) continue;
    const bool in_time = label_known_us < end_us && at_us < end_us - split.gap_us;
    return in_time ? part : SplitPart::gap;
  }
  return at_us < split.test_until_us ? SplitPart::test : SplitPart::none;
}

void PartCounts::add(SplitPart part, bool positive) {
  PartCount& count = counts_[static_cast<std::size_t>(part)];
  ++count.rows;
  count.positives += positive ? 1 : 0;
}

std::int64_t PartCounts::rows() const {
  std::int64_t rows = 0;
  for (const PartCount& count : counts_) rows += count.rows;
  return rows;
}

void PartCounts::refuse(SplitPart part, bool positive) {
  PartCount& count = counts_[static_cast<std::size_t>(part)];
  --count.rows;
  count.positives -= positive ? 1 : 0;
  add(SplitPart::stale, positive);
}

Status check_parts(const PartCounts& counts, const define::Model& model) {
  COEVAL_TRY(check_part(counts, SplitPart::train, model.kind));
  if (model.early_stopping_rounds > 0 || model.training.search.trials > 0)
    COEVAL_TRY(check_part(counts, SplitPart::validate, model.kind));
  for (const SplitPart part : {SplitPart::calibrate, SplitPart::threshold})
    if (has_part(model, part)) COEVAL_TRY(check_part(counts, part, model.kind));
  return check_part(counts, SplitPart::test, model.kind);
}

bool has_part(const define::Model& model, SplitPart part) {
  for (const auto& [each, until_us] : kSteering)
    if (each == part) return model.split.*until_us != 0;
  return part == SplitPart::test;
}

}  // namespace coeval::training
