#include "training/split.h"

#include <string>

namespace coeval::training {
namespace {

Status check_part(const PartCounts& counts, SplitPart part) {
  const PartCount& count = counts.of(part);
  const std::string where = "the " + std::string(name(part)) + " part of the split";
  if (count.rows == 0) {
    return fail(Code::no_rows, where + " has no rows",
                "move the dates of `split` into the time that the source covers");
  }
  if (count.positives == 0 || count.positives == count.rows) {
    return fail(Code::no_rows,
                where + " has one class only: " + std::to_string(count.positives) +
                    " positives in " + std::to_string(count.rows) + " rows",
                "check the label, or choose dates with labels of both kinds");
  }
  return {};
}

SplitPart known_before(std::int64_t end_us, std::int64_t label_known_us, SplitPart part) {
  return label_known_us < end_us ? part : SplitPart::gap;
}

}  // namespace

std::string_view name(SplitPart part) {
  switch (part) {
    case SplitPart::none:
      return "none";
    case SplitPart::train:
      return "train";
    case SplitPart::validate:
      return "validate";
    case SplitPart::test:
      return "test";
    case SplitPart::gap:
      return "gap";
    case SplitPart::stale:
      return "stale";
  }
  return "none";
}

// semantics: D3. Validation rows decide how many rounds a model has, so they fall under the same
// rule as training rows; no decision follows the test part, so its labels may arrive whenever they
// like.
SplitPart assign(std::int64_t at_us, std::int64_t label_known_us, bool label_valid,
                 const define::Split& split) {
  if (!label_valid) return SplitPart::none;
  if (at_us < split.train_until_us) {
    return known_before(split.train_until_us, label_known_us, SplitPart::train);
  }
  if (at_us < split.validate_until_us) {
    return known_before(split.validate_until_us, label_known_us, SplitPart::validate);
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

Status check_parts(const PartCounts& counts, int early_stopping_rounds) {
  COEVAL_TRY(check_part(counts, SplitPart::train));
  if (early_stopping_rounds > 0) COEVAL_TRY(check_part(counts, SplitPart::validate));
  return check_part(counts, SplitPart::test);
}

}  // namespace coeval::training
