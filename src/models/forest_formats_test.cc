// XGBoost's JSON and LightGBM's text, from files of the libraries with their own predictions.

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/test_files.h"
#include "models/xgboost_json.h"

namespace coeval::models {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

Error error_of(const std::string& bytes) {
  const auto forest = Forest::read(bytes);
  REQUIRE(!forest.has_value());
  return forest.error();
}

/// What LightGBM itself predicted for rows of five cells.
struct WideRows {
  std::vector<float> cells;
  std::vector<double> margins, scores;
};

WideRows lightgbm_rows() {
  std::istringstream words(test_data("lightgbm_v4.rows"));
  WideRows rows;
  std::string word;
  for (std::size_t i = 0; words >> word; ++i) {
    std::uint64_t bits = 0;
    std::from_chars(word.data(), word.data() + word.size(), bits, 16);
    if (i % 7 < 5) {
      rows.cells.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    } else {
      (i % 7 == 5 ? rows.margins : rows.scores).push_back(std::bit_cast<double>(bits));
    }
  }
  REQUIRE(rows.scores.size() == 200);
  return rows;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::ranges::equal(
      a, b, {}, [](T v) { return std::bit_cast<Bits>(v); },
      [](T v) { return std::bit_cast<Bits>(v); });
}

void check_predictions(const std::string& json) {
  const auto forest = Forest::read(json);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  const PredictedRows rows = predicted_rows("v3_4.rows");
  std::vector<float> margins(200), scores(200);
  forest->predict(rows.cells, margins, scores);
  CHECK(same_bits(margins, rows.margins));
  CHECK(same_bits(scores, rows.outputs));
}

}  // namespace

TEST_CASE("XGBoost's JSON predicts as its UBJSON does") {
  const std::string json = test_data("v3_4.json");
  check_predictions(json);
  // 1.7 writes NaN where a category node has no threshold, and older versions write booleans.
  std::string older = json;
  for (std::size_t at = older.find("1E-45"); at != std::string::npos; at = older.find("1E-45")) {
    older.replace(at, 5, "NaN");
  }
  CHECK(older != json);
  check_predictions(older);
  check_predictions(replaced(json, R"("default_left":[0,)", R"("default_left" : [ false , )"));
}

TEST_CASE("LightGBM's own predictions come out bit for bit") {
  const auto forest = Forest::read(test_data("lightgbm_v4.txt"));
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  CHECK(forest->width() == 5);
  CHECK(forest->trees() == 4);
  const WideRows rows = lightgbm_rows();
  std::vector<double> margins(200), scores(200);
  forest->predict(rows.cells, margins, scores);
  CHECK(same_bits(margins, rows.margins));
  CHECK(same_bits(scores, rows.scores));
  // In float32 each is rounded once, and one row alone is as in a block.
  for (std::size_t i = 0; i < 200; ++i) {
    float margin = 0, score = 0;
    forest->predict(std::span(rows.cells).subspan(i * 5, 5), {&margin, 1}, {&score, 1});
    CHECK(margin == static_cast<float>(rows.margins[i]));
    CHECK(score == static_cast<float>(rows.scores[i]));
  }
}

TEST_CASE("lines that end as Windows ends them change nothing") {
  std::string text = test_data("lightgbm_v4.txt");
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.replace(at, 1, "\r\n");
  }
  const auto forest = Forest::read(text);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  CHECK(forest->trees() == 4);
}

TEST_CASE("what is not supported of LightGBM is refused by name") {
  const std::string text = test_data("lightgbm_v4.txt");
  const auto refused = [&](const std::string& from, const std::string& to,
                           const std::string& named) {
    const Error error = error_of(replaced(text, from, to));
    CAPTURE(error.message);
    CHECK(error.code == Code::unsupported);
    CHECK(error.message.contains(named));
    CHECK(!error.advice.empty());
  };
  refused("version=v4", "version=v5", "version 'v5'");
  refused("objective=binary", "objective=ranked_wishes", "objective 'ranked_wishes'");
  refused("is_linear=0", "is_linear=1", "linear trees");
  CHECK(Forest::read(text + "\npandas_categorical:null\n").has_value());
  const Error error = error_of(text + "\npandas_categorical:[[\"a\", \"b\"]]\n");
  CHECK(error.code == Code::unsupported);
  CHECK(error.message.contains("dictionaries"));
}

