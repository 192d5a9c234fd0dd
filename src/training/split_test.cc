#include "training/split.h"

#include <doctest/doctest.h>

#include <map>

namespace coeval::training {
namespace {

constexpr define::Split kSplit{
    .train_until_us = 100, .validate_until_us = 200, .test_until_us = 300};

SplitPart labelled(std::int64_t at_us, std::int64_t known_us) {
  return assign(at_us, known_us, true, kSplit);
}

PartCounts counts_of(std::map<SplitPart, PartCount> wanted) {
  PartCounts counts;
  for (const auto& [part, count] : wanted) {
    for (std::int64_t row = 0; row < count.rows; ++row) counts.add(part, row < count.positives);
  }
  return counts;
}

}  // namespace

TEST_CASE("a question goes to the part that its time falls into, ends excluded") {
  CHECK(labelled(-5, 0) == SplitPart::train);
  CHECK(labelled(98, 99) == SplitPart::train);
  CHECK(labelled(100, 101) == SplitPart::validate);
  CHECK(labelled(198, 199) == SplitPart::validate);
  CHECK(labelled(200, 201) == SplitPart::test);
  CHECK(labelled(299, 299) == SplitPart::test);
  CHECK(labelled(300, 301) == SplitPart::none);
}

TEST_CASE("a label that was not known when training ended is not trained on") {
  CHECK(labelled(99, 100) == SplitPart::gap);
  CHECK(labelled(0, 5000) == SplitPart::gap);
}

TEST_CASE("a label that was not known when validation ended does not steer the model") {
  CHECK(labelled(199, 200) == SplitPart::gap);
}

TEST_CASE("a test label may be known after the test month") {
  CHECK(labelled(299, 5000) == SplitPart::test);
}

TEST_CASE("calibration and threshold have rows of their own, between validation and test") {
  constexpr define::Split kFive{.train_until_us = 100,
                                .validate_until_us = 200,
                                .test_until_us = 500,
                                .calibrate_until_us = 300,
                                .threshold_until_us = 400};
  CHECK(assign(199, 199, true, kFive) == SplitPart::validate);
  CHECK(assign(200, 299, true, kFive) == SplitPart::calibrate);
  CHECK(assign(200, 300, true, kFive) == SplitPart::gap);
  CHECK(assign(300, 301, true, kFive) == SplitPart::threshold);
  CHECK(assign(399, 400, true, kFive) == SplitPart::gap);
  CHECK(assign(400, 900, true, kFive) == SplitPart::test);
}

TEST_CASE("a gap of the split's own leaves out what was asked last before each cut") {
  constexpr define::Split kGap{
      .train_until_us = 100, .validate_until_us = 200, .test_until_us = 300, .gap_us = 10};
  CHECK(assign(89, 90, true, kGap) == SplitPart::train);
  CHECK(assign(90, 91, true, kGap) == SplitPart::gap);
  CHECK(assign(100, 101, true, kGap) == SplitPart::validate);
  CHECK(assign(190, 191, true, kGap) == SplitPart::gap);
  CHECK(assign(299, 299, true, kGap) == SplitPart::test);
}

TEST_CASE("a part that the model has must have rows of both classes") {
  define::Model model;
  model.split.calibrate_until_us = 300;
  const auto counts = counts_of({{SplitPart::train, {10, 3}}, {SplitPart::test, {5, 1}}});
  const auto without = check_parts(counts, model);
  REQUIRE_FALSE(without.has_value());
  CHECK(without.error().message == "the calibrate part of the split has no rows");
}

TEST_CASE("a row without a label belongs to no part") {
  CHECK(assign(50, 60, false, kSplit) == SplitPart::none);
  CHECK(assign(250, 260, false, kSplit) == SplitPart::none);
}

TEST_CASE("moving a row's label later never moves the row into a part") {
  for (std::int64_t at = 0; at < 320; ++at) {
    for (std::int64_t known = at; known < 320; ++known) {
      const SplitPart sooner = labelled(at, known), later = labelled(at, known + 1);
      CHECK((later == sooner || later == SplitPart::gap));
    }
  }
}

TEST_CASE("parts with rows of both classes pass, validation may be empty without early stopping") {
  const auto counts = counts_of({{SplitPart::train, {10, 3}}, {SplitPart::test, {5, 1}}});
  define::Model model;
  CHECK(check_parts(counts, model).has_value());
  model.early_stopping_rounds = 5;
  const auto stopped = check_parts(counts, model);
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().message == "the validate part of the split has no rows");
}

TEST_CASE("a part of one class is refused and the error counts it") {
  const auto none =
      check_parts(counts_of({{SplitPart::train, {10, 0}}, {SplitPart::test, {5, 1}}}), {});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == Code::no_rows);
  CHECK(none.error().message ==
        "the train part of the split has one class only: 0 positives in 10 rows");
  const auto all =
      check_parts(counts_of({{SplitPart::train, {10, 1}}, {SplitPart::test, {5, 5}}}), {});
  REQUIRE_FALSE(all.has_value());
  CHECK(all.error().message.find("test part") != std::string::npos);
}

}  // namespace coeval::training
