#include "models/forest.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "models/test_files.h"

namespace coeval::models {
namespace {

Forest loaded(const std::string& name) {
  auto forest = Forest::from_xgboost_ubj(test_data(name));
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  return *forest;
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// The fixture with the last `from` replaced by a text of the same length.
std::string patched(const std::string& from, const std::string& to) {
  std::string bytes = test_data("v3_4.ubj");
  const std::size_t place = bytes.rfind(from);
  REQUIRE(place != std::string::npos);
  REQUIRE(from.size() == to.size());
  return bytes.replace(place, from.size(), to);
}

/// A text of UBJSON after its key: "S" and an int64 length.
std::string member(const std::string& key, const std::string& value) {
  return key + "SL" + std::string(7, '\0') + static_cast<char>(value.size()) + value;
}

Error error_of(const std::string& bytes) {
  const auto forest = Forest::from_xgboost_ubj(bytes);
  REQUIRE(!forest.has_value());
  return forest.error();
}

}  // namespace

TEST_CASE("XGBoost's own predictions come out bit for bit, of version 1.7 and of 3.4") {
  for (const std::string name : {"v1_7", "v3_4"}) {
    CAPTURE(name);
    const Forest forest = loaded(name + ".ubj");
    const PredictedRows rows = predicted_rows(name + ".rows");
    CHECK(forest.width() == 5);
    CHECK(forest.trees() == 5);
    std::vector<float> margins(rows.margins.size());
    forest.margins(rows.cells, margins);
    for (std::size_t i = 0; i < margins.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(margins[i], rows.margins[i]));
      CHECK(same_bits(forest.margin(std::span(rows.cells).subspan(i * 5, 5)), rows.margins[i]));
      CHECK(same_bits(forest.transform(margins[i]), rows.outputs[i]));
    }
  }
}

TEST_CASE("the logistic link saturates as XGBoost's does") {
  const Forest forest = loaded("v3_4.ubj");
  CHECK(forest.transform(0.0f) == 0.5f);
  CHECK(forest.transform(200.0f) == 1.0f);
  CHECK(forest.transform(-200.0f) == 1.0f / (std::exp(88.7f) + 1.0f));
  CHECK(forest.transform(-INFINITY) > 0.0f);
}

TEST_CASE("an empty forest answers 0") {
  CHECK(Forest().width() == 0);
  CHECK(Forest().margin({}) == 0.0f);
}

TEST_CASE("what is not supported is refused by name") {
  const auto refused = [](const std::string& from, const std::string& to,
                          const std::string& named) {
    const Error error = error_of(patched(from, to));
    CAPTURE(error.message);
    CHECK(error.code == Code::unsupported);
    CHECK(error.message.find(named) != std::string::npos);
  };
  refused("binary:logistic", "binary:logistix", "binary:logistix");
  refused(member("name", "gbtree"), member("name", "gblint"), "gblint");
  refused("version[#L" + std::string(7, '\0') + "\3i\3",
          "version[#L" + std::string(7, '\0') + "\3i\4", "version 4.");
  refused(member("size_leaf_vector", "1"), member("size_leaf_vector", "4"), "vector leaves");
}

TEST_CASE("models that contradict themselves are bad_model") {
  const auto bad = [](const std::string& from, const std::string& to) {
    const Error error = error_of(patched(from, to));
    CAPTURE(error.message);
    CHECK(error.code == Code::bad_model);
  };
  bad("left_children", "left_xxxxxxxx");
  bad(member("num_feature", "5"), member("num_feature", "0"));
  bad(member("num_feature", "5"), member("num_feature", "x"));
  bad(member("num_class", "0"), member("num_class", "x"));
  bad("[5.", "[x.");
  bad("tree_info[#L" + std::string(7, '\0') + "\5i" + std::string(1, '\0'),
      "tree_info[#L" + std::string(7, '\0') + "\5i\1");
}

TEST_CASE("fewer columns than the trees read is an error") {
  CHECK(error_of(patched(member("num_feature", "5"), member("num_feature", "4"))).code ==
        Code::bad_model);
}

TEST_CASE("every truncation of a model is an error") {
  const std::string bytes = test_data("v3_4.ubj");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto forest = Forest::from_xgboost_ubj(std::string_view(bytes).substr(0, size));
    if (forest.has_value()) FAIL("a truncated model was read: " << size << " bytes");
  }
}

TEST_CASE("damaged bytes never crash the loader or the walk") {
  const std::string intact = test_data("v3_4.ubj");
  const PredictedRows rows = predicted_rows("v3_4.rows");
  std::mt19937 random(1);
  std::size_t refused = 0, tried = 0;
  for (std::size_t at = 0; at < intact.size(); at += 1 + random() % 5, ++tried) {
    std::string bytes = intact;
    bytes[at] = static_cast<char>(random());
    const auto forest = Forest::from_xgboost_ubj(bytes);
    if (!forest) {
      ++refused;
      CHECK(!forest.error().message.empty());
    } else if (forest->width() == 5) {
      CHECK_NOTHROW((void)forest->margin(std::span(rows.cells).first(5)));
    }
  }
  CHECK(refused > tried / 4);
}

}  // namespace coeval::models