TEST_CASE("LightGBM models that contradict themselves are bad_model, with the tree's number") {
  const std::string text = test_data("lightgbm_v4.txt");
  const auto bad = [&](const std::string& from, const std::string& to) {
    const Error error = error_of(replaced(text, from, to));
    CAPTURE(from);
    CAPTURE(error.message);
    CHECK(error.code == Code::bad_model);
    return one_line(error);
  };
  CHECK(bad("num_leaves=7", "num_leaves=8").contains("Tree=0"));
  bad("num_leaves=7", "num_leaves=0");
  bad("num_leaves=7", "num_leaves=1000000000");
  bad("num_leaves=7", "num_leaves=99999999999999999999");
  bad("split_feature=", "split_feature=9 ");
  bad("left_child=", "left_child=7 ");
  bad("left_child=", "left_chill=");
  bad("decision_type=", "decision_type=x ");
  bad("Tree=1", "Tree=2");
  bad("end of trees", "end of threes");
  bad("max_feature_idx=4", "max_feature_idx=-1");
  bad("max_feature_idx=4", "max_feature_idx=0");
  bad("num_tree_per_iteration=1", "num_tree_per_iteration=0");
  bad("num_tree_per_iteration=1", "num_tree_per_iteration=3");
  bad("sigmoid:1", "sigmoid:-1");
  bad("num_cat=2", "num_cat=1000000000");
  bad("cat_boundaries=0", "cat_boundaries=1");
}

TEST_CASE("every truncation of a model is an error") {
  for (const char* name : {"v3_4.json", "lightgbm_classes.txt"}) {
    CAPTURE(std::string(name));
    std::string bytes = test_data(name);
    // What follows LightGBM's trees only repeats how they were trained.
    bytes.resize(std::min(bytes.size(), bytes.find("end of trees")));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto forest = Forest::read(std::string_view(bytes).substr(0, size));
      if (forest.has_value()) FAIL("a truncated model was read: " << size << " bytes");
    }
  }
}

TEST_CASE("damaged bytes never crash the loader or the walk") {
  for (const char* name : {"v3_4.json", "lightgbm_v4.txt", "lightgbm_classes.txt"}) {
    const std::string intact = test_data(name);
    std::mt19937 random(1);
    std::size_t refused = 0, tried = 0;
    for (std::size_t at = 0; at < intact.size(); at += 1 + random() % 5, ++tried) {
      std::string bytes = intact;
      bytes[at] = static_cast<char>(random());
      const auto forest = Forest::read(bytes);
      if (!forest) {
        ++refused;
        CHECK(!forest.error().message.empty());
      } else if (forest->width() == 5) {
        std::vector<float> margins(forest->outputs()), scores(forest->scores());
        CHECK_NOTHROW(forest->predict(std::vector<float>{1, 2, 3, 1, 7}, margins, scores));
      }
    }
    CHECK(refused > tried / 8);
  }
}

TEST_CASE("JSON that is none is an error with its place") {
  const auto fault = [](const std::string& text) {
    const auto value = read_xgboost_json(text);
    REQUIRE(!value.has_value());
    CHECK(value.error().code == Code::bad_model);
    return value.error().message;
  };
  CHECK(fault("") == "not a JSON model: unexpected end at byte 0");
  CHECK(fault("{\"a\":1} x") == "not a JSON model: bytes after the end of the document at byte 8");
  CHECK(fault("{\"a\" 1}").ends_with("a member lacks its colon at byte 5"));
  CHECK(fault("{\"a\":1 \"b\":2}").ends_with("an object lacks its comma or its end at byte 7"));
  CHECK(fault("[1 2]").ends_with("an array lacks its comma or its end at byte 3"));
  CHECK(fault("{\"a").ends_with("a string without an end at byte 2"));
  CHECK(fault("{\"a\\").ends_with("a string without an end at byte 2"));
  CHECK(fault("{a:1}").ends_with("a string is missing at byte 1"));
  CHECK(fault("[,]").ends_with("unexpected byte at byte 1"));
  CHECK(fault("{\"a\":nope}").ends_with("'nope' is no value at byte 9"));
  CHECK(fault(std::string(100, '[')).contains("nested too deeply"));
  CHECK(read_xgboost_json(R"({"a\"b":[1,2.5,NaN],"c":{"d":null,"e":[]}})").has_value());
}

TEST_CASE("bytes that are no model of any library are bad_model") {
  for (const std::string bytes : {"", "tree", "hello",
                                  "\x7f"
                                  "ELF",
                                  "[1,2]", "{}", "PK\3\4"}) {
    CHECK(error_of(bytes).code == Code::bad_model);
  }
}

}  // namespace coeval::models
